#include "batcher/backfill/once.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <limits>
#include <set>
#include <vector>

#include "batcher/backfill/once_policy.h"
#include "batcher/backfill/trigger_parts.h"
#include "engine/async/fail_point.h"
#include "engine/guard/lease.h"
#include "engine/lock/human_attempts.h"
#include "engine/lock/ladder.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "planner/sql/identifier.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

namespace {

constexpr const char* kAsItIs = "have the statement run as it is: --as-written";

// Of every transaction and open subtransaction that has one; those of the snapshot may not have
// locked theirs yet.
constexpr const char* kOpenXids =
    "SELECT transactionid::text FROM pg_locks WHERE locktype = 'transactionid'"
    " AND mode = 'ExclusiveLock' AND granted"
    " UNION SELECT (x::text::numeric % 4294967296)::text"
    " FROM pg_snapshot_xip(pg_current_snapshot()) x";

Xid ToXid(std::string_view text) {
  Xid xid = 0;
  std::from_chars(text.data(), text.data() + text.size(), xid);
  return xid;
}

// Versions that one snapshot sees have xids from before it, or from 2^32 or more before: the
// nearest of those is the first that a new version must not have.
constexpr const char* kFirstComingAgain = R"sql(
SELECT pg_snapshot_xmax(s)::text,
       (SELECT COALESCE(min((xmin::text::bigint - (pg_snapshot_xmax(s)::text::numeric % 4294967296)::bigint)
                              & 4294967295), 4294967295)::text FROM ONLY {0}),
       EXISTS (SELECT FROM ONLY {0} WHERE xmin::text = ANY (
         SELECT (x::text::numeric % 4294967296)::text FROM pg_snapshot_xip(s) x))
FROM pg_current_snapshot() s
)sql";

struct Horizons {
  Xid first_again = std::numeric_limits<Xid>::max();  // no new version may have it
  Xid looked = 0;  // the oldest subtransaction that it is true for; 0: for all
};

Failure TooOld(const Table& table) {
  return {ExitCode::kRefused,
          fmt::format("rows of {} were written 2^32 transactions ago, or nearly: they cannot be "
                      "told from those that users write meanwhile. Have such rows written anew, or "
                      "{}",
                      table.name, kAsItIs)};
}

// A scan of the whole table, where the cluster has had so many transactions.
Task<Horizons> ReadHorizons(Session& session, const Table& table, const Spec& spec) {
  Horizons horizons;
  const pg::Result next =
      co_await session.db().Query("SELECT pg_snapshot_xmax(pg_current_snapshot())::text");
  if (KnowsEveryXid(ToXid(next.Bytes(0, 0)))) {
    horizons.first_again = kXids;
    co_return horizons;
  }
  for (const Leaf& leaf : co_await FindLeaves(session, table.oid, spec)) {
    const pg::Result row =
        co_await session.db().Query(fmt::format(kFirstComingAgain, leaf.relation.name));
    const Xid seen = ToXid(row.Bytes(0, 0));
    if (row.Get<bool>(0, 2)) throw TooOld(table);
    horizons.first_again = std::min(horizons.first_again, seen + ToXid(row.Bytes(0, 1)));
    horizons.looked = std::max(horizons.looked, seen);
  }
  co_return horizons;
}

// Under the lock: nothing of this transaction has an xid yet.
Task<Beginning> ReadBeginning(Session& session, const Horizons& horizons, const Table& table) {
  const pg::Result own = co_await session.db().Query(
      "SELECT pg_current_xact_id_if_assigned() IS NULL, pg_current_xact_id()::text,"
      " (SELECT system_identifier::text FROM pg_control_system())");
  if (!own.Get<bool>(0, 0))
    throw Failure(ExitCode::kError,
                  fmt::format("the trigger on {} was not made: its transaction had written before "
                              "it had the lock",
                              table.name));
  Beginning beginning;
  beginning.xid = ToXid(own.Bytes(0, 1));
  beginning.system = own.Get<std::string>(0, 2);
  const pg::Result open = co_await session.db().Query(kOpenXids);
  for (int i = 0; i < open.rows() && async::SafeguardOn("once-open"); ++i) {
    const auto low = static_cast<std::uint32_t>(ToXid(open.Bytes(i, 0)));
    const Xid xid = WithEpoch(low, beginning.xid);
    const bool newer = beginning.xid - xid >= kXids / 2;
    if (xid != beginning.xid && !newer) beginning.open.push_back(xid);
  }
  const Xid oldest = Oldest(beginning);
  // Of its subtransactions the scan did not know.
  if (oldest < horizons.looked || horizons.first_again < oldest + kLeastSpan) throw TooOld(table);
  beginning.span = horizons.first_again - oldest;
  co_return beginning;
}

// What a user's own change becomes. An old transaction's subtransaction that had an xid but no lock
// on it when the beginning was read is told to come again: its version would look undone.
std::string FunctionBody(const Beginning& beginning, const Resolved& resolved, const Spec& spec,
                         const Generated& generated) {
  std::vector<std::string> values;
  std::vector<std::string> targets;
  for (const Column& column : resolved.columns) {
    values.push_back(OnNewRow(column.expression, spec, generated));
    targets.push_back("new." + sql::QuoteIdentifier(column.name));
  }
  const std::string set =
      fmt::format("SELECT {} INTO {};", fmt::join(values, ", "), fmt::join(targets, ", "));
  const std::string meant =
      resolved.where.empty() ? "true" : OnNewRow(resolved.where, spec, generated);
  std::string unknown;
  if (!beginning.open.empty())
    unknown = fmt::format(
        "  IF pg_catalog.pg_current_xact_id() < '{}'::pg_catalog.xid8 AND EXISTS (SELECT FROM"
        " pg_catalog.pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND"
        " granted AND pid = pg_catalog.pg_backend_pid() AND {}) THEN\n"
        "    RAISE EXCEPTION 'could not serialize access beside an UPDATE in chunks'"
        " USING ERRCODE = 'serialization_failure';\n  END IF;\n",
        beginning.xid, Undone(beginning, "transactionid"));
  return fmt::format(
      "#variable_conflict use_column\nBEGIN\n"
      "  IF pg_catalog.pg_current_xact_id() >= '{}'::pg_catalog.xid8 THEN RETURN new; END IF;\n"
      "{}  IF {} THEN {} END IF;\n  RETURN new;\nEND",
      LastMoment(beginning), unknown, meant, set);
}

// Chunks have done it themselves. What users' triggers change by the way in a chunk's transaction
// they have not, though it is under the same setting.
std::string When(const Beginning& beginning) {
  const std::string undone =
      async::SafeguardOn("once-trigger") ? Undone(beginning, "old.xmin") : "true";
  return fmt::format(
      "{} AND (pg_catalog.current_setting('{}', true) = {} AND pg_catalog.pg_trigger_depth() = 0)"
      " IS NOT TRUE",
      undone, kOnceSetting, sql::QuoteLiteral(beginning.mark));
}

Task<> CreateTrigger(Session& session, const Names& names, const Table& table,
                     const std::string& settings, const std::string& body,
                     const std::string& when) {
  std::vector<pg::Statement> statements;
  statements.push_back({fmt::format("CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE "
                                    "plpgsql SECURITY DEFINER {} AS {}",
                                    names.function, settings, sql::QuoteLiteral(body)),
                        {}});
  statements.push_back(
      {fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", names.function), {}});
  statements.push_back({fmt::format("CREATE TRIGGER {} BEFORE UPDATE ON {} FOR EACH ROW WHEN ({}) "
                                    "EXECUTE FUNCTION {}()",
                                    names.trigger, table.name, when, names.function),
                        {}});
  statements.push_back(
      {fmt::format("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", table.name, names.trigger), {}});
  co_await session.db().Pipeline(std::move(statements));
}

// The files that hold the versions of the beginning.
Task<> RecordFiles(Session& session, std::string run, pg::Oid table) {
  co_await session.db().Query(
      "INSERT INTO pgalter.backfill_relation (run, relid, filenode, blocks)"
      " SELECT $1, oid, pg_relation_filenode(oid),"
      "   pg_relation_size(oid) / current_setting('block_size')::bigint FROM pg_class"
      " WHERE relkind = 'r' AND (oid = $2 OR oid IN (SELECT relid FROM pg_partition_tree($2)))"
      " ON CONFLICT DO NOTHING",
      run, table);
}

void ThrowUnlessDone(const lock::LadderOutcome& outcome, const Table& table,
                     const std::string& run) {
  if (outcome.result == lock::LadderResult::kDone) return;
  throw Failure(ExitCode::kLockNotObtained,
                fmt::format("the trigger on {} was not made, the table was too busy: {}. Then: "
                            "pgalter resume {}",
                            table.name, fmt::join(lock::Lines(outcome), "\n"), run));
}

}  // namespace

void RefuseOnce(const Table& table, const Resolved& resolved, const Spec& spec) {
  std::string refusal;
  if (table.inherited)
    refusal = "it has inheritance children, which a trigger of its own does not reach";
  if (resolved.has_subquery || !spec.binds.empty())
    refusal = "a trigger cannot ask what the statement asks";
  if (!refusal.empty())
    throw Failure(ExitCode::kRefused, fmt::format("cannot update {} in chunks: {}. Or {}",
                                                  table.name, refusal, kAsItIs));
  if (!table.owned)
    throw Failure(
        ExitCode::kUnsupported,
        fmt::format("cannot update {} in chunks: a trigger of its own tells the rows that "
                    "users change meanwhile, and that takes the owner. Run as its owner, "
                    "or {}",
                    table.name, kAsItIs));
}

Task<Beginning> MakeOnceTrigger(run::Environment& env, const state::Step& step) {
  const Spec spec = FromJson(env.run.spec);
  const Table table = co_await FindTableByOid(env.main, env.run.relid);
  const Resolved resolved = co_await Recall(env.main, table, spec);
  RefuseOnce(table, resolved, spec);
  const std::string tag = TagOf(env.run, step);
  const Names names(tag);
  const Generated generated = co_await GeneratedColumns(env.main, table.oid);
  co_await RefuseLaterTriggers(env.main, table, spec, names);
  const std::string condition = resolved.where.empty() ? "true" : resolved.where;
  Nature nature = co_await NatureOf(env.main, table, spec, resolved, condition);
  nature.users_code |= resolved.calls_user_functions;
  const std::string settings = SettingsOf(spec, nature.users_code, false);
  const Horizons horizons = co_await ReadHorizons(env.main, table, spec);

  co_await state::RecordArtefact(env.main, FunctionArtefact(env.run.id, names));
  co_await state::RecordArtefact(env.main, TriggerArtefact(env.run.id, names, table));
  async::FailPoint("trigger-in-ledger");

  Beginning beginning;
  lock::Work work;
  work.lock.emplace();
  work.lock->tables.push_back(*sql::ParseQualifiedName(table.name));
  work.lock->mode = locks::LockMode::kShareRowExclusive;
  auto make = [&]() -> Task<> {
    beginning = co_await ReadBeginning(env.main, horizons, table);
    beginning.mark = tag;
    co_await guard::CheckLease(env.main, env.lease);
    const std::string body = FunctionBody(beginning, resolved, spec, generated);
    co_await CreateTrigger(env.main, names, table, settings, body, When(beginning));
    co_await RecordFiles(env.main, env.run.id, table.oid);
    Spec begun = spec;
    begun.beginning = beginning;
    state::Step settled = step;
    settled.spec["settled"] = ToJson(begun);
    co_await state::RecordSpec(env.main, env.lease, settled);
  };
  work.record = make;
  const auto tell = [&env, &table](const lock::LadderReport& report) {
    env.progress.note =
        fmt::format("waiting for a lock on {}, {} so far{}", table.name,
                    lock::HumanAttempts(report.attempts), lock::WhoIsInTheWay(report));
  };
  const lock::LadderOptions options = run::LadderOf(env.run);
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, env.stopper, tell);
  env.progress.note.clear();
  async::FailPoint("trigger-made");
  ThrowUnlessDone(outcome, table, env.run.id);
  co_return beginning;
}

Task<> ExpectSameCluster(Session& session, const Beginning& beginning, std::string run) {
  const pg::Result row =
      co_await session.db().Query("SELECT system_identifier::text FROM pg_control_system()");
  if (row.Get<std::string>(0, 0) == beginning.system) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("run {} began on another cluster: by what this one has been filled "
                            "with, the rows that its UPDATE has done cannot be told from the "
                            "others. What the run made goes with: pgalter cleanup",
                            run));
}

pg::Statement IsIntact(const Beginning& beginning, pg::Oid table, pg::Oid leaf) {
  const Names names(beginning.mark);
  // As they were made: what somebody has switched off and on again is of another transaction than
  // what it depends on, and what somebody has made anew than the beginning.
  return {
      "SELECT $1 = $6::oid OR EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors($1) WHERE "
      "relid = $6),"
      " EXISTS (SELECT FROM pg_catalog.pg_trigger t"
      " JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid"
      " WHERE t.tgrelid = $1 AND t.tgname = $2 AND t.tgenabled = 'A'"
      "  AND p.xmin::text = $3 AND p.oid = pg_catalog.to_regproc($4)"
      "  AND t.xmin = (SELECT d.xmin FROM pg_catalog.pg_depend d"
      "    WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND d.objid = t.oid"
      "    AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass LIMIT 1)"
      "  AND (t.tgparentid <> 0 OR t.xmin = p.xmin)),"
      " pg_catalog.pg_current_xact_id() < $5::pg_catalog.xid8",
      pg::Params::Of(leaf, names.bare, fmt::format("{}", beginning.xid % kXids), names.function,
                     fmt::format("{}", LastMoment(beginning)), table)};
}

bool IsLeafStill(const pg::Result& answer) { return answer.Get<bool>(0, 0); }

std::string WhyNotIntact(const pg::Result& answer, const Leaf& leaf, const std::string& run) {
  if (!answer.Get<bool>(0, 1))
    return fmt::format(
        "the trigger that tells run {} which rows of {} users have changed meanwhile was switched "
        "off, changed or dropped by somebody else: rows may have missed the UPDATE since, or would "
        "get it twice. What is done stays, and what is left only your own condition can tell. "
        "The trigger goes with: pgalter cleanup",
        run, leaf.relation.name);
  if (!answer.Get<bool>(0, 2))
    return fmt::format(
        "run {} has lasted for so many transactions that old rows of {} cannot be told from new "
        "ones any more. What is done stays. The trigger goes with: pgalter cleanup",
        run, leaf.relation.name);
  return "";
}

Task<> ExpectOldVersions(Session& session, const Beginning& beginning, const Leaf& leaf,
                         std::string run) {
  if (!async::SafeguardOn("once-copied")) co_return;
  const pg::Result found = co_await session.db().Query(fmt::format(
      "SELECT EXISTS (SELECT FROM ONLY {0} WHERE {1}) OR NOT EXISTS (SELECT FROM ONLY {0})",
      leaf.relation.name, Undone(beginning, "xmin")));
  if (found.Get<bool>(0, 0)) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("{} was copied into another file meanwhile, as ALTER TABLE and others do it that "
                  "write every row anew: the rows that run {} has not changed yet, if there are "
                  "any, cannot be told from the others any more. What is done stays. The trigger "
                  "goes with: pgalter cleanup",
                  leaf.relation.name, run));
}

}  // namespace pgalter::backfill
