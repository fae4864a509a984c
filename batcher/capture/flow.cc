#include "batcher/capture/flow.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "engine/run/failure.h"
#include "engine/state/json_texts.h"

namespace pgalter::capture {

namespace {

namespace json = boost::json;

constexpr std::size_t kShort = 8;  // of a UUID

using state::Text;

json::object ToJson(const Flow& flow) {
  json::array key;
  for (const KeyColumn& column : flow.key)
    key.push_back({{"from", column.from},
                   {"to", column.to},
                   {"type", column.type},
                   {"equals", column.equals}});
  json::array columns;
  for (const MappedColumn& column : flow.columns)
    columns.push_back({{"to", column.to}, {"value", column.value}, {"type", column.type}});
  json::object object{{"schema", flow.schema},
                      {"alias", flow.alias},
                      {"key", key},
                      {"columns", columns},
                      {"in_place", flow.in_place}};
  json::array also;
  for (const Source& source : flow.also) also.emplace_back(source.oid);
  if (!also.empty()) object["also"] = std::move(also);
  return object;
}

void FromJson(const json::object& object, Flow& flow) {
  flow.schema = Text(object, "schema");
  flow.alias = Text(object, "alias");
  flow.in_place = object.at("in_place").as_bool();
  for (const json::value& value : object.at("key").as_array()) {
    const json::object& column = value.as_object();
    flow.key.push_back(
        {Text(column, "from"), Text(column, "to"), Text(column, "type"), Text(column, "equals")});
  }
  for (const json::value& value : object.at("columns").as_array()) {
    const json::object& column = value.as_object();
    flow.columns.push_back({Text(column, "to"), Text(column, "value"), Text(column, "type")});
  }
  if (const json::value* also = object.if_contains("also"))
    for (const json::value& oid : also->as_array())
      flow.also.push_back({oid.to_number<pg::Oid>(), ""});
}

[[noreturn]] void ThrowDropped(const std::string& run, const std::string& name) {
  throw run::Failure(
      run::ExitCode::kError,
      name.starts_with("reverse")
          ? fmt::format("a table of run {0} was dropped since the cut-over, so there is no way "
                        "back. What the run keeps goes by: pgalter finish {0} --yes",
                        run)
          : fmt::format("a table of run {0} was dropped while it worked; nothing is left to do: "
                        "pgalter abort {0} --yes",
                        run));
}

Task<> ReadAlso(Session& session, Flow& flow) {
  std::vector<std::int64_t> oids;
  for (const Source& source : flow.also) oids.push_back(source.oid);
  const pg::Result names = co_await session.db().Query(
      "SELECT format('%I.%I', n.nspname, c.relname) FROM unnest($1::int8[]) WITH ORDINALITY u (o, "
      "i) JOIN pg_class c ON c.oid = o JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY i",
      oids);
  if (names.rows() != static_cast<int>(oids.size())) ThrowDropped(flow.run, flow.name);
  for (int i = 0; i < names.rows(); ++i)
    flow.also[static_cast<std::size_t>(i)].name = names.Get<std::string>(i, 0);
  const pg::Result columns = co_await session.db().Query(
      "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $1 AND attnum > 0"
      " AND NOT attisdropped ORDER BY attnum",
      flow.from_oid);
  for (int i = 0; i < columns.rows(); ++i) flow.read.push_back(columns.Get<std::string>(i, 0));
}

// A column that is generated is made from the others.
Task<std::vector<std::string>> ReadKept(Session& session, const Flow& flow) {
  std::vector<std::string> written;
  for (const MappedColumn& column : flow.columns) written.push_back(column.to);
  const pg::Result rows = co_await session.db().Query(
      "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $1 AND attnum > 0"
      " AND NOT attisdropped AND attgenerated = '' AND quote_ident(attname) <> ALL ($2::text[])"
      " ORDER BY attnum",
      flow.to_oid, written);
  std::vector<std::string> kept;
  for (int i = 0; i < rows.rows(); ++i) kept.push_back(rows.Get<std::string>(i, 0));
  co_return kept;
}

}  // namespace

std::string SchemaOf(const std::string& run, int number) {
  return NameOfFlow("pgalter_" + run.substr(0, kShort), number);
}

std::string NameOfFlow(const std::string& direction, int number) {
  return number == 1 ? direction : fmt::format("{}_{}", direction, number);
}

std::string Flow::trigger() const {
  return fmt::format("pgalter_{}_{}", name, run.substr(0, kShort));
}

std::string Flow::truncate_trigger() const { return trigger() + "_truncate"; }

std::vector<Source> Flow::sources() const {
  std::vector<Source> all{{from_oid, from}};
  all.insert(all.end(), also.begin(), also.end());
  return all;
}

std::vector<std::int64_t> Flow::source_oids() const {
  std::vector<std::int64_t> oids;
  for (const Source& source : sources()) oids.push_back(source.oid);
  return oids;
}

std::string Flow::source_names() const {
  std::vector<std::string> names;
  for (const Source& source : sources()) names.push_back(source.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string Flow::trigger_of(std::size_t source) const {
  return source == 0 ? trigger() : fmt::format("{}_{}", trigger(), source + 1);
}

Task<> RecordFlow(Session& session, const Flow& flow) {
  const std::string spec = json::serialize(ToJson(flow));
  const std::int64_t unattended = flow.unattended.count();
  co_await session.db().Query(
      "INSERT INTO pgalter.flow (run, name, from_relid, to_relid, spec, deadline, unattended,"
      " log_limit) VALUES ($1, $2, $3, $4, $5, CASE WHEN $7 > 0 THEN $6 END,"
      " CASE WHEN $7 > 0 THEN make_interval(secs => $7::int8) END, $8)",
      flow.run, flow.name, flow.from_oid, flow.to_oid, spec, flow.deadline(), unattended,
      flow.log_limit);
}

Task<> NoteVerified(Session& session, std::string run, std::string name, bool same) {
  co_await session.db().Query(
      "UPDATE pgalter.flow SET spec = CASE WHEN $3 THEN spec - 'differs'"
      " ELSE jsonb_set(spec, '{differs}', 'true') END WHERE run = $1 AND name = $2"
      " AND spec ? 'differs' = $3",
      run, name, same);
}

Task<bool> IsFoundDifferent(Session& session, std::string run, std::string name) {
  const pg::Result row = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pgalter.flow WHERE run = $1 AND name = $2 AND spec ? 'differs')",
      run, name);
  co_return row.Get<bool>(0, 0);
}

Task<Flow> LoadFlow(Session& session, std::string run, std::string name) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT f.from_relid, f.to_relid, f.spec::text,"
      " (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c"
      "  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = f.from_relid),"
      " (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c"
      "  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = f.to_relid),"
      " (SELECT relkind = 'p' FROM pg_class WHERE oid = f.from_relid),"
      " (SELECT relkind = 'p' FROM pg_class WHERE oid = f.to_relid),"
      " coalesce(extract(epoch FROM f.unattended)::int8, 0), coalesce(f.log_limit, 0)"
      " FROM pgalter.flow f WHERE f.run = $1 AND f.name = $2",
      run, name);
  if (rows.empty())
    throw run::Failure(
        run::ExitCode::kError,
        fmt::format("run {} has no {} flow: it was not made, or is gone", run, name));
  if (rows.IsNull(0, 3) || rows.IsNull(0, 4)) ThrowDropped(run, name);
  Flow flow;
  flow.run = run;
  flow.name = name;
  flow.from_oid = rows.Get<pg::Oid>(0, 0);
  flow.to_oid = rows.Get<pg::Oid>(0, 1);
  FromJson(json::parse(rows.Get<std::string>(0, 2)).as_object(), flow);
  flow.from = rows.Get<std::string>(0, 3);
  flow.to = rows.Get<std::string>(0, 4);
  flow.from_partitioned = rows.Get<bool>(0, 5);
  flow.to_partitioned = rows.Get<bool>(0, 6);
  flow.unattended = std::chrono::seconds(rows.Get<std::int64_t>(0, 7));
  flow.log_limit = rows.Get<std::int64_t>(0, 8);
  if (!flow.also.empty()) co_await ReadAlso(session, flow);
  if (flow.in_place) flow.kept = co_await ReadKept(session, flow);
  co_return flow;
}

Task<std::vector<Flow>> LoadFlows(Session& session, std::string run, std::string direction) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT name FROM pgalter.flow WHERE run = $1 AND starts_with(name, $2)"
      " ORDER BY length(name), name",
      run, direction);
  std::vector<Flow> flows;
  for (int i = 0; i < rows.rows(); ++i) {
    Flow flow = co_await LoadFlow(session, run, rows.Get<std::string>(i, 0));
    flows.push_back(std::move(flow));
  }
  if (flows.empty()) flows.push_back(co_await LoadFlow(session, run, direction));  // says why not
  co_return flows;
}

}  // namespace pgalter::capture
