#include "engine/run/gate_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "engine/catalog/read_schema.h"
#include "engine/run/gate_step.h"
#include "engine/run/plan_spec.h"
#include "planner/plan/fingerprint.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::run {

namespace {

namespace ast = sql::ast;

constexpr const char* kUse = "use";
constexpr const char* kSchema = "schema";

struct Count {
  std::int64_t reads = 0;
  std::int64_t writes = 0;
};

// With its partitions: a partitioned table itself is never read.
Task<Count> CountUse(guard::Session& session, std::string table) {
  const pg::Result row = co_await session.db().Query(
      "SELECT COALESCE(sum(COALESCE(s.seq_scan, 0) + COALESCE(s.idx_scan, 0)), 0)::bigint,"
      " COALESCE(sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0)::bigint"
      " FROM pg_catalog.pg_stat_all_tables s WHERE s.relid IN"
      " (SELECT pg_catalog.to_regclass($1)::oid UNION SELECT p.relid::oid"
      "  FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) p)",
      table);
  Count count;
  count.reads = row.Get<std::int64_t>(0, 0);
  count.writes = row.Get<std::int64_t>(0, 1);
  co_return count;
}

Task<> NoteUse(guard::Session& session, state::Step& gate, std::vector<std::string> tables) {
  boost::json::object use;
  for (const std::string& table : tables) {
    const Count count = co_await CountUse(session, table);
    use[table] = boost::json::array{count.reads, count.writes};
  }
  gate.spec[kUse] = std::move(use);
}

Task<std::string> FingerprintNow(Environment& env) {
  const catalog::Schema schema = co_await live::ReadSchema(env.main);
  co_return plan::FingerprintOf(schema, PlanSpecOf(env.run).relations);
}

}  // namespace

std::vector<std::string> TakenAwayBehind(const std::vector<state::Step>& steps, int gate_ordinal) {
  std::vector<std::string> tables;
  for (const state::Step& step : steps) {
    if (step.ordinal <= gate_ordinal) continue;
    if (step.kind == kGateKind) break;
    // Taking a bridge's view away renames a table as well: it stays in use.
    if (step.sql.size() > 1 && step.sql.front().starts_with("DROP VIEW")) continue;
    for (const std::string& text : step.sql) {
      const auto statement = ast::ReadStatement(text);
      if (!statement) continue;
      if (const auto* drop = statement->As<ast::Drop>();
          drop != nullptr && drop->kind == ast::ObjectKind::kTable)
        for (const auto& name : drop->names) tables.push_back(sql::ToString(name));
      if (const auto* rename = statement->As<ast::Rename>();
          rename != nullptr && rename->kind == ast::ObjectKind::kTable)
        tables.push_back(sql::ToString(rename->name));
    }
  }
  return tables;
}

Task<std::string> UseSinceReached(Environment& env, state::Step& gate) {
  const auto steps = co_await state::LoadSteps(env.main, env.run.id);
  const auto tables = TakenAwayBehind(steps, gate.ordinal);
  if (tables.empty()) co_return "";
  guard::Session session = co_await OpenAsRole(env);
  const auto* noted = gate.spec.if_contains(kUse);
  if (noted == nullptr) {
    co_await NoteUse(session, gate, tables);
    co_return "";
  }
  std::string used;
  for (const auto& entry : noted->as_object()) {
    const std::string table = entry.key();
    const Count now = co_await CountUse(session, table);
    const auto& then = entry.value().as_array();
    // Counts that were reset meanwhile tell nothing.
    const auto reads = std::max<std::int64_t>(now.reads - then.at(0).as_int64(), 0);
    const auto writes = std::max<std::int64_t>(now.writes - then.at(1).as_int64(), 0);
    if (reads + writes == 0) continue;
    used += fmt::format("{}{} was read {} times and {} of its rows were written",
                        used.empty() ? "" : ", ", table, reads, writes);
  }
  co_return used;
}

Task<bool> ChangedSinceReached(Environment& env, state::Step& gate) {
  const auto* noted = gate.spec.if_contains(kSchema);
  if (noted == nullptr) {
    co_await NoteSchema(env, gate);
    co_return false;
  }
  const std::string now = co_await FingerprintNow(env);
  co_return noted->as_string() != now;
}

Task<> NoteSchema(Environment& env, state::Step& gate) {
  const std::string now = co_await FingerprintNow(env);
  gate.spec[kSchema] = now;
}

}  // namespace pgalter::run
