#include "batcher/partition/retain.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "batcher/partition/bounds.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/moment.h"
#include "batcher/partition/partman.h"
#include "batcher/partition/referrers.h"
#include "batcher/partition/retire_steps.h"
#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/undo.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// Detached by an earlier run, and still there; $1 the whole, $2 how long they wait.
constexpr const char* kRetired = R"sql(
SELECT r.relid, format('%I.%I', n.nspname, c.relname), r.bound, greatest(c.reltuples, 0)::float8,
       pg_total_relation_size(c.oid), r.detached_at + $2::text::interval <= clock_timestamp()
FROM pgalter.retired r JOIN pg_class c ON c.oid = r.relid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.parent_relid = $1 AND r.detached_at IS NOT NULL AND r.dropped_at IS NULL
  AND NOT c.relispartition
ORDER BY r.detached_at, r.relid
)sql";

std::optional<int> NumberOf(const std::string& keep) {
  int number = 0;
  const auto [end, error] = std::from_chars(keep.data(), keep.data() + keep.size(), number);
  if (error != std::errc() || end != keep.data() + keep.size()) return std::nullopt;
  return number;
}

// Of other types, as of text, no range follows another in time.
bool HasAge(const std::string& type) {
  return type == "date" || type.starts_with("timestamp") || type == "uuid" || type == "smallint" ||
         type == "integer" || type == "bigint" || type.starts_with("numeric");
}

bool IsTime(const std::string& type) { return type == "date" || type.starts_with("timestamp"); }

// Bounds of this column are times, or stand for such.
bool IsTimed(const Whole& whole, const RetainWish& wish) {
  return IsTime(whole.type) || whole.type == "uuid" || wish.epoch != Epoch::kNone;
}

// The moment that a bound stands for: of a uuid the one that is in it, of a number what it counts.
std::string MomentOf(const std::string& type, Epoch epoch, const std::string& value) {
  if (epoch != Epoch::kNone)
    return fmt::format("to_timestamp({}::float8{})", value,
                       epoch == Epoch::kMilliseconds ? " / 1000" : "");
  if (type == "uuid")
    return fmt::format(
        "to_timestamp(('x' || substr(replace({}::text, '-', ''), 1, 12))::bit(48)::"
        "bigint / 1000.0)",
        value);
  return fmt::format("{}::{}::timestamptz", value, type);
}

// Uuids of other versions, and text, would be taken for times, or for the order in which they came.
Task<> RefuseAgeless(Session& session, const Whole& whole) {
  std::string why;
  if (!HasAge(whole.type)) why = fmt::format("ranges of {} have no age", whole.type);
  if (whole.type == "uuid") {
    KeyColumn column;
    column.name = sql::ParseQualifiedName(whole.column)->name;
    column.type = KeyType::kUuid;
    try {
      co_await RefuseNoMoments(session, whole.table, column);
    } catch (const Failure& failure) {
      if (failure.code() != ExitCode::kRefused) throw;
      why = "its uuids are of another version than 7, which alone begins with a time";
    }
  }
  if (why.empty()) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("{}, which is parted by {}: {}, so nothing tells which of its "
                            "partitions are old. pgalter partition detach lets one go. Nothing was "
                            "changed",
                            whole.table.name, whole.column, why));
}

[[noreturn]] void RefuseKeep(const RetainWish& wish, const std::string& why) {
  throw Failure(ExitCode::kUsage, fmt::format("--keep \"{}\": {}", wish.keep, why));
}

Task<> RefuseInterval(Session& session, std::string option, std::string text) {
  bool good = false;
  try {
    const pg::Result row = co_await session.db().Query(
        "SELECT $1::text::interval >= interval '0', $1::text::interval", text);
    good = row.Get<bool>(0, 0);
  } catch (const pg::PgError&) {
    if (!session.db().open()) throw;
  }
  if (!good)
    throw Failure(
        ExitCode::kUsage,
        fmt::format("--{} \"{}\" is no time: write it as '12 months' or '7 days'", option, text));
}

// Whether the partition is older than what is kept, one for each member.
Task<std::vector<bool>> OlderThan(Session& session, const Whole& whole,
                                  const std::vector<Member>& members, const RetainWish& wish) {
  if (!IsTimed(whole, wish))
    RefuseKeep(wish, fmt::format("{} is parted by {}, which is no time: a number says how many "
                                 "ranges stay, or --epoch seconds|milliseconds what it counts",
                                 whole.table.name, whole.type));
  co_await RefuseInterval(session, "keep", wish.keep);
  const std::string query = fmt::format("SELECT {} <= clock_timestamp() - $2::text::interval",
                                        MomentOf(whole.type, wish.epoch, "$1::text"));
  std::vector<bool> older;
  for (const Member& member : members) {
    bool is_older = false;
    if (member.is_range && member.to) {
      const pg::Result row = co_await session.db().Query(query, *member.to, wish.keep);
      is_older = row.Get<bool>(0, 0);
    }
    older.push_back(is_older);
  }
  co_return older;
}

// All but so many of those that have begun: what is made ahead does not count.
Task<std::vector<bool>> BeyondCount(Session& session, const Whole& whole,
                                    const std::vector<Member>& members, const RetainWish& wish,
                                    int keep) {
  std::string here = "clock_timestamp()";
  const bool time = IsTimed(whole, wish);
  if (!time) {
    const pg::Result newest = co_await session.db().Query(
        fmt::format("SELECT t.{0}::text FROM {1} AS t WHERE t.{0} IS NOT NULL"
                    " ORDER BY t.{0} DESC LIMIT 1",  // t.: not the text of it
                    whole.column, whole.table.name));
    if (newest.empty()) co_return std::vector<bool>(members.size(), false);
    here = fmt::format("{}::{}", sql::QuoteLiteral(newest.Get<std::string>(0, 0)), whole.type);
  }
  std::vector<bool> beyond(members.size(), false);
  std::vector<std::size_t> begun;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!members[i].is_range) continue;
    bool has_begun = !members[i].from;
    if (members[i].from) {
      const std::string from =
          time ? MomentOf(whole.type, wish.epoch, "$1::text") : whole.AsKey("$1::text");
      const pg::Result row =
          co_await session.db().Query(fmt::format("SELECT {} <= {}", from, here), *members[i].from);
      has_begun = row.Get<bool>(0, 0);
    }
    if (has_begun) begun.push_back(i);
  }
  const auto stay = static_cast<std::size_t>(keep);
  for (std::size_t i = 0; i + stay < begun.size(); ++i) beyond[begun[i]] = true;
  co_return beyond;
}

Task<bool> IsInstalled(Session& session) {
  const pg::Result row =
      co_await session.db().Query("SELECT to_regclass('pgalter.legal_hold') IS NOT NULL");
  co_return row.Get<bool>(0, 0);
}

Task<> MarkHeld(Session& session, RetainPlan& plan) {
  const backfill::Table& whole = plan.whole.table;
  for (Going& going : plan.going) {
    if (!going.kept_reason.empty()) continue;
    const std::vector<std::int64_t> oids{going.oid, whole.oid};
    const std::vector<std::string> names{going.name, whole.name};
    going.kept_reason = co_await FindLegalHold(session, oids, names);
  }
}

Going GoingOf(const Member& member, const RetainWish& wish, bool no_wait) {
  Going going;
  going.oid = member.oid;
  going.name = member.name;
  going.bound = member.bound;
  going.rows = member.rows;
  going.bytes = member.bytes;
  going.over = wish.afterwards != Afterwards::kKeep && no_wait;
  if (member.pending) going.kept_reason = "it is half detached: pgalter partition detach ends that";
  if (member.foreign) going.kept_reason = "it is a foreign table";
  return going;
}

class Steps {
 public:
  Steps(const RetainPlan& plan, const RetainWish& wish) : plan_(plan), wish_(wish) {}

  std::vector<state::Step> Make() {
    for (const Going& going : plan_.going) {
      if (!going.kept_reason.empty()) continue;
      if (going.attached) {
        Add("partition-return", "keep", going).spec[kReturn] = ReturnOf(going);
        state::Step& detach = Add("detach", "detach", going);
        detach.sql = {fmt::format("ALTER TABLE {} DETACH PARTITION {} CONCURRENTLY",
                                  plan_.whole.table.name, going.name)};
        Add("partition-retire", "retire", going);
      }
      if (!going.over) continue;
      if (wish_.afterwards == Afterwards::kExport) Add("partition-export", "export", going);
      Add("partition-drop", "drop", going).spec[run::kNoReturn] = true;
    }
    return std::move(steps_);
  }

 private:
  [[nodiscard]] boost::json::object ReturnOf(const Going& going) const {
    return {{"bound", going.bound}, {"inside", going.inside}};
  }

  state::Step& Add(const char* kind, const char* verb, const Going& going) {
    state::Step step;
    step.ordinal = static_cast<int>(steps_.size()) + 1;
    step.id = fmt::format("{}-{}", verb, going.name);
    step.kind = kind;
    step.phase = "contract";
    step.spec = {{kRetiredOid, going.oid}, {kFolder, wish_.folder}};
    if (wish_.afterwards == Afterwards::kExport) step.spec[kExported] = true;
    steps_.push_back(std::move(step));
    return steps_.back();
  }

  const RetainPlan& plan_;
  const RetainWish& wish_;
  std::vector<state::Step> steps_;
};

Task<> RecordGoing(Session& session, const RetainPlan& plan) {
  for (const Going& going : plan.going) {
    if (!going.attached || !going.kept_reason.empty()) continue;
    co_await session.db().Query(
        "INSERT INTO pgalter.retired (relid, name, parent, parent_relid, bound)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (relid) DO UPDATE SET name = excluded.name,"
        " parent = excluded.parent, parent_relid = excluded.parent_relid, bound = excluded.bound,"
        " detached_at = NULL, file = NULL, sha256 = NULL, rows = NULL, exported_at = NULL,"
        " dropped_at = NULL",
        going.oid, going.name, plan.whole.table.name, plan.whole.table.oid, going.bound);
  }
}

Task<backfill::Table> Find(Session& session, std::string table, std::string tried) {
  backfill::Spec look;
  look.table = std::move(table);
  look.settings = co_await guard::RoleSettings(session);
  co_return co_await backfill::FindTable(session, look, std::move(tried));
}

}  // namespace

bool RetainPlan::any() const {
  return std::ranges::any_of(going, [](const Going& one) {
    return one.kept_reason.empty() && (one.attached || one.over);
  });
}

Task<RetainPlan> PlanRetain(Session& session, RetainWish wish) {
  RetainPlan plan;
  plan.whole = co_await FindWhole(session, wish.table);
  const Whole& whole = plan.whole;
  co_await RefuseStranger(session, whole.table.oid);
  if (whole.strategy != Strategy::kRange || whole.column.empty())
    throw Failure(ExitCode::kUsage,
                  fmt::format("{} is not parted by range of one column: nothing tells which of its "
                              "partitions are old",
                              whole.table.name));
  co_await RefuseToDropBesidePartman(session, whole.table);
  co_await RefuseAgeless(session, whole);
  co_await RefuseInterval(session, "hold", wish.hold);
  // Numbers that are no such times are refused before one of them is taken for an old one.
  if (wish.epoch != Epoch::kNone)
    co_await FindColumn(session, whole.table, sql::ParseQualifiedName(whole.column)->name,
                        wish.epoch);
  const pg::Result wait =
      co_await session.db().Query("SELECT $1::text::interval = interval '0'", wish.hold);
  const std::vector<Member> members = co_await ReadMembers(session, whole);
  const auto number = NumberOf(wish.keep);
  if (number && *number < 1) RefuseKeep(wish, "at least one range stays");
  std::vector<bool> goes;
  if (number) {
    goes = co_await BeyondCount(session, whole, members, wish, *number);
  } else {
    goes = co_await OlderThan(session, whole, members, wish);
  }
  const bool installed = co_await IsInstalled(session);
  if (installed && wish.afterwards != Afterwards::kKeep) {
    const pg::Result rows = co_await session.db().Query(kRetired, whole.table.oid, wish.hold);
    for (int i = 0; i < rows.rows(); ++i) {
      Going going;
      going.oid = rows.Get<pg::Oid>(i, 0);
      going.name = rows.Get<std::string>(i, 1);
      going.bound = rows.Get<std::string>(i, 2);
      going.rows = rows.Get<double>(i, 3);
      going.bytes = rows.Get<std::int64_t>(i, 4);
      going.attached = false;
      going.over = rows.Get<bool>(i, 5);
      plan.going.push_back(std::move(going));
    }
  }
  std::string too_long;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!goes[i]) continue;
    Going going = GoingOf(members[i], wish, wait.Get<bool>(0, 0));
    const pg::Result inside =
        co_await session.db().Query("SELECT pg_get_partition_constraintdef($1)", going.oid);
    going.inside = inside.Get<std::optional<std::string>>(0, 0).value_or("");
    // What took too long of one is not asked of all the others.
    if (going.kept_reason.empty()) going.kept_reason = too_long;
    if (going.kept_reason.empty()) {
      const Staying staying =
          co_await FindReferrers(session, whole.table.oid, going.name, wish.ladder.hold_budget);
      going.kept_reason = staying.why;
      if (staying.slow) too_long = staying.why;
    }
    plan.going.push_back(std::move(going));
  }
  if (installed) co_await MarkHeld(session, plan);
  co_return plan;
}

Task<std::string> CreateRetainRun(Session& session, const RetainPlan& plan,
                                  const RetainWish& wish) {
  state::Run run;
  run.id = state::NewRunId();
  run.command = "partition retain";
  run.target = plan.whole.table.name;
  run.relid = plan.whole.table.oid;
  run.spec[run::kPace] = run::ToJson(wish.pace);
  run::PlanSpec kept;
  kept.ladder = wish.ladder;
  run.spec["ladder"] = run::ToJson(kept).at("ladder");
  run.phase = "starting";
  Steps maker(plan, wish);
  const std::vector<state::Step> steps = maker.Make();
  std::vector<pg::Oid> also;
  for (const Going& going : plan.going)
    if (going.kept_reason.empty()) also.push_back(going.oid);
  auto create = [&]() -> Task<> {
    co_await state::CreateRun(session, run, also);
    co_await state::CreateSteps(session, run.id, steps);
    co_await RecordGoing(session, plan);
  };
  co_await guard::RunInTransaction(session, create);
  co_return run.id;
}

Task<Gone> FindGone(Session& session, pg::Oid partition) {
  Gone gone;
  const bool installed = co_await IsInstalled(session);
  if (!installed) co_return gone;
  const auto at = [](const char* column) {
    return fmt::format(
        "COALESCE(to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '')", column);
  };
  const pg::Result row = co_await session.db().Query(
      fmt::format("SELECT {}, {}, COALESCE(file, ''), COALESCE(sha256, ''), rows, {}"
                  " FROM pgalter.retired WHERE relid = $1",
                  at("detached_at"), at("exported_at"), at("dropped_at")),
      partition);
  if (row.empty()) co_return gone;
  gone.detached_at = row.Get<std::string>(0, 0);
  gone.exported_at = row.Get<std::string>(0, 1);
  gone.file = row.Get<std::string>(0, 2);
  gone.sha256 = row.Get<std::string>(0, 3);
  gone.rows = row.Get<std::optional<std::int64_t>>(0, 4);
  gone.dropped_at = row.Get<std::string>(0, 5);
  co_return gone;
}

Task<std::string> FindLegalHold(Session& session, std::vector<std::int64_t> oids,
                                std::vector<std::string> names) {
  const bool installed = co_await IsInstalled(session);
  if (!installed) co_return "";
  const pg::Result held = co_await session.db().Query(
      "SELECT format('legal hold of %s by %s since %s: %s', name, set_by,"
      " to_char(set_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), reason)"
      " FROM pgalter.legal_hold WHERE relid::int8 = ANY ($1::int8[]) OR name = ANY ($2::text[])"
      " LIMIT 1",
      oids, names);
  co_return held.empty() ? "" : held.Get<std::string>(0, 0);
}

Task<std::string> SetLegalHold(Session& session, std::string table, std::string reason) {
  const backfill::Table found = co_await Find(session, std::move(table), "hold");
  co_await session.db().Query(
      "INSERT INTO pgalter.legal_hold (relid, name, reason) VALUES ($1, $2, $3)"
      " ON CONFLICT (relid) DO UPDATE SET name = excluded.name, reason = excluded.reason,"
      " set_by = session_user, set_at = clock_timestamp()",
      found.oid, found.name, reason);
  co_return found.name;
}

Task<Released> ReleaseLegalHold(Session& session, std::string table) {
  const backfill::Table found = co_await Find(session, std::move(table), "release");
  const pg::Result row = co_await session.db().Query(
      "DELETE FROM pgalter.legal_hold WHERE relid = $1 OR name = $2 RETURNING reason, set_by,"
      " to_char(set_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
      found.oid, found.name);
  Released released;
  if (row.empty()) co_return released;
  released.table = found.name;
  released.reason = row.Get<std::string>(0, 0);
  released.held_by = row.Get<std::string>(0, 1);
  released.held_since = row.Get<std::string>(0, 2);
  co_return released;
}

}  // namespace pgalter::partition
