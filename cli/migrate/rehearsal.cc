#include "cli/migrate/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <map>
#include <stdexcept>

#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/run/plan_spec.h"
#include "engine/state/steps.h"
#include "migrations/formats/folder.h"
#include "planner/plan/json.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

namespace json = boost::json;

// In the order in which they were made. What belongs to an extension is its own business.
constexpr const char* kTables = R"sql(
SELECT n.nspname::text, c.relname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN
  ('information_schema', 'pgalter') AND NOT EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
    AND d.deptype = 'e')
ORDER BY c.oid
)sql";

Task<std::vector<sql::QualifiedName>> ReadTables(guard::Session& session) {
  const pg::Result rows = co_await session.db().Query(kTables);
  std::vector<sql::QualifiedName> tables;
  for (int i = 0; i < rows.rows(); ++i)
    tables.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1)});
  co_return tables;
}

// The tables of a step: those that it locks, and of what moves rows, whose locks are no plan's.
std::vector<std::string> TablesOf(const plan::Step& step) {
  std::vector<std::string> tables;
  for (const plan::StepLock& lock : step.locks) tables.push_back(sql::ToString(lock.relation));
  for (const sql::QualifiedName& table : plan::RebuiltTables(step))
    tables.push_back(sql::ToString(table));
  if (step.backfill) tables.push_back(step.backfill->table);
  if (step.split) tables.push_back(step.split->source);
  return tables;
}

// A name without a schema is one of `public`, or of nobody's here.
long RowsOf(const plan::Step& step, const RowCounts& before) {
  long most = 0;
  for (const std::string& name : TablesOf(step)) {
    auto named = sql::ParseQualifiedName(name);
    if (!named) continue;
    if (!named->schema) named->schema = "public";
    for (const auto& [table, rows] : before)
      if (table == *named) most = std::max(most, rows);
  }
  return most;
}

// What runs is the same; where it stands in a plan does not matter.
bool IsSame(const plan::Step& one, const plan::Step& other) {
  return one.kind == other.kind && one.sql == other.sql && one.transaction == other.transaction &&
         one.backfill == other.backfill && one.rebuild == other.rebuild && one.split == other.split;
}

[[noreturn]] void RefuseFile(const std::string& path, const std::string& why) {
  throw Rejected(ExitCode::kUsage, fmt::format("--rehearsed {}: {}", path, why),
                 "pgalter rehearse --rows 10000 --out FILE writes one");
}

json::value Parsed(const std::string& path) {
  std::string text;
  try {
    text = formats::ReadWhole(path);
  } catch (const std::runtime_error& error) {
    RefuseFile(path, error.what());
  }
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error) RefuseFile(path, "it is no JSON");
  return value;
}

std::string Member(const json::value& value, const char* key) {
  const auto* member = value.is_object() ? value.get_object().if_contains(key) : nullptr;
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : "";
}

}  // namespace

Task<> MadeUpRows::Fill(guard::Session& session) {
  std::vector<std::string> names;
  const auto tables = co_await ReadTables(session);
  for (const sql::QualifiedName& table : tables) names.push_back(sql::ToString(table));
  // Of its own: expressions are read back as a user's session would.
  pg::Connection db = co_await pg::Connection::Connect(context_.Connect());
  const auto all = co_await trace::FillTables(db, names, rows_);
  for (const trace::Filled& filled : all) {
    if (filled.problem.empty()) continue;
    const std::string problem = fmt::format("{}: {}", filled.table, filled.problem);
    if (std::ranges::find(problems_, problem) != problems_.end()) continue;
    Say(context_, fmt::format("not filled as asked for: {}", problem));
    problems_.push_back(problem);
  }
}

Task<RowCounts> CountRows(guard::Session& session) {
  RowCounts counts;
  const auto tables = co_await ReadTables(session);
  for (const sql::QualifiedName& table : tables) {
    const pg::Result count =
        co_await session.db().Query(fmt::format("SELECT count(*) FROM {}", sql::ToString(table)));
    counts.emplace_back(table, count.Get<std::int64_t>(0, 0));
  }
  co_return counts;
}

Task<std::vector<plan::Step>> MeasuredSteps(guard::Session& session, std::string run,
                                            RowCounts before, std::string at) {
  const pg::Result times = co_await session.db().Query(
      "SELECT ordinal, extract(epoch FROM ended_at - started_at)::float8 FROM pgalter.step "
      "WHERE run = $1::uuid AND state = 'done' AND started_at IS NOT NULL AND ended_at IS NOT NULL",
      run);
  std::map<int, double> seconds;
  for (int i = 0; i < times.rows(); ++i)
    seconds[times.Get<std::int32_t>(i, 0)] = times.Get<double>(i, 1);
  std::vector<plan::Step> steps;
  const auto kept = co_await state::LoadSteps(session, run);
  for (const state::Step& step : kept) {
    if (!seconds.contains(step.ordinal)) continue;
    plan::Step planned = run::PlannedStep(step);
    planned.rehearsed = {seconds[step.ordinal], RowsOf(planned, before), at};
    steps.push_back(std::move(planned));
  }
  co_return steps;
}

RehearsedTimes RehearsedTimes::Read(const std::string& path) {
  const json::value value = Parsed(path);
  const auto* object = value.if_object();
  const auto* all = object == nullptr ? nullptr : object->if_contains("migrations");
  if (all == nullptr || !all->is_array() || !object->contains("rehearsal"))
    RefuseFile(path, "it holds no rehearsal");
  RehearsedTimes times;
  for (const json::value& one : all->get_array()) {
    Rehearsed rehearsed{Member(one, "version"), Member(one, "statements_sha256"), {}};
    const auto* plan = one.is_object() ? one.get_object().if_contains("plan") : nullptr;
    if (rehearsed.version.empty() || plan == nullptr) RefuseFile(path, "it holds no rehearsal");
    auto read = plan::FromJson(*plan);
    if (!read)
      RefuseFile(path, fmt::format("the steps of {}: {}", rehearsed.version, read.error().message));
    rehearsed.steps = std::move(read->steps);
    times.migrations_.push_back(std::move(rehearsed));
  }
  return times;
}

int RehearsedTimes::AddTo(plan::Plan& plan, const history::Migration* migration) const {
  std::vector<const plan::Step*> known;
  for (const Rehearsed& one : migrations_) {
    const bool meant = migration == nullptr ||
                       (one.version == migration->version && one.sum == migration->sums.statements);
    if (!meant) continue;
    for (const plan::Step& step : one.steps)
      if (step.rehearsed) known.push_back(&step);
  }
  int found = 0;
  for (plan::Step& step : plan.steps) {
    // Of two that are alike the first is the first.
    const auto same =
        std::ranges::find_if(known, [&](const plan::Step* other) { return IsSame(*other, step); });
    if (same == known.end()) continue;
    step.rehearsed = (*same)->rehearsed;
    known.erase(same);
    ++found;
  }
  return found;
}

}  // namespace pgalter::cli
