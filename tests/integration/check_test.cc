// Every check speaks up on a real server for the reason that it is there for, and is silent
// without.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/check/checks.h"
#include "engine/check/find_target.h"
#include "engine/check/run_checks.h"
#include "tests/support/pg_connection.h"
#include "tests/support/pgbouncer.h"

namespace pgalter::check {
namespace {

using sandbox::Sandbox;
using test::FreshDatabase;
using test::PgBouncer;
using test::RunTask;
using test::SharedServer;
using ::testing::HasSubstr;
using ::testing::Not;

using Entries = std::vector<Entry>;

Task<Entries> AskAsync(std::string dsn, std::vector<WantedTable> wanted, CheckOptions options) {
  const pg::ConnectOptions where = test::ConnectTo(dsn);
  pg::Connection db = co_await pg::Connection::Connect(where);
  const pg::Pooling pooling = co_await pg::DetectPooling(db, where);
  const Lookup lookup = co_await FindTarget(db, wanted);
  Entries entries = co_await RunChecks(db, lookup.target, pooling, options);
  co_return entries;
}

Entries Ask(const std::string& dsn, const std::vector<WantedTable>& wanted = {},
            const CheckOptions& options = {}) {
  return RunTask(AskAsync(dsn, wanted, options));
}

// Answers of one check, as "severity: what"; one that is fine has none.
std::vector<std::string> Said(const Entries& entries, std::string_view id) {
  std::vector<std::string> said;
  for (const Entry& entry : entries)
    if (entry.check->id == id && entry.answer.what != entry.check->fine)
      said.push_back(fmt::format("{}: {}", Name(entry.answer.severity), entry.answer.what));
  return said;
}

std::string SaidOnce(const Entries& entries, std::string_view id) {
  const auto said = Said(entries, id);
  return said.size() == 1 ? said.front() : fmt::format("{} answers", said.size());
}

std::vector<WantedTable> Table(const std::string& name) { return {{name, {}}}; }

std::vector<WantedTable> TableUnder(const std::string& name, locks::LockMode lock) {
  return {{name, {lock, false, false}}};
}

// A role that may log in and nothing more.
std::string WeakConninfo(const FreshDatabase& db) {
  db.Sql("DO $$ BEGIN CREATE ROLE weak LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
  return db.conninfo() + " user=weak";
}

TEST(Checks, HaveNoBlockerOnAFreshServer) {
  const FreshDatabase db;
  for (const Entry& entry : Ask(db.conninfo()))
    EXPECT_LT(entry.answer.severity, Severity::kBlocker) << entry.check->id << entry.answer.what;
}

TEST(Checks, AreAllReadWithoutRights) {
  const FreshDatabase db;
  for (const Entry& entry : Ask(WeakConninfo(db)))
    EXPECT_THAT(entry.answer.what, Not(HasSubstr("could not be read"))) << entry.check->id;
}

TEST(Checks, TellWhatItMeansAndNotOnlyWhatIs) {
  const FreshDatabase db;
  for (const Entry& entry : Ask(WeakConninfo(db)))
    EXPECT_EQ(entry.answer.severity == Severity::kOk, entry.answer.meaning.empty())
        << entry.check->id;
}

TEST(Checks, RunAloneWhereOneIsAskedFor) {
  const FreshDatabase db;
  CheckOptions options;
  options.only = {"version"};
  const Entries entries = Ask(db.conninfo(), {}, options);
  ASSERT_FALSE(entries.empty());
  for (const Entry& entry : entries) EXPECT_EQ(entry.check->id, "version");
}

TEST(FindTargetTest, FindsPartitionsAndSaysWhatIsMissing) {
  const FreshDatabase db;
  db.Sql(
      "CREATE SCHEMA app; CREATE TABLE app.\"Order\" (id int) PARTITION BY RANGE (id);"
      "CREATE TABLE app.p1 PARTITION OF app.\"Order\" FOR VALUES FROM (1) TO (9)");
  auto find = [&]() -> Task<Lookup> {
    pg::Connection connection = co_await test::Open(db);
    const std::vector<WantedTable> wanted = {{"app.\"Order\"", {}}, {"nowhere", {}}};
    Lookup lookup = co_await FindTarget(connection, wanted);
    co_return lookup;
  };
  const Lookup lookup = RunTask(find());
  ASSERT_EQ(lookup.target.tables.size(), 2U);
  EXPECT_EQ(lookup.target.tables[0].name, "app.\"Order\"");
  EXPECT_TRUE(lookup.target.tables[0].named);
  EXPECT_EQ(lookup.target.tables[1].name, "app.p1");
  EXPECT_FALSE(lookup.target.tables[1].named);
  EXPECT_THAT(lookup.missing, ::testing::ElementsAre("nowhere"));
}

TEST(FindTargetTest, DoesNotWaitForALockedTable) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t AS SELECT generate_series(1, 10000) AS i; ANALYZE t");
  test::Session holder = db.Connect();
  holder.Exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  const Entries entries = Ask(db.conninfo(), TableUnder("t", locks::LockMode::kAccessExclusive));
  EXPECT_THAT(SaidOnce(entries, "change"), HasSubstr("on public.t ("));
  EXPECT_THAT(SaidOnce(entries, "change"), Not(HasSubstr("(0 bytes)")));
}

TEST(Rights, ATableOfAnotherOwnerIsABlocker) {
  const FreshDatabase db;
  const std::string weak = WeakConninfo(db);
  db.Sql(
      "CREATE TABLE parent (id int PRIMARY KEY);"
      "CREATE TABLE t (id int REFERENCES parent); CREATE VIEW v AS SELECT id FROM t;"
      "ALTER TABLE t OWNER TO weak");
  EXPECT_EQ(SaidOnce(Ask(weak, Table("parent")), "owner"),
            "blocker: public.parent belongs to postgres");
  EXPECT_THAT(Said(Ask(weak, Table("t")), "owner"),
              ::testing::ElementsAre("warning: public.parent belongs to postgres",
                                     "warning: public.v belongs to postgres"));
}

TEST(Rights, MissingCreateOnTheSchemaIsAWarningWithTheGrant) {
  const FreshDatabase db;
  const std::string weak = WeakConninfo(db);
  db.Sql(
      "CREATE SCHEMA \"Our app\"; CREATE TABLE \"Our app\".t (id int);"
      "ALTER TABLE \"Our app\".t OWNER TO weak; GRANT USAGE ON SCHEMA \"Our app\" TO weak");
  EXPECT_EQ(SaidOnce(Ask(weak), "schema-create"), "note: no CREATE on schema \"Our app\"");
  EXPECT_EQ(SaidOnce(Ask(weak, Table("\"Our app\".t")), "schema-create"),
            "warning: no CREATE on schema \"Our app\"");
  db.Sql("GRANT CREATE ON SCHEMA \"Our app\" TO weak");
  EXPECT_THAT(Said(Ask(weak, Table("\"Our app\".t")), "schema-create"), ::testing::IsEmpty());
}

TEST(Rights, MissingCreateOnTheDatabaseIsABlockerOfTheRole) {
  const FreshDatabase db;
  const Entries entries = Ask(WeakConninfo(db));
  EXPECT_THAT(SaidOnce(entries, "own-schema"), HasSubstr("blocker: no CREATE on database"));
  EXPECT_THAT(SaidOnce(entries, "monitor-right"), HasSubstr("warning: "));
  EXPECT_THAT(SaidOnce(entries, "signal-right"), HasSubstr("note: "));
  for (const Entry& entry : entries)
    EXPECT_EQ(entry.answer.cause == Cause::kRightOrServer, entry.check->id == "own-schema");
}

TEST(Rights, RowSecurityThatHidesRowsIsABlocker) {
  const FreshDatabase db;
  const std::string weak = WeakConninfo(db);
  db.Sql(
      "CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t OWNER TO "
      "weak");
  EXPECT_TRUE(Said(Ask(weak, Table("t")), "row-security").empty());
  db.Sql("ALTER TABLE t FORCE ROW LEVEL SECURITY");
  EXPECT_THAT(SaidOnce(Ask(weak, Table("t")), "row-security"), HasSubstr("blocker: public.t"));
  EXPECT_TRUE(Said(Ask(db.conninfo(), Table("t")), "row-security").empty());
}

TEST(Publications, ThatSendEverythingAreABlocker) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int); CREATE PUBLICATION one FOR TABLE t");
  Entries entries = Ask(db.conninfo(), Table("t"));
  EXPECT_EQ(SaidOnce(entries, "publications"), "note: publication one sends public.t");
  EXPECT_THAT(SaidOnce(entries, "replica-identity"), HasSubstr("warning: public.t"));
  db.Sql("ALTER TABLE t ADD PRIMARY KEY (id); CREATE PUBLICATION everything FOR ALL TABLES");
  entries = Ask(db.conninfo());
  EXPECT_EQ(SaidOnce(entries, "publications"), "blocker: publication everything is FOR ALL TABLES");
  EXPECT_TRUE(Said(entries, "replica-identity").empty());
}

TEST(Subscriptions, AreToldOfTheTableThatTheyWrite) {
  const FreshDatabase publisher;
  const FreshDatabase subscriber;
  for (const FreshDatabase* db : {&publisher, &subscriber}) db->Sql("CREATE TABLE t (id int)");
  publisher.Sql("CREATE PUBLICATION p FOR TABLE t");
  const std::string slot = "check_" + subscriber.name();
  publisher.Sql(fmt::format("SELECT pg_create_logical_replication_slot('{}', 'pgoutput')", slot));
  subscriber.Sql(
      fmt::format("CREATE SUBSCRIPTION s CONNECTION '{}' PUBLICATION p WITH"
                  " (create_slot = false, slot_name = '{}', enabled = false)",
                  publisher.conninfo(), slot));
  EXPECT_EQ(SaidOnce(Ask(subscriber.conninfo(), Table("t")), "subscriptions"),
            "note: subscription s writes public.t");
  EXPECT_THAT(SaidOnce(Ask(publisher.conninfo()), "replication-slots"),
              HasSubstr("warning: logical slot " + slot + ", which nobody reads"));
  subscriber.Sql("ALTER SUBSCRIPTION s SET (slot_name = NONE)");
  subscriber.Sql("DROP SUBSCRIPTION s");
}

TEST(Leftovers, InvalidIndexesAndNotValidConstraintsAreFound) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1);"
      "ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0) NOT VALID");
  EXPECT_THROW(db.Sql("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (id)"), test::SqlError);
  const Entries entries = Ask(db.conninfo());
  EXPECT_EQ(SaidOnce(entries, "invalid-indexes"),
            "warning: index public.broken on public.t is not valid");
  EXPECT_EQ(SaidOnce(entries, "not-valid-constraints"),
            "note: constraint positive on public.t is NOT VALID");
  db.Sql("CREATE TABLE other (id int)");
  EXPECT_TRUE(Said(Ask(db.conninfo(), Table("other")), "invalid-indexes").empty());
}

TEST(Sessions, OldAndPreparedTransactionsAreTold) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int)");
  test::Session old = db.Connect();
  old.Exec("BEGIN; SELECT txid_current()");
  test::Session preparing = db.Connect();
  preparing.Exec("BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'left behind'");
  CheckOptions options;
  options.old_transaction_s = 0;
  const Entries entries =
      Ask(db.conninfo(), TableUnder("t", locks::LockMode::kAccessExclusive), options);
  const auto told = Said(entries, "old-transactions");
  EXPECT_TRUE(std::ranges::any_of(told, [&](const std::string& text) {
    return text.starts_with(fmt::format("note: pid {} of", old.backend_pid()));
  })) << ::testing::PrintToString(told);
  EXPECT_THAT(Said(entries, "prepared-transactions"),
              ::testing::Contains(HasSubstr("prepared transaction 'left behind'")));
  EXPECT_THAT(SaidOnce(entries, "lock-queue"),
              HasSubstr("a prepared transaction holds ROW EXCLUSIVE on public.t"));
}

TEST(Sessions, ALockThatDoesNotConflictIsNotInTheWay) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int)");
  test::Session preparing = db.Connect();
  preparing.Exec("BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'harmless'");
  EXPECT_TRUE(Said(Ask(db.conninfo(), TableUnder("t", locks::LockMode::kShareUpdateExclusive)),
                   "lock-queue")
                  .empty());
}

TEST(Triggers, OfRowsAndOfDdlAreTold) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TABLE t (id int);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
      "CREATE TRIGGER audit BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
      "CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION e()");
  const Entries entries = Ask(db.conninfo(), Table("t"));
  EXPECT_EQ(SaidOnce(entries, "row-triggers"), "note: trigger audit on public.t runs public.f");
  EXPECT_EQ(SaidOnce(entries, "event-triggers"),
            "note: event trigger watcher runs public.e on ddl_command_end");
}

TEST(Tables, WithoutAutovacuumAreTold) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int) WITH (autovacuum_enabled = off)");
  EXPECT_EQ(SaidOnce(Ask(db.conninfo()), "autovacuum"), "note: autovacuum is off for public.t");
}

TEST(Connections, OfARoleAtItsLimitAreABlocker) {
  const FreshDatabase db;
  db.Sql(
      "DO $$ BEGIN CREATE ROLE narrow LOGIN CONNECTION LIMIT 3; EXCEPTION WHEN duplicate_object "
      "THEN NULL; END $$");
  EXPECT_THAT(SaidOnce(Ask(db.conninfo() + " user=narrow"), "connections"),
              HasSubstr("blocker: 2 connections are left of this role's limit"));
}

class CheckedPooler : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!PgBouncer::Installed()) GTEST_SKIP() << "needs Debian's package pgbouncer";
  }
};

TEST_F(CheckedPooler, InTransactionModeIsABlockerAndTheOthersAnswer) {
  const FreshDatabase db;
  const PgBouncer bouncer(db.server(), {});
  const Entries entries = Ask(bouncer.conninfo(db.name()));
  EXPECT_THAT(SaidOnce(entries, "pooler"),
              HasSubstr("blocker: a connection pooler in transaction"));
  for (const Entry& entry : entries)
    EXPECT_THAT(entry.answer.what, Not(HasSubstr("could not be read"))) << entry.check->id;
}

// What concerns the whole server has one of its own.
TEST(Server, TellsOfStandbysArchiveAndSettings) {
  sandbox::Options options = test::TestServerOptions();
  options.settings = {"archive_mode = on", "archive_command = 'false'", "autovacuum = off",
                      "deadlock_timeout = '200ms'", "max_wal_size = '64MB'"};
  Sandbox server = Sandbox::Start(options);
  sandbox::StandbyOptions follower;
  follower.name = "follower";
  follower.slot = "follower_slot";
  follower.settings = {"hot_standby_feedback = on", "wal_receiver_status_interval = '1s'"};
  const Sandbox standby = server.MakeStandby(follower);
  const FreshDatabase db(server);
  db.Sql("CREATE TABLE t (id int); SELECT pg_switch_wal()");
  db.AwaitValue("SELECT failed_count > 0 FROM pg_stat_archiver", "t", std::chrono::seconds(30));
  test::Session reader(standby.conninfo());
  reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  db.AwaitValue("SELECT xmin IS NOT NULL FROM pg_replication_slots", "t", std::chrono::seconds(30));

  const Entries entries = Ask(db.conninfo());
  EXPECT_THAT(SaidOnce(entries, "standbys"), HasSubstr("ok: standby follower (streaming)"));
  EXPECT_THAT(SaidOnce(entries, "archiver"), HasSubstr("warning: archiving fails on"));
  EXPECT_THAT(SaidOnce(entries, "standby-feedback"), HasSubstr("follower"));
  EXPECT_THAT(SaidOnce(entries, "replication-slots"), HasSubstr("physical slot follower_slot"));
  EXPECT_THAT(SaidOnce(entries, "autovacuum"), HasSubstr("warning: autovacuum is off"));
  EXPECT_THAT(SaidOnce(entries, "deadlock-timeout"), HasSubstr("200 ms"));
  EXPECT_THAT(Said(entries, "wal-settings"), ::testing::Contains(HasSubstr("max_wal_size is 64")));

  const Entries there = Ask(standby.conninfo());
  EXPECT_EQ(SaidOnce(there, "primary"), "blocker: the server is a standby");
  for (const Entry& entry : there)
    EXPECT_THAT(entry.answer.what, Not(HasSubstr("could not be read"))) << entry.check->id;

  test::Session admin(server.conninfo());
  admin.Exec("SET synchronous_commit = off");
  admin.Exec("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  admin.Exec("SELECT pg_reload_conf()");
  db.AwaitValue("SHOW synchronous_standby_names", "nobody");
  EXPECT_THAT(SaidOnce(Ask(db.conninfo()), "synchronous-standby"), HasSubstr("blocker: "));
  admin.Exec("ALTER SYSTEM RESET synchronous_standby_names");
  admin.Exec("SELECT pg_reload_conf()");
  db.AwaitValue("SHOW synchronous_standby_names", "");
}

}  // namespace
}  // namespace pgalter::check
