#include "batcher/cutover/snapshot_guard.h"

#include <fmt/format.h>

#include "batcher/capture/flow.h"
#include "engine/async/fail_point.h"
#include "engine/async/stopper.h"
#include "planner/sql/identifier.h"

namespace pgalter::cutover {

namespace {

constexpr const char* kBody = R"sql(
BEGIN
  IF pg_visible_in_snapshot(TG_ARGV[0]::xid8, pg_current_snapshot()) THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'could not serialize access: the table was replaced after this transaction took its snapshot'
    USING ERRCODE = '40001', HINT = 'The transaction might succeed if retried.';
END
)sql";

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
  std::vector<std::string> statements;
  if (!async::SafeguardOn("snapshot-guard")) co_return statements;
  const pg::Result now = co_await session.db().Query(
      "SELECT pg_current_xact_id()::text, (clock_timestamp() + interval '1 minute')::text");
  statements.push_back(fmt::format(
      "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path "
      "= pg_catalog, pg_temp AS {}",
      guard.function, sql::QuoteLiteral(kBody)));
  statements.push_back(fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", guard.function));
  const auto add = [&](const std::string& name, const std::string& on) {
    statements.push_back(fmt::format(
        "CREATE TRIGGER {} BEFORE UPDATE OR DELETE ON {} FOR EACH STATEMENT WHEN "
        "(pg_catalog.current_setting('transaction_isolation') IN ('repeatable read', "
        "'serializable') AND pg_catalog.transaction_timestamp() < {}::timestamptz) EXECUTE "
        "FUNCTION {}({})",
        name, on, sql::QuoteLiteral(now.Get<std::string>(0, 1)), guard.function,
        sql::QuoteLiteral(now.Get<std::string>(0, 0))));
    statements.push_back(fmt::format("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", on, name));
  };
  add(guard.trigger, table);
  if (!async::SafeguardOn("snapshot-guard-of-partitions")) co_return statements;
  for (std::size_t i = 0; i < partitions.size(); ++i) add(guard.TriggerOf(i), partitions[i]);
  co_return statements;
}

async::Task<> AwaitOlderTransactions(guard::Session& session) {
  if (!async::SafeguardOn("snapshot-guard")) co_return;
  const pg::Result row = co_await session.db().Query("SELECT clock_timestamp()::text");
  const auto now = row.Get<std::string>(0, 0);
  async::Stopper never;  // a way back has no stop
  for (int second = 0; second < kLongestWait; ++second) {
    const pg::Result older = co_await session.db().Query(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL AND xact_start < "
        "$1::timestamptz AND application_name NOT LIKE 'pgalter%'",
        now);
    if (!older.Get<bool>(0, 0)) co_return;
    co_await never.SleepFor(std::chrono::seconds(1));
  }
}

async::Task<std::vector<std::string>> DropGuard(guard::Session& session, SnapshotGuard guard) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)"
      " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE t.tgfoid = to_regprocedure($1) ORDER BY t.oid",
      guard.function + "()");
  std::vector<std::string> statements;
  for (int i = 0; i < rows.rows(); ++i) statements.push_back(rows.Get<std::string>(i, 0));
  statements.push_back(fmt::format("DROP FUNCTION IF EXISTS {}()", guard.function));
  co_return statements;
}

}  // namespace pgalter::cutover
