// Schema pgalter on a live server: installing, refusing, and a logical subscriber that goes on.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>

#include "engine/guard/transaction.h"
#include "engine/state/artefacts.h"
#include "engine/state/runs.h"
#include "engine/state/schema.h"
#include "engine/state/view.h"
#include "tests/support/postgres.h"
#include "tests/support/run_task.h"
#include "tests/support/session.h"

namespace pgalter::state {
namespace {

using ::testing::HasSubstr;

Task<Session> Open(std::string conninfo) {
  guard::SessionOptions options;
  options.connect.conninfo = pg::Conninfo::Parse(conninfo);
  co_return co_await Session::Open(std::move(options));
}

Task<Installation> InstallAt(std::string conninfo) {
  Session session = co_await Open(std::move(conninfo));
  co_return co_await Install(session);
}

TEST(Schema, InstallsOnceAndIsIdempotent) {
  const test::FreshDatabase database;
  const Installation first = test::RunTask(InstallAt(database.conninfo()));
  EXPECT_EQ(first.before, 0);
  EXPECT_GT(first.now, 0);
  const Installation second = test::RunTask(InstallAt(database.conninfo()));
  EXPECT_EQ(second.before, first.now);
}

TEST(Schema, EveryTableHasAPrimaryKey) {
  const test::FreshDatabase database;
  test::RunTask(InstallAt(database.conninfo()));
  EXPECT_EQ(database.Value("SELECT count(*) FROM pg_class c WHERE relnamespace ="
                           " 'pgalter'::regnamespace AND relkind = 'r' AND NOT EXISTS (SELECT FROM"
                           " pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)"),
            "0");
}

TEST(Schema, NothingIsGrantedToPublic) {
  const test::FreshDatabase database;
  test::RunTask(InstallAt(database.conninfo()));
  EXPECT_EQ(database.Value("SELECT count(*) FROM information_schema.table_privileges"
                           " WHERE table_schema = 'pgalter' AND grantee = 'PUBLIC'"),
            "0");
}

TEST(Schema, RefusesAPublicationForAllTablesAndWritesNothing) {
  const test::FreshDatabase database;
  database.Sql("CREATE PUBLICATION everything FOR ALL TABLES");
  try {
    test::RunTask(InstallAt(database.conninfo()));
    FAIL() << "was installed";
  } catch (const PublishedSchema& refused) {
    EXPECT_THAT(refused.what(), HasSubstr("everything"));
    EXPECT_THAT(refused.what(), HasSubstr("FOR TABLE"));
  }
  EXPECT_EQ(database.Value("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgalter'"), "0");
}

TEST(Schema, ALogicalSubscriberGoesOnWorking) {
  const test::FreshDatabase source;
  const test::FreshDatabase copy;
  for (const auto* database : {&source, &copy})
    database->Sql("CREATE TABLE users (id int PRIMARY KEY, name text)");
  source.Sql("CREATE PUBLICATION users_only FOR TABLE users");
  const std::string slot = copy.name() + "_slot";
  source.Sql("SELECT pg_create_logical_replication_slot('" + slot + "', 'pgoutput')");
  // Within one cluster the slot has to be there before the subscription.
  copy.Sql("CREATE SUBSCRIPTION s CONNECTION '" + source.conninfo() +
           "' PUBLICATION users_only WITH (create_slot = false, slot_name = '" + slot + "')");
  source.Sql("INSERT INTO users VALUES (1, 'before')");
  test::RunTask(InstallAt(source.conninfo()));
  source.Sql("INSERT INTO users VALUES (2, 'after')");
  copy.AwaitValue("SELECT count(*) FROM users", "2", std::chrono::seconds(30));
  copy.Sql("ALTER SUBSCRIPTION s DISABLE");
  copy.Sql("ALTER SUBSCRIPTION s SET (slot_name = NONE)");
  copy.Sql("DROP SUBSCRIPTION s");
}

Task<> TwoRunsOnOneTable(std::string conninfo) {
  Session session = co_await Open(std::move(conninfo));
  co_await Install(session);
  Run first;
  first.id = NewRunId();
  first.command = "backfill";
  first.target = "public.t";
  first.relid = 4711;
  first.phase = "starting";
  Run second = first;
  second.id = NewRunId();
  co_await CreateRun(session, first);
  bool refused = false;
  try {
    co_await CreateRun(session, second);
  } catch (const TableTaken& taken) {
    refused = true;
    EXPECT_THAT(taken.what(), HasSubstr(first.id));
  }
  EXPECT_TRUE(refused);
  const bool ended = co_await ChangeState(session, first.id, RunState::kRunning, RunState::kDone);
  EXPECT_TRUE(ended);
  const bool again = co_await ChangeState(session, first.id, RunState::kRunning, RunState::kDone);
  EXPECT_FALSE(again);
  co_await CreateRun(session, second);
}

TEST(Runs, OneATable) {
  const test::FreshDatabase database;
  test::RunTask(TwoRunsOnOneTable(database.conninfo()));
}

Task<> GuardATableAndThenItsPartition(std::string conninfo) {
  Session session = co_await Open(std::move(conninfo));
  co_await Install(session);
  Run run;
  run.id = NewRunId();
  run.command = "rebuild";
  run.target = "public.whole";
  co_await CreateRun(session, run);
  const std::vector<std::string> whole{"public.whole"};
  const std::vector<std::string> both{"public.part", "public.whole"};
  const std::vector<std::string> guard{"guard"};
  const std::vector<std::string> guards{"guard_1", "guard"};
  co_await RecordTriggers(session, run.id, guard, whole);
  co_await RecordTriggers(session, run.id, guards, both);
  const std::vector<Artefact> live = co_await LiveArtefacts(session, run.id);
  EXPECT_EQ(live.at(0).name, "guard");
  EXPECT_EQ(live.at(1).name, "guard_1");
}

// Whoever locks a partition first and then the whole waits for users who wait for him.
TEST(Artefacts, OneThatIsMadeAgainIsDroppedAsTheNewestIs) {
  const test::FreshDatabase database;
  database.Sql("CREATE TABLE whole (id int); CREATE TABLE part (id int)");
  test::RunTask(GuardATableAndThenItsPartition(database.conninfo()));
}

Task<guard::Lease> BeginFlow(std::string conninfo) {
  Session session = co_await Open(std::move(conninfo));
  co_await Install(session);
  Run run;
  run.id = NewRunId();
  run.command = "rebuild";
  run.target = "public.t";
  co_await CreateRun(session, run);
  co_await session.db().Query("CREATE SEQUENCE public.deadline");
  co_await session.db().Query(
      "INSERT INTO pgalter.flow (run, name, from_relid, to_relid, spec, deadline, unattended)"
      " VALUES ($1, 'forward', 1, 2, '{}', 'public.deadline', '1 hour')",
      run.id);
  co_return co_await guard::TakeLease(session, run.id, "test", std::chrono::seconds(10));
}

Task<> BeatOnce(std::string conninfo, guard::Lease lease) {
  Session session = co_await Open(std::move(conninfo));
  co_await Beat(session, lease, Pulse(), Sampling::kYes);
}

Task<std::size_t> CountLogEnds(std::string conninfo) {
  Session session = co_await Open(std::move(conninfo));
  const auto ends = co_await LogEnds(session, "");
  co_return ends.size();
}

// A run that ends drops the log and its deadline by one session, and beats by another.
TEST(Pulses, GoOnWhereADeadlineIsBeingDropped) {
  const test::FreshDatabase database;
  const guard::Lease lease = test::RunTask(BeginFlow(database.conninfo()));
  test::RunTask(BeatOnce(database.conninfo(), lease));
  EXPECT_EQ(test::RunTask(CountLogEnds(database.conninfo())), 1U);
  test::Session dropping(database.conninfo());
  dropping.Exec("BEGIN; DROP SEQUENCE public.deadline");
  auto beat = std::async(std::launch::async, [&] {
    test::RunTask(BeatOnce(database.conninfo(), lease), std::chrono::seconds(60));
  });
  auto ends = std::async(std::launch::async, [&] {
    return test::RunTask(CountLogEnds(database.conninfo()), std::chrono::seconds(60));
  });
  database.AwaitValue(
      "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database "
      "WHERE datname = current_database())",
      "2", std::chrono::seconds(30));
  dropping.Exec("COMMIT");
  EXPECT_NO_THROW(beat.get());
  EXPECT_NO_THROW(ends.get());
  EXPECT_EQ(database.Value("SELECT count(*) FROM pgalter.sample"), "2");
}

}  // namespace
}  // namespace pgalter::state
