#include "cli/evidence/gather.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "cli/evidence/queries.h"
#include "cli/human.h"
#include "cli/rejected.h"
#include "engine/guard/transaction.h"
#include "engine/run/plan_spec.h"
#include "engine/state/steps.h"
#include "engine/state/view.h"
#include "migrations/history/audit_log.h"
#include "planner/plan/json.h"

namespace pgalter::cli::evidence {

namespace json = boost::json;

namespace {

std::optional<std::string> OrNone(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

json::value OrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

Task<bool> IsThere(guard::Session& session, std::string table) {
  const pg::Result there =
      co_await session.db().Query("SELECT pg_catalog.to_regclass($1) IS NOT NULL", table);
  co_return there.Get<bool>(0, 0);
}

json::array ArrayOf(const pg::Result& answer) { return json::parse(answer.Bytes(0, 0)).as_array(); }

// What there is of a table that an older schema pgalter may not have: null then.
Task<json::value> Ask(guard::Session& session, std::string table, std::string sql, Scope scope,
                      std::vector<std::string> versions) {
  const bool there = co_await IsThere(session, table);
  if (!there) co_return nullptr;
  const std::optional<std::string> run = OrNone(scope.run);
  const std::optional<std::string> since = OrNone(scope.since);
  const pg::Result answer = co_await session.db().Query(std::move(sql), run, since, versions);
  json::value found = ArrayOf(answer);
  co_return found;
}

Task<std::vector<std::string>> VersionsOf(guard::Session& session, Scope scope) {
  std::vector<std::string> versions;
  const bool there = co_await IsThere(session, "pgalter.migration");
  if (!there || scope.run.empty()) co_return versions;
  const pg::Result answer = co_await session.db().Query(kVersions, scope.run);
  for (const json::value& version : ArrayOf(answer)) versions.emplace_back(version.as_string());
  co_return versions;
}

// As `pgalter plan --output json` shows a step; of what is none of a plan, its statements.
json::object PlanStep(const state::Step& step) {
  if (step.spec.contains("plan")) return plan::ToJson(run::PlannedStep(step));
  json::array sql;
  for (const std::string& one : step.sql) sql.emplace_back(one);
  json::array undo;
  for (const std::string& one : step.undo) undo.emplace_back(one);
  return {{"id", step.id},
          {"phase", step.phase},
          {"kind", step.kind},
          {"sql", std::move(sql)},
          {"undo", std::move(undo)}};
}

Task<json::object> PlanOf(guard::Session& session, std::string run) {
  const auto steps = co_await state::LoadSteps(session, run);
  json::array shown;
  for (const state::Step& step : steps) shown.emplace_back(PlanStep(step));
  json::object plan{{"version", 1}, {"run", run}, {"steps", std::move(shown)}};
  co_return plan;
}

Task<json::object> Surroundings(guard::Session& session) {
  const pg::Result row = co_await session.db().Query(
      "SELECT session_user::text, current_database()::text, current_setting('server_version')");
  json::object made{{"at", UtcNow()},
                    {"by", row.Get<std::string>(0, 0)},
                    {"database", row.Get<std::string>(0, 1)},
                    {"server_version", row.Get<std::string>(0, 2)},
                    {"pgalter", PGALTER_VERSION}};
  co_return made;
}

// Whether an entry is about what is reported.
class Relevance {
 public:
  Relevance(Scope scope, std::vector<std::string> versions)
      : scope_(std::move(scope)), versions_(std::move(versions)) {}
  bool operator()(const history::AuditEntry& entry) const {
    if (scope_.run.empty()) return entry.at >= scope_.since;
    return entry.payload.find(scope_.run) != std::string::npos ||
           std::ranges::find(versions_, entry.subject) != versions_.end();
  }

 private:
  Scope scope_;
  std::vector<std::string> versions_;
};

// From the first entry that is relevant to the end: a chain has no holes.
Task<json::object> ReadSlice(guard::Session& session, Relevance is_relevant, Gathered& into) {
  history::ChainCheck check(std::nullopt);
  const auto take = [&](const history::AuditEntry& entry) {
    const history::Anchor before = check.end();
    check.Take(entry);
    if (into.entries.empty() && !is_relevant(entry)) return;
    if (into.entries.empty()) into.before = before;
    into.entries.push_back(entry);
  };
  const auto head = co_await history::ReadAuditLogHere(session, take);
  json::object told{{"there", head.has_value()}, {"entries", into.entries.size()},
                    {"of", check.count()},       {"after", nullptr},
                    {"anchor", nullptr},         {"whole", nullptr},
                    {"first_bad", nullptr},      {"what", nullptr}};
  if (!head) co_return told;
  into.broken = check.Finish(head);
  if (into.before) told["after"] = history::ToText(*into.before);
  told["anchor"] = history::ToText(check.end());
  told["whole"] = !into.broken;
  if (into.broken) {
    told["first_bad"] = into.broken->seq;
    told["what"] = into.broken->what;
  }
  co_return told;
}

Task<json::array> ReadRuns(guard::Session& session, Scope scope) {
  const std::optional<std::string> run = OrNone(scope.run);
  const std::optional<std::string> since = OrNone(scope.since);
  const pg::Result answer = co_await session.db().Query(kRuns, run, since);
  json::array runs = ArrayOf(answer);
  const auto blocked = co_await state::BlockedSeconds(session);
  for (json::value& one : runs) {
    const auto found = blocked.find(std::string(one.at("run").as_string()));
    if (found != blocked.end()) one.as_object()["blocked_s"] = found->second;
  }
  co_return runs;
}

Task<> Fill(guard::Session& session, const Scope& scope, Gathered& into) {
  json::object& report = into.report;
  report["version"] = 1;
  report["made"] = co_await Surroundings(session);
  report["about"] = json::object{{"run", OrNull(scope.run)}, {"since", OrNull(scope.since)}};
  const json::array runs = co_await ReadRuns(session, scope);
  report["runs"] = runs;
  for (const json::value& run : runs) {
    const json::object plan = co_await PlanOf(session, std::string(run.at("run").as_string()));
    into.plans.emplace_back(plan);
  }
  const auto versions = co_await VersionsOf(session, scope);
  report["migrations"] = co_await Ask(session, "pgalter.migration", kMigrations, scope, versions);
  report["texts"] = nullptr;
  report["requests"] = co_await Ask(session, "pgalter.request", kRequests, scope, versions);
  report["exemptions"] = co_await Ask(session, "pgalter.exemption", kExemptions, scope, versions);
  report["observations"] =
      co_await Ask(session, "pgalter.observation", kObservations, scope, versions);
  report["partitions"] = co_await Ask(session, "pgalter.audit_log", kPartitions, scope, versions);
  // A second way of asking for what has no version.
  const bool attests = co_await IsThere(session, "pgalter.evidence");
  report["attested"] = nullptr;
  if (attests) {
    const std::optional<std::string> run = OrNone(scope.run);
    const std::optional<std::string> since = OrNone(scope.since);
    const pg::Result answer = co_await session.db().Query(kAttested, run, since);
    report["attested"] = ArrayOf(answer);
  }
  const Relevance is_relevant(scope, versions);
  report["audit"] = co_await ReadSlice(session, is_relevant, into);
}

}  // namespace

Task<std::string> ReadTime(guard::Session& session, std::string text) {
  std::optional<Rejected> refused;
  std::string time;
  try {
    co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
    const pg::Result row = co_await session.db().Query(
        "SELECT to_char($1::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        text);
    time = row.Get<std::string>(0, 0);
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kData) throw;
    refused.emplace(run::ExitCode::kUsage,
                    fmt::format("--since \"{}\" is no time: {}", text, error.what()),
                    "as 2026-03-01T02:30Z");
  }
  if (refused) throw *refused;
  co_return time;
}

Task<Gathered> Gather(guard::Session& session, Scope scope) {
  guard::TransactionOptions snapshot;
  snapshot.access = guard::Access::kReadOnly;
  snapshot.isolation = guard::Isolation::kRepeatableRead;
  Gathered gathered;
  auto read = [&]() -> Task<> { co_await Fill(session, scope, gathered); };
  co_await guard::RunInTransaction(session, snapshot, read);
  co_return gathered;
}

}  // namespace pgalter::cli::evidence
