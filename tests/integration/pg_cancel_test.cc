#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/async/deadline.h"
#include "tests/support/pg_connection.h"
#include "tests/support/scene.h"
#include "tests/support/tcp_proxy.h"

namespace pgalter::pg {
namespace {

using test::ErrorOf;
using test::FreshDatabase;
using test::IsAborted;
using test::Open;
using test::RunTask;
using test::Start;
using test::Until;
using testing::HasSubstr;
using namespace std::chrono_literals;

class PgCancelTest : public testing::Test {
 protected:
  static Task<> ExpectUsable(Connection& db) {
    EXPECT_TRUE(db.open());
    if (!db.open()) co_return;
    db.set_query_deadline(30s);
    const Result row = co_await db.Query("SELECT 1");
    EXPECT_EQ(row.Get<int>(0, 0), 1);
  }

  FreshDatabase database_;
};

TEST_F(PgCancelTest, DeadlineCancelsTheStatementAndTheNextOneRuns) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    db.set_query_deadline(100ms);
    const auto error = co_await ErrorOf<QueryTimeout>(db.Query("SELECT pg_sleep(60)"));
    EXPECT_EQ(error->sqlstate(), "57014");
    EXPECT_THAT(error->what(), HasSubstr("the statement was cancelled"));
    EXPECT_EQ(error->fields().statement, "SELECT pg_sleep(60)");
    db.set_query_deadline(30s);
    co_await ExpectUsable(db);
    const auto running = database_.Value(
        "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep.60'"
        " AND state = 'active' AND pid <> pg_backend_pid()");
    EXPECT_EQ(running, "0");
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, CancelFromOutsideIsTheServersErrorAndTheNextStatementRuns) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const int pid = db.backend_pid();
    std::optional<PgError> error;
    auto sleeping = [&]() -> Task<> {
      error = co_await ErrorOf<PgError>(db.Query("SELECT pg_sleep(60)"));
    };
    const auto running = co_await Start(sleeping());
    co_await test::UntilRunning(database_, pid);
    database_.Sql("SELECT pg_cancel_backend(" + std::to_string(pid) + ")");
    co_await Until([&] { return running->ended; });
    EXPECT_EQ(error->klass(), SqlstateClass::kCancelled);
    co_await ExpectUsable(db);
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, CancelledCoroutineCancelsOnTheServerAndTheNextStatementRuns) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const int pid = db.backend_pid();
    auto sleeping = [&]() -> Task<> { co_await db.Query("SELECT pg_sleep(60)"); };
    const auto running = co_await Start(sleeping());
    co_await test::UntilRunning(database_, pid);
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_TRUE(IsAborted(running->error));
    co_await ExpectUsable(db);
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, OuterDeadlineEndsTheStatementToo) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    co_await ErrorOf<async::DeadlineExceeded>(
        async::WithDeadline(db.Query("SELECT pg_sleep(60)"), 100ms));
    co_await ExpectUsable(db);
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, PipelineCanBeInterrupted) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    for (int round = 0; round < 3; ++round) {
      db.set_query_deadline(200ms);
      std::vector<Statement> statements;
      statements.push_back({"SELECT 1", {}});
      statements.push_back({"SELECT pg_sleep(60)", {}});
      statements.push_back({"SELECT 2", {}});
      const auto error = co_await ErrorOf<QueryTimeout>(db.Pipeline(std::move(statements)));
      EXPECT_EQ(error->sqlstate(), "57014");
      co_await ExpectUsable(db);
    }
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, StreamCanBeInterrupted) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    db.set_query_deadline(200ms);
    const auto ignore = [](const Result&) {};
    const Params none;
    co_await ErrorOf<QueryTimeout>(
        db.Stream("SELECT generate_series(1, 1000000000)", none, ignore));
    db.set_query_deadline(30s);
    co_await ExpectUsable(db);
  };
  RunTask(scenario());
}

// A request that is still on its way when the statement ends by itself would hit the next one.
TEST_F(PgCancelTest, LateCancelNeverHitsTheNextStatement) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    int late = 0;
    int timeouts = 0;
    for (int round = 0; round < 150; ++round) {
      db.set_query_deadline(10ms);
      std::exception_ptr failure;
      try {
        co_await db.Query("SELECT pg_sleep(0.0100 + $1::float8 / 100000)", round % 50 - 30);
      } catch (const QueryTimeout& error) {
        ++timeouts;
        const std::string text = error.what();
        if (text.find("ended before the cancel") != std::string::npos) ++late;
      }
      // Where this process stood still, the cancel's answer came too late: given up, and closed.
      if (!db.open()) {
        db = co_await Open(database_);
        continue;
      }
      db.set_query_deadline(30s);
      const Result row = co_await db.Query("SELECT 7 FROM pg_sleep(0.002)");
      EXPECT_EQ(row.Get<int>(0, 0), 7);
    }
    EXPECT_GT(timeouts, 0);
    RecordProperty("timeouts", timeouts);
    RecordProperty("late", late);
  };
  RunTask(scenario(), 120s);
}

// PQsocket stays readable and silent: only the deadline ends it.
TEST_F(PgCancelTest, FrozenBackendIsGivenUpAndTheConnectionClosed) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const pid_t backend = db.backend_pid();
    db.set_query_deadline(200ms);
    EXPECT_EQ(::kill(backend, SIGSTOP), 0);
    const auto error = co_await ErrorOf<QueryTimeout>(db.Query("SELECT 1"));
    ::kill(backend, SIGCONT);
    EXPECT_EQ(error->klass(), SqlstateClass::kConnectionLost);
    EXPECT_THAT(error->what(), HasSubstr("not known"));
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

// A cancel request into a silent network never comes back: whoever connects anew must not wait for
// it.
TEST_F(PgCancelTest, CancelRequestsIntoSilenceKeepNobodyWaiting) {
  ::setenv("PGALTER_LIMITS", "cancel-pause=20", 1);
  test::TcpProxy proxy(database_.server().port());
  auto scenario = [&]() -> Task<> {
    std::vector<Connection> connections;
    ConnectOptions options = test::ConnectTo(database_.tcp_conninfo());
    options.conninfo.Set("port", std::to_string(proxy.port()));
    options.query_deadline = 20ms;
    for (int i = 0; i < 8; ++i) connections.push_back(co_await Connection::Connect(options));
    proxy.Silence();
    for (Connection& db : connections) {
      const auto error = co_await ErrorOf<QueryTimeout>(db.Query("SELECT 1"));
      EXPECT_EQ(error->sqlstate(), "08006");
      EXPECT_FALSE(db.open());
    }
    Connection db = co_await Open(database_);
    co_await ExpectUsable(db);
  };
  RunTask(scenario(), 10s);
  ::unsetenv("PGALTER_LIMITS");
}

TEST_F(PgCancelTest, TerminatedBackendIsLostWithTheServersReason) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const int pid = db.backend_pid();
    std::optional<PgError> error;
    auto sleeping = [&]() -> Task<> {
      error = co_await ErrorOf<PgError>(db.Query("SELECT pg_sleep(60)"));
    };
    const auto running = co_await Start(sleeping());
    co_await test::UntilRunning(database_, pid);
    database_.Sql("SELECT pg_terminate_backend(" + std::to_string(pid) + ")");
    co_await Until([&] { return running->ended; });
    EXPECT_EQ(error->sqlstate(), "57P01");
    EXPECT_EQ(error->klass(), SqlstateClass::kConnectionLost);
    EXPECT_EQ(error->fields().statement, "SELECT pg_sleep(60)");
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, BackendTerminatedWhileIdleIsLostAtTheNextStatement) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    database_.Sql("SELECT pg_terminate_backend(" + std::to_string(db.backend_pid()) + ", 5000)");
    const auto error = co_await ErrorOf<PgError>(db.Query("SELECT 1"));
    EXPECT_EQ(error->klass(), SqlstateClass::kConnectionLost);
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, BackendKilledWhileListeningIsLost) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    co_await db.Query("LISTEN news");
    database_.Sql("SELECT pg_terminate_backend(" + std::to_string(db.backend_pid()) + ", 5000)");
    const auto error = co_await ErrorOf<PgError>(db.WaitNotification(10s));
    EXPECT_EQ(error->klass(), SqlstateClass::kConnectionLost);
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, ErrorBehindADroppedConnectionKeepsItsDetailToItself) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto error = co_await ErrorOf<PgError>(
        db.Execute("DO $$ BEGIN RAISE WARNING 'w' USING DETAIL = 'secret';"
                   " PERFORM pg_terminate_backend(pg_backend_pid()); END $$; SELECT pg_sleep(60)"));
    EXPECT_EQ(error->klass(), SqlstateClass::kConnectionLost);
    EXPECT_THAT(error->what(), testing::Not(HasSubstr("secret")));
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, ConnectionClosedByAnotherCoroutineEndsTheStatement) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const int pid = db.backend_pid();
    std::optional<PgError> error;
    auto sleeping = [&]() -> Task<> {
      error = co_await ErrorOf<PgError>(db.Query("SELECT pg_sleep(60)"));
    };
    const auto running = co_await Start(sleeping());
    co_await test::UntilRunning(database_, pid);
    db.Close();
    co_await Until([&] { return running->ended; });
    EXPECT_EQ(error->klass(), SqlstateClass::kConnectionLost);
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

TEST_F(PgCancelTest, ErrorOfTheServersWinsOverADeadlineThatPassedMeanwhile) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    db.set_query_deadline(200ms);
    // The row sink holds the only thread until both the error is there and the deadline is over.
    const auto hold = [](const Result&) { std::this_thread::sleep_for(400ms); };
    const Params none;
    const auto error = co_await ErrorOf<PgError>(
        db.Stream("SELECT 1 / (2 - i) FROM generate_series(1, 2) i", none, hold));
    EXPECT_EQ(error->sqlstate(), "22012");
    co_await ExpectUsable(db);
  };
  // The deadline may pass before the first row is there.
  test::PlayUntilRight(5, [&] { RunTask(scenario()); });
}

}  // namespace
}  // namespace pgalter::pg
