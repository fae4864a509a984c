#include "batcher/rebuild/store.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "batcher/capture/flow.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

namespace {

constexpr const char* kNumber = "number";

std::string Text(const Stored& stored) {
  boost::json::object json = ToJson(stored.definition);
  json[kNumber] = stored.number;
  return boost::json::serialize(json);
}

}  // namespace

Task<> Record(Session& session, std::string run, const Stored& stored) {
  const std::string definition = Text(stored);
  co_await session.db().Query(
      "INSERT INTO pgalter.rebuild (run, source, shadow, schema, definition)"
      " VALUES ($1, $2, $3, $4, $5)",
      run, stored.source, stored.shadow, stored.schema, definition);
}

pg::Statement RecordDefinitionStatement(const std::string& run, const Stored& stored) {
  return {"UPDATE pgalter.rebuild SET definition = $3 WHERE run = $1 AND shadow = $2",
          pg::Params::Of(run, stored.shadow, Text(stored))};
}

Task<> RecordDefinition(Session& session, std::string run, const Stored& stored) {
  pg::Statement record = RecordDefinitionStatement(run, stored);
  co_await session.db().QueryParams(std::move(record.sql), std::move(record.params),
                                    pg::Format::kText);
}

Task<std::vector<Stored>> LoadAll(Session& session, std::string run) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT source, shadow, schema, definition::text FROM pgalter.rebuild WHERE run = $1"
      " ORDER BY coalesce((definition->>'number')::int, 1)",
      run);
  if (rows.empty())
    throw run::Failure(run::ExitCode::kError, fmt::format("run {} has made no shadow table", run));
  std::vector<Stored> all;
  for (int i = 0; i < rows.rows(); ++i) {
    const auto definition = boost::json::parse(rows.Get<std::string>(i, 3)).as_object();
    Stored& stored = all.emplace_back();
    // A run of an older program does not say.
    if (const auto* number = definition.if_contains(kNumber))
      stored.number = number->to_number<int>();
    stored.source = rows.Get<pg::Oid>(i, 0);
    stored.shadow = rows.Get<pg::Oid>(i, 1);
    stored.schema = rows.Get<std::string>(i, 2);
    stored.definition = DefinitionFromJson(definition);
  }
  co_return all;
}

Task<Stored> Load(Session& session, std::string run) {
  std::vector<Stored> all = co_await LoadAll(session, std::move(run));
  co_return std::move(all.front());
}

Task<> Forget(Session& session, std::string run) {
  co_await session.db().Query("DELETE FROM pgalter.flow WHERE run = $1", run);
  co_await session.db().Query("DELETE FROM pgalter.rebuild WHERE run = $1", run);
}

// Backfills make "~pgalter_…", and functions in our own schema.
bool IsOfRebuild(const state::Artefact& artefact) {
  if (artefact.kind == "matview" || artefact.kind == "table" || artefact.kind == "schema")
    return true;
  if (artefact.kind == "function")
    return artefact.name.starts_with(capture::SchemaOf(artefact.run));
  return artefact.kind == "trigger" && artefact.name.starts_with("pgalter_");
}

}  // namespace pgalter::rebuild
