#include "batcher/cutover/snapshot_guard.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "batcher/capture/flow.h"
#include "engine/async/fail_point.h"
#include "engine/async/stopper.h"
#include "planner/sql/identifier.h"

namespace pgalter::cutover {

namespace {

constexpr std::string_view kAsleep = "BEGIN RETURN NULL; END";

// Whom it lets pass, and the transaction of the cut-over.
constexpr std::string_view kBody = R"sql(
BEGIN
  IF {} OR pg_visible_in_snapshot({}::xid8, pg_current_snapshot()) THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'could not serialize access: the table was replaced after this transaction took its snapshot'
    USING ERRCODE = '40001', HINT = 'The transaction might succeed if retried.';
END
)sql";

constexpr std::string_view kOldSnapshot =
    "pg_catalog.current_setting('transaction_isolation') IN ('repeatable read', 'serializable')";

// Of the cut-over.
struct Moment {
  std::string xid;
  std::string end;  // of the guard's minute
};

async::Task<Moment> ReadMoment(guard::Session& session) {
  const pg::Result now = co_await session.db().Query(
      "SELECT pg_current_xact_id()::text, (clock_timestamp() + interval '1 minute')::text");
  Moment moment;
  moment.xid = sql::QuoteLiteral(now.Get<std::string>(0, 0));
  moment.end = sql::QuoteLiteral(now.Get<std::string>(0, 1)) + "::timestamptz";
  co_return moment;
}

std::string MakeFunction(const SnapshotGuard& guard, std::string_view body) {
  return fmt::format(
      "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path "
      "= pg_catalog, pg_temp AS {}",
      guard.function, sql::QuoteLiteral(std::string(body)));
}

// Of the function, by a trigger.
struct Call {
  std::string condition;
  std::string argument;
};

std::vector<std::string> Make(const SnapshotGuard& guard, std::string_view body, const Call& call,
                              const std::string& table,
                              const std::vector<std::string>& partitions) {
  std::vector<std::string> statements{
      MakeFunction(guard, body),
      fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", guard.function)};
  const auto add = [&](const std::string& name, const std::string& on) {
    statements.push_back(
        fmt::format("CREATE TRIGGER {} BEFORE UPDATE OR DELETE ON {} FOR EACH STATEMENT WHEN ({}) "
                    "EXECUTE FUNCTION {}({})",
                    name, on, call.condition, guard.function, call.argument));
    statements.push_back(fmt::format("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", on, name));
  };
  add(guard.trigger, table);
  if (!async::SafeguardOn("snapshot-guard-of-partitions")) return statements;
  for (std::size_t i = 0; i < partitions.size(); ++i) add(guard.TriggerOf(i), partitions[i]);
  return statements;
}

constexpr int kLongestWait = 60;  // seconds

}  // namespace

SnapshotGuard GuardOf(const std::string& run, const std::string& schema, int number) {
  const std::string name = capture::NameOfFlow("snapshot_" + run.substr(0, 8), number);
  return {schema + "." + name, "pgalter_" + name};
}

std::string SnapshotGuard::TriggerOf(std::size_t partition) const {
  return fmt::format("{}_p{}", trigger, partition + 1);
}

async::Task<std::vector<std::string>> MakeGuard(guard::Session& session, SnapshotGuard guard,
                                                std::string table,
                                                std::vector<std::string> partitions) {
  if (!async::SafeguardOn("snapshot-guard")) co_return std::vector<std::string>();
  const Moment moment = co_await ReadMoment(session);
  Call call;
  call.condition =
      fmt::format("{} AND pg_catalog.transaction_timestamp() < {}", kOldSnapshot, moment.end);
  call.argument = moment.xid;
  const std::string body = fmt::format(kBody, "false", "TG_ARGV[0]");
  co_return Make(guard, body, call, table, partitions);
}

std::vector<std::string> MakeSleepingGuard(const SnapshotGuard& guard, const std::string& table,
                                           const std::vector<std::string>& partitions) {
  if (!async::SafeguardOn("snapshot-guard")) return {};
  const Call call{std::string(kOldSnapshot), ""};
  return Make(guard, kAsleep, call, table, partitions);
}

async::Task<bool> Sleeps(guard::Session& session, SnapshotGuard guard, std::string table,
                         std::vector<std::string> partitions) {
  if (!async::SafeguardOn("snapshot-guard")) co_return false;
  if (!async::SafeguardOn("snapshot-guard-of-partitions")) partitions.clear();
  std::vector<std::string> triggers;
  for (std::size_t i = 0; i < partitions.size(); ++i) triggers.push_back(guard.TriggerOf(i));
  partitions.push_back(std::move(table));
  triggers.push_back(guard.trigger);
  // Those that MakeGuard has made have an argument, and a moment in their condition.
  const pg::Result row = co_await session.db().Query(
      "SELECT NOT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS wanted (relation, name)"
      " WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = wanted.relation::regclass"
      "   AND t.tgname = wanted.name AND t.tgfoid = to_regprocedure($3) AND t.tgenabled = 'A'"
      "   AND t.tgnargs = 0))",
      partitions, triggers, guard.function + "()");
  co_return row.Get<bool>(0, 0);
}

async::Task<std::vector<std::string>> WakeGuard(guard::Session& session, SnapshotGuard guard) {
  const Moment moment = co_await ReadMoment(session);
  const std::string body =
      fmt::format(kBody, "transaction_timestamp() >= " + moment.end, moment.xid);
  std::vector<std::string> statements{MakeFunction(guard, body)};
  co_return statements;
}

async::Task<> AwaitOlderTransactions(guard::Session& session) {
  if (!async::SafeguardOn("snapshot-guard")) co_return;
  const pg::Result row =
      co_await session.db().Query("SELECT clock_timestamp()::text, pg_current_xact_id()::text");
  const auto now = row.Get<std::string>(0, 0);
  const auto xid = row.Get<std::string>(0, 1);
  async::Stopper never;  // a way back has no stop
  for (int second = 0; second < kLongestWait; ++second) {
    const pg::Result older = co_await session.db().Query(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL"
        // What a role without pg_read_all_stats learns of others' sessions.
        " AND (xact_start < $1::timestamptz OR xact_start IS NULL AND usesysid IS NOT NULL"
        "   AND age(backend_xmin) > age($2::xid8::xid))"
        " AND application_name NOT LIKE 'pgalter%'",
        now, xid);
    if (!older.Get<bool>(0, 0)) co_return;
    co_await never.SleepFor(std::chrono::seconds(1));
  }
}

async::Task<std::vector<std::string>> DropGuard(guard::Session& session, SnapshotGuard guard) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)"
      " FROM pg_depend d JOIN pg_trigger t ON t.oid = d.objid"  // no index of triggers has them
      " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = to_regprocedure($1)"
      " AND d.classid = 'pg_trigger'::regclass ORDER BY t.oid",
      guard.function + "()");
  std::vector<std::string> statements;
  for (int i = 0; i < rows.rows(); ++i) statements.push_back(rows.Get<std::string>(i, 0));
  statements.push_back(fmt::format("DROP FUNCTION IF EXISTS {}()", guard.function));
  co_return statements;
}

}  // namespace pgalter::cutover
