#include "batcher/rebuild/store.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "batcher/capture/flow.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

Task<> Record(Session& session, std::string run, const Stored& stored) {
  const std::string definition = boost::json::serialize(ToJson(stored.definition));
  co_await session.db().Query(
      "INSERT INTO pgalter.rebuild (run, source, shadow, schema, definition)"
      " VALUES ($1, $2, $3, $4, $5)",
      run, stored.source, stored.shadow, stored.schema, definition);
}

Task<> RecordDefinition(Session& session, std::string run, const Definition& definition) {
  const std::string text = boost::json::serialize(ToJson(definition));
  co_await session.db().Query("UPDATE pgalter.rebuild SET definition = $2 WHERE run = $1", run,
                              text);
}

Task<Stored> Load(Session& session, std::string run) {
  const pg::Result row = co_await session.db().Query(
      "SELECT source, shadow, schema, definition::text FROM pgalter.rebuild WHERE run = $1", run);
  if (row.empty())
    throw run::Failure(run::ExitCode::kError, fmt::format("run {} has made no shadow table", run));
  Stored stored;
  stored.source = row.Get<pg::Oid>(0, 0);
  stored.shadow = row.Get<pg::Oid>(0, 1);
  stored.schema = row.Get<std::string>(0, 2);
  stored.definition =
      DefinitionFromJson(boost::json::parse(row.Get<std::string>(0, 3)).as_object());
  co_return stored;
}

Task<> Forget(Session& session, std::string run) {
  co_await session.db().Query("DELETE FROM pgalter.flow WHERE run = $1", run);
  co_await session.db().Query("DELETE FROM pgalter.rebuild WHERE run = $1", run);
}

// Backfills make "~pgalter_…", and functions in our own schema.
bool IsOfRebuild(const state::Artefact& artefact) {
  if (artefact.kind == "table" || artefact.kind == "schema") return true;
  if (artefact.kind == "function")
    return artefact.name.starts_with(capture::SchemaOf(artefact.run) + ".");
  return artefact.kind == "trigger" && artefact.name.starts_with("pgalter_");
}

}  // namespace pgalter::rebuild
