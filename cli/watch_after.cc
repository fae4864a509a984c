#include "cli/watch_after.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/run/plan_spec.h"
#include "engine/state/observations.h"
#include "engine/watch/unit.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

// A hundred looks, but neither more than one a second nor fewer than one a minute.
milliseconds Between(milliseconds time) {
  return std::clamp(time / 100, milliseconds(1000), milliseconds(60'000));
}

std::vector<std::string> TablesOf(const state::Run& run) {
  std::vector<std::string> tables;
  // Of a run without one it is a word for that.
  if (sql::ParseQualifiedName(run.target)) tables.push_back(run.target);
  for (const auto& relation : run::PlanSpecOf(run).relations)
    tables.push_back(sql::ToString(relation));
  return tables;
}

double Number(const json::value& value) { return value.is_null() ? 0 : value.to_number<double>(); }

std::string Names(const json::value& names) {
  std::string text;
  for (const json::value& name : names.as_array())
    text += (text.empty() ? "" : ", ") + std::string(name.as_string());
  return text.empty() ? "none" : text;
}

std::string Lag(const std::optional<double>& seconds) {
  return seconds ? HumanSeconds(*seconds) : "none";
}

std::int64_t Grown(const json::object& first, const json::object& last, const char* key) {
  return static_cast<std::int64_t>(Number(last.at(key)) - Number(first.at(key)));
}

// What was done to each since the first look.
std::string TablesText(const json::object& first, const json::object& last) {
  Table table({"table", "rows", "dead", "scans", "by index", "inserted", "updated", "deleted"});
  const json::object& before = first.at("tables").as_object();
  for (const auto& [name, value] : last.at("tables").as_object()) {
    const json::object& now = value.as_object();
    const auto* known = before.if_contains(name);
    const json::object& then = known == nullptr ? now : known->as_object();
    const auto grown = [&](const char* key) { return HumanCount(Grown(then, now, key)); };
    table.Add({std::string(name), HumanCount(static_cast<std::int64_t>(Number(now.at("live")))),
               HumanCount(static_cast<std::int64_t>(Number(now.at("dead")))), grown("seq_scans"),
               grown("index_scans"), grown("inserted"), grown("updated"), grown("deleted")});
  }
  return last.at("tables").as_object().empty() ? "" : table.Text();
}

}  // namespace

std::optional<milliseconds> WatchAfter::TimeOf(const Context& context) {
  if (!context.Has("for")) return std::nullopt;
  const auto seconds = watch::Parse(context.Get("for"), watch::Unit::kSeconds);
  constexpr double kLongest = 30.0 * 86400;
  if (!seconds || *seconds <= 0 || *seconds > kLongest)
    throw Rejected(
        ExitCode::kUsage,
        fmt::format("--for \"{}\" is no time, or longer than 30 days", context.Get("for")),
        "write 1h, 90min or 30s");
  return milliseconds(static_cast<std::int64_t>(*seconds * 1000));
}

Task<> WatchAfter::RefuseWithoutTable(guard::Session& session) {
  const pg::Result there = co_await session.db().Query(
      "SELECT pg_catalog.to_regclass('pgalter.observation') IS NOT NULL");
  if (!there.Get<bool>(0, 0))
    throw Rejected(
        ExitCode::kError,
        "schema pgalter of this database is older than --for, and could not keep what is "
        "seen",
        "pgalter init brings it up to date");
  const pg::Result may = co_await session.db().Query(
      "SELECT pg_catalog.has_table_privilege('pgalter.observation', 'INSERT'),"
      " pg_catalog.quote_ident(current_user)");
  if (!may.Get<bool>(0, 0))
    throw Rejected(
        ExitCode::kUnsupported,
        "--for keeps what is seen with the run, and this role may not write there",
        fmt::format("GRANT INSERT ON pgalter.observation TO {}", may.Get<std::string>(0, 1)));
}

Task<> WatchAfter::Look(guard::Session& session, std::string id) {
  const auto run = co_await state::FindRun(session, id);
  if (!run) PickRun({}, id);  // forgotten meanwhile
  json::object facts = co_await state::Observe(session, id, TablesOf(*run));
  facts["state"] = state::Name(run->state);
  co_await state::RecordObservation(session, id, facts);
  ++looks_;
  const auto waiting = facts.at("waiting").to_number<std::int64_t>();
  most_waiting_ = std::max(most_waiting_, waiting);
  longest_wait_s_ = std::max(longest_wait_s_, Number(facts.at("longest_wait_s")));
  std::optional<double> lag;
  if (!facts.at("lag_s").is_null()) lag = Number(facts.at("lag_s"));
  if (lag) most_lag_s_ = std::max(most_lag_s_.value_or(0), *lag);
  if (context_.output == Output::kJson) {
    PrintJson({{"version", 1}, {"run", id}, {"at", UtcNow()}, {"observation", facts}});
  } else {
    Say(context_,
        fmt::format("{} {}: {} wait for its tables, lag {}, indexes that cannot be used: {}",
                    UtcNow(), state::Name(run->state), waiting, Lag(lag),
                    Names(facts.at("invalid_indexes"))));
  }
  if (first_.empty()) first_ = facts;
  last_ = std::move(facts);
}

Task<> WatchAfter::Watch(guard::Session& session, std::string run) {
  using Clock = std::chrono::steady_clock;
  if (!end_) end_ = Clock::now() + time_;
  for (;;) {
    co_await Look(session, run);
    const auto left = std::chrono::duration_cast<milliseconds>(*end_ - Clock::now());
    if (left <= milliseconds(0)) co_return;
    co_await async::SleepFor(std::min(left, Between(time_)));
  }
}

ExitCode WatchAfter::Conclude() const {
  const bool unusable = !last_.at("invalid_indexes").as_array().empty();
  const ExitCode code = unusable ? ExitCode::kPending : ExitCode::kDone;
  if (context_.output == Output::kJson) return code;
  Print(fmt::format(
      "looked {} times in {}: most sessions that waited for its tables {}, for {} at most; largest "
      "lag {}; rollbacks {}, deadlocks {}; indexes that cannot be used: {}; constraints that are "
      "not "
      "validated: {}\n",
      looks_, HumanSeconds(std::chrono::duration<double>(time_).count()), most_waiting_,
      HumanSeconds(longest_wait_s_), Lag(most_lag_s_), Grown(first_, last_, "rollbacks"),
      Grown(first_, last_, "deadlocks"), Names(last_.at("invalid_indexes")),
      Names(last_.at("not_validated"))));
  Print(TablesText(first_, last_));
  return code;
}

}  // namespace pgalter::cli
