#include "engine/pg/pooler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/guard/session.h"
#include "engine/guard/transaction.h"
#include "engine/pg/kept_plans.h"
#include "tests/support/pg_connection.h"
#include "tests/support/pgbouncer.h"

namespace pgalter::guard {
namespace {

using pg::Pooling;
using test::ErrorOf;
using test::FreshDatabase;
using test::PgBouncer;
using test::PgBouncerOptions;
using test::RunTask;
using testing::HasSubstr;

class PoolerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!PgBouncer::Installed()) GTEST_SKIP() << "needs Debian's package pgbouncer";
  }

  Pooling Detect(const std::string& dsn) {
    auto scenario = [&]() -> Task<Pooling> {
      const pg::ConnectOptions options = test::ConnectTo(dsn);
      pg::Connection db = co_await pg::Connection::Connect(options);
      const Pooling pooling = co_await pg::DetectPooling(db, options);
      co_return pooling;
    };
    return RunTask(scenario());
  }
  static SessionOptions Through(const std::string& dsn) {
    SessionOptions options;
    options.connect = test::ConnectTo(dsn);
    return options;
  }

  FreshDatabase database_;
};

TEST_F(PoolerTest, DirectConnectionIsNoPool) {
  EXPECT_EQ(Detect(database_.conninfo()), Pooling::kNone);
  EXPECT_EQ(Detect(database_.tcp_conninfo()), Pooling::kNone);
}

TEST_F(PoolerTest, SessionModeIsSeenWhateverThePoolSize) {
  for (const int size : {10, 1}) {
    PgBouncerOptions options;
    options.pool_mode = "session";
    options.pool_size = size;
    const PgBouncer bouncer(database_.server(), options);
    EXPECT_EQ(Detect(bouncer.conninfo(database_.name())), Pooling::kSession) << size;
  }
}

TEST_F(PoolerTest, TransactionModeIsSeenWhateverThePoolSize) {
  for (const int size : {10, 1}) {
    PgBouncerOptions options;
    options.pool_size = size;
    const PgBouncer bouncer(database_.server(), options);
    EXPECT_EQ(Detect(bouncer.conninfo(database_.name())), Pooling::kTransaction) << size;
  }
}

TEST_F(PoolerTest, TransactionModeIsSeenWhereServersTakeTurns) {
  PgBouncerOptions options;
  options.round_robin = true;
  const PgBouncer bouncer(database_.server(), options);
  const std::string dsn = bouncer.conninfo(database_.name());
  // Two servers in the pool: each held by a transaction while the other is asked for.
  test::Session one(dsn);
  test::Session two(dsn);
  one.Exec("BEGIN");
  two.Exec("BEGIN");
  one.Exec("COMMIT");
  two.Exec("COMMIT");
  EXPECT_EQ(Detect(dsn), Pooling::kTransaction);
}

TEST_F(PoolerTest, SessionModeServesASession) {
  PgBouncerOptions options;
  options.pool_mode = "session";
  const PgBouncer bouncer(database_.server(), options);
  auto scenario = [&]() -> Task<> {
    Session session = co_await Session::Open(Through(bouncer.conninfo(database_.name())));
    EXPECT_EQ(session.pooling(), Pooling::kSession);
    EXPECT_NE(session.server_pid(), session.db().backend_pid());
    auto body = [&]() -> Task<std::string> {
      const pg::Result row = co_await session.db().Query("SHOW search_path");
      co_return row.Get<std::string>(0, 0);
    };
    const TransactionOptions transaction;
    const std::string path = co_await RunInTransaction(session, transaction, body);
    EXPECT_EQ(path, "pg_catalog");
  };
  RunTask(scenario());
}

TEST_F(PoolerTest, TransactionModeIsRefusedAndLeavesNoSettingsBehind) {
  PgBouncerOptions options;
  options.pool_size = 1;
  const PgBouncer bouncer(database_.server(), options);
  const std::string dsn = bouncer.conninfo(database_.name());
  auto scenario = [&]() -> Task<> {
    const auto error = co_await ErrorOf<pg::PgError>(Session::Open(Through(dsn)));
    EXPECT_EQ(error->sqlstate(), "0A000");
    EXPECT_THAT(error->what(), HasSubstr("transaction mode"));
    EXPECT_THAT(error->what(), HasSubstr("connect to the server itself"));
  };
  RunTask(scenario());
  // The one server session of the pool is a stranger's now.
  EXPECT_EQ(test::Session(dsn).Value("SHOW row_security"), "on");
  EXPECT_EQ(test::Session(dsn).Value("SHOW idle_in_transaction_session_timeout"), "0");
}

// Detection may be fooled (somebody else took our server connection at the wrong moment): every
// transaction looks again.
TEST_F(PoolerTest, SessionThatChangesUnderUsIsNoticedByTheNextTransaction) {
  PgBouncerOptions options;
  options.pool_mode = "session";
  const PgBouncer bouncer(database_.server(), options);
  const std::string dsn = bouncer.conninfo(database_.name());
  auto scenario = [&]() -> Task<> {
    Session session = co_await Session::Open(Through(dsn));
    // From here on the same pgbouncer pools by transaction.
    const PgBouncer changed(database_.server(), PgBouncerOptions());
    test::Session stranger(changed.conninfo(database_.name()));
    stranger.Exec("SELECT 1");
    session.db() =
        co_await pg::Connection::Connect(test::ConnectTo(changed.conninfo(database_.name())));
    bool entered = false;
    auto body = [&]() -> Task<> {
      entered = true;
      co_return;
    };
    const TransactionOptions transaction;
    const auto error = co_await ErrorOf<pg::PgError>(RunInTransaction(session, transaction, body));
    EXPECT_EQ(error->sqlstate(), "0A000");
    EXPECT_THAT(error->what(), HasSubstr("the session changed from backend"));
    EXPECT_FALSE(entered);
    EXPECT_FALSE(session.db().in_transaction());
  };
  RunTask(scenario());
}

// What another connection has prepared is still there, under its name.
TEST_F(PoolerTest, PlansAreKeptInASessionThatIsHandedOnAsItWas) {
  PgBouncerOptions options;
  options.pool_mode = "session";
  options.pool_size = 1;
  options.reset_query = "";
  const PgBouncer bouncer(database_.server(), options);
  const std::string dsn = bouncer.conninfo(database_.name());
  auto use = [&]() -> Task<int> {
    const pg::ConnectOptions connect = test::ConnectTo(dsn);
    pg::Connection db = co_await pg::Connection::Connect(connect);
    const pg::KeptPlans plans(db);
    const pg::Result one = co_await db.Query("SELECT $1::int4 + 1", 1);
    EXPECT_EQ(one.Get<int>(0, 0), 2);
    std::vector<pg::Statement> statements;
    statements.push_back({"SELECT $1::int4 + 2", pg::Params::Of(1)});
    statements.push_back({"SELECT $1::int4 + 3", pg::Params::Of(1)});
    const std::vector<pg::Result> more = co_await db.Pipeline(std::move(statements));
    EXPECT_EQ(more.at(1).Get<int>(0, 0), 4);
    const pg::Result row = co_await db.Query(
        "SELECT pg_backend_pid(), (SELECT count(*)::int4 FROM pg_prepared_statements)");
    EXPECT_GE(row.Get<int>(0, 1), 3);
    co_return row.Get<int>(0, 0);
  };
  const int first = RunTask(use());
  EXPECT_EQ(RunTask(use()), first);
  EXPECT_EQ(RunTask(use()), first);
}

// A cancel goes through the pooler to the server, and hits nobody else.
TEST_F(PoolerTest, CancelReachesTheServerThroughThePooler) {
  PgBouncerOptions options;
  options.pool_mode = "session";
  const PgBouncer bouncer(database_.server(), options);
  auto scenario = [&]() -> Task<> {
    Session session = co_await Session::Open(Through(bouncer.conninfo(database_.name())));
    session.db().set_query_deadline(std::chrono::milliseconds(200));
    const auto error =
        co_await ErrorOf<pg::QueryTimeout>(session.db().Query("SELECT pg_catalog.pg_sleep(60)"));
    EXPECT_EQ(error->sqlstate(), "57014");
    EXPECT_TRUE(session.open());
    session.db().set_query_deadline(std::chrono::seconds(10));
    const pg::Result row = co_await session.db().Query("SELECT 1");
    EXPECT_EQ(row.Get<int>(0, 0), 1);
  };
  RunTask(scenario());
}

}  // namespace
}  // namespace pgalter::guard
