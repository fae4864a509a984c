// Statements and what comes back besides rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/async/deadline.h"
#include "engine/pg/kept_plans.h"
#include "tests/support/pg_connection.h"

namespace pgalter::pg {
namespace {

using test::ErrorOf;
using test::FreshDatabase;
using test::Open;
using test::RunTask;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

// What is allocated now. A sanitizer's allocator says 0: its leak check takes over there.
std::size_t HeapBytes() {
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

class PgTest : public testing::Test {
 protected:
  FreshDatabase database_;
};

TEST_F(PgTest, StreamsAMillionRowsInBoundedMemory) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto before = HeapBytes();
    std::int64_t sum = 0;
    int rows = 0;
    std::size_t peak = 0;
    const auto add = [&](const Result& row) {
      sum += row.Get<std::int64_t>(0, 0);
      if (++rows % 1000 == 0) peak = std::max(peak, HeapBytes());
    };
    const Params none;
    co_await db.Stream("SELECT generate_series(1, 1000000)::int8, repeat('x', 100)", none, add);
    EXPECT_EQ(sum, 500000500000);
    EXPECT_EQ(rows, 1000000);
    EXPECT_LE(peak, before + (1 << 20));
    const Result usable = co_await db.Query("SELECT 1");
    EXPECT_EQ(usable.Get<int>(0, 0), 1);
  };
  RunTask(scenario(), 120s);
}

TEST_F(PgTest, StreamPassesTheRowsBeforeAnErrorThenThrowsIt) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    int rows = 0;
    const auto count = [&](const Result&) { ++rows; };
    const Params none;
    const auto error = co_await ErrorOf<PgError>(
        db.Stream("SELECT 1 / (1000 - i) FROM generate_series(1, 2000) i", none, count));
    EXPECT_EQ(error->sqlstate(), "22012");
    EXPECT_EQ(rows, 999);
    const Result usable = co_await db.Query("SELECT 1");
    EXPECT_EQ(usable.Get<int>(0, 0), 1);
  };
  RunTask(scenario());
}

TEST_F(PgTest, SinkThatThrowsEndsTheStreamAndLeavesTheConnectionIdle) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto refuse = [](const Result&) { throw std::domain_error("enough"); };
    const Params none;
    const auto error = co_await ErrorOf<std::domain_error>(
        db.Stream("SELECT generate_series(1, 100000000)", none, refuse));
    EXPECT_STREQ(error->what(), "enough");
    const Result usable = co_await db.Query("SELECT 1");
    EXPECT_EQ(usable.Get<int>(0, 0), 1);
  };
  RunTask(scenario());
}

TEST_F(PgTest, ScriptGivesTheResultsOfAllStatements) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto results =
        co_await db.Execute("SELECT 1; CREATE TABLE t (i int); INSERT INTO t VALUES (1), (2)");
    EXPECT_EQ(results.size(), 3U);
    EXPECT_EQ(results.at(0).Get<int>(0, 0), 1);
    EXPECT_EQ(results.at(2).affected(), 2);
  };
  RunTask(scenario());
}

TEST_F(PgTest, ScriptIsOneTransactionThatAnErrorUndoes) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto error =
        co_await ErrorOf<PgError>(db.Execute("CREATE TABLE t (i int); SELECT 1/0; SELECT 2"));
    EXPECT_EQ(error->sqlstate(), "22012");
    EXPECT_FALSE(db.in_transaction());
    const Result gone = co_await db.Query("SELECT to_regclass('t') IS NULL");
    EXPECT_TRUE(gone.Get<bool>(0, 0));
  };
  RunTask(scenario());
}

TEST_F(PgTest, PipelineGivesTheResultsInOrder) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    std::vector<Statement> statements;
    for (int i = 0; i < 500; ++i) statements.push_back({"SELECT $1::int", Params::Of(i)});
    const auto results = co_await db.Pipeline(std::move(statements));
    EXPECT_EQ(results.size(), 500U);
    for (int i = 0; i < 500; ++i)
      EXPECT_EQ(results.at(static_cast<std::size_t>(i)).Get<int>(0, 0), i);
    const Result usable = co_await db.Query("SELECT 1");
    EXPECT_EQ(usable.Get<int>(0, 0), 1);
    const auto none = co_await db.Pipeline(std::vector<Statement>());
    EXPECT_TRUE(none.empty());
  };
  RunTask(scenario());
}

TEST_F(PgTest, ErrorInAPipelineSkipsTheRestAndLeavesTheConnectionIdle) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    co_await db.Query("CREATE TABLE t (i int)");
    for (int round = 0; round < 3; ++round) {
      std::vector<Statement> statements;
      statements.push_back({"INSERT INTO t VALUES (1)", {}});
      statements.push_back({"SELECT 1/0", {}});
      statements.push_back({"INSERT INTO t VALUES (2)", {}});
      const auto error = co_await ErrorOf<PgError>(db.Pipeline(std::move(statements)));
      EXPECT_EQ(error->sqlstate(), "22012");
      EXPECT_TRUE(db.open());
      EXPECT_FALSE(db.in_transaction());
      const Result count = co_await db.Query("SELECT count(*) FROM t");
      EXPECT_EQ(count.Get<std::int64_t>(0, 0), 0);
    }
  };
  RunTask(scenario());
}

TEST_F(PgTest, PlansAreKeptWhileThatIsAsked) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const std::string count = "SELECT count(*)::int4 FROM pg_prepared_statements";
    const std::string sum = "SELECT ($1::int8 + 1)::int8";
    {
      const KeptPlans plans(db);
      for (const std::int64_t one : {1, 2, 3}) {
        const Result row = co_await db.Query(sum, one);
        EXPECT_EQ(row.Get<std::int64_t>(0, 0), one + 1);
      }
      const Result text = co_await db.Query(sum, "4");
      EXPECT_EQ(text.Get<std::int64_t>(0, 0), 5);
      const auto error = co_await ErrorOf<PgError>(db.Query("SELECT 1 / $1::int8", 0));
      EXPECT_EQ(error->sqlstate(), "22012");
      const Result usable = co_await db.Query(sum, 5);
      EXPECT_EQ(usable.Get<std::int64_t>(0, 0), 6);
    }
    co_await db.Query("SELECT 1");
    const Result kept = co_await db.Query(count);
    EXPECT_EQ(kept.Get<int>(0, 0), 2);
    const Result again = co_await db.Query(count);
    EXPECT_EQ(again.Get<int>(0, 0), kept.Get<int>(0, 0));
  };
  RunTask(scenario(), 30s);
}

// The server may have it, or not: its name is taken in any case.
TEST_F(PgTest, AStatementWhosePreparationWasInterruptedIsPreparedAnew) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const KeptPlans plans(db);
    int interrupted = 0;
    for (int i = 0; i < 500 && interrupted < 5; ++i) {
      const std::string sql = "SELECT " + std::to_string(i);
      try {
        co_await async::WithDeadline(db.Query(sql), 0ms);
      } catch (const async::DeadlineExceeded&) {
        ++interrupted;
      }
      const Result row = co_await db.Query(sql);
      EXPECT_EQ(row.Get<int>(0, 0), i);
    }
    EXPECT_GT(interrupted, 0);
  };
  RunTask(scenario(), 60s);
}

// Where one of a pipeline fails, those before it are there without our knowing.
TEST_F(PgTest, PlansOfAPipelineAreKeptToo) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const Statement plus{"SELECT ($1::int8 + 1)::int8", Params::Of(1)};
    const Statement minus{"SELECT ($1::int8 - 1)::int8", Params::Of(1)};
    const Statement fails{"SELECT 1 / $1::int8", Params::Of(0)};
    const Statement plain{"SELECT 7", {}};
    const std::vector<Statement> failing{plus, fails, minus};
    const std::vector<Statement> several{minus, plain, plus, minus};
    {
      const KeptPlans plans(db);
      const auto error = co_await ErrorOf<PgError>(db.Pipeline(failing));
      EXPECT_EQ(error->sqlstate(), "22012");
      for (int time = 0; time < 2; ++time) {
        const auto results = co_await db.Pipeline(several);
        EXPECT_EQ(results.size(), 4U);
        EXPECT_EQ(results.at(0).Get<std::int64_t>(0, 0), 0);
        EXPECT_EQ(results.at(1).Get<int>(0, 0), 7);
        EXPECT_EQ(results.at(2).Get<std::int64_t>(0, 0), 2);
        EXPECT_EQ(results.at(3).Get<std::int64_t>(0, 0), 0);
      }
      const Result alone = co_await db.Query(plus.sql, 5);
      EXPECT_EQ(alone.Get<std::int64_t>(0, 0), 6);
    }
    // Of the one that failed, and of the one before it, besides.
    const Result kept = co_await db.Query("SELECT count(*)::int4 FROM pg_prepared_statements");
    EXPECT_EQ(kept.Get<int>(0, 0), 4);
  };
  RunTask(scenario(), 30s);
}

TEST_F(PgTest, HugePipelineFlowsWhileTheServerSends) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const std::string big(256 << 10, 'x');
    std::vector<Statement> statements;
    for (int i = 0; i < 200; ++i) statements.push_back({"SELECT $1::text", Params::Of(big)});
    const auto results = co_await db.Pipeline(std::move(statements));
    EXPECT_EQ(results.size(), 200U);
    EXPECT_EQ(results.back().Bytes(0, 0).size(), big.size());
  };
  RunTask(scenario(), 60s);
}

TEST_F(PgTest, HugeStatementFlowsWhileTheServerSends) {
  auto scenario = [&]() -> Task<> {
    std::size_t noticed = 0;
    ConnectOptions options = test::ConnectTo(database_.conninfo());
    options.on_notice = [&](const Notice& notice) { noticed += notice.message.size(); };
    Connection db = co_await Connection::Connect(std::move(options));
    // Both directions are full before the statement is read to its end.
    std::string script;
    for (int i = 0; i < 400; ++i)
      script += "DO $$ BEGIN RAISE NOTICE '%', repeat('n', 100000); END $$; SELECT '" +
                std::string(100000, 's') + "';";
    const auto results = co_await db.Execute(std::move(script));
    EXPECT_EQ(results.size(), 800U);
    EXPECT_EQ(noticed, 400U * 100000U);
  };
  RunTask(scenario(), 60s);
}

TEST_F(PgTest, NoticesReachTheirSinkAndItsErrorsNobody) {
  auto scenario = [&]() -> Task<> {
    std::vector<std::string> seen;
    ConnectOptions options = test::ConnectTo(database_.conninfo());
    options.on_notice = [&](const Notice& notice) {
      seen.push_back(notice.severity + " " + notice.sqlstate + " " + notice.message);
      throw std::runtime_error("sink");
    };
    Connection db = co_await Connection::Connect(std::move(options));
    co_await db.Query("DO $$ BEGIN RAISE WARNING 'one' USING ERRCODE = '01007'; END $$");
    EXPECT_THAT(seen, ElementsAre("WARNING 01007 one"));
  };
  RunTask(scenario());
}

TEST_F(PgTest, NotificationsArriveWhileWaitingAndWhileQuerying) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    test::Session other = database_.Connect();
    co_await db.Query("LISTEN news");
    other.Exec("NOTIFY news, 'one'; NOTIFY other, 'x'");
    other.Exec("NOTIFY news, 'two'");
    co_await db.Query("SELECT 1");
    for (const char* payload : {"one", "two"}) {
      const auto notification = co_await db.WaitNotification(10s);
      EXPECT_TRUE(notification.has_value());
      if (!notification) co_return;
      EXPECT_EQ(notification->channel, "news");
      EXPECT_EQ(notification->payload, payload);
      EXPECT_EQ(notification->backend_pid, other.backend_pid());
    }
    const auto none = co_await db.WaitNotification(20ms);
    EXPECT_FALSE(none.has_value());
    const Result usable = co_await db.Query("SELECT 1");
    EXPECT_EQ(usable.Get<int>(0, 0), 1);
  };
  RunTask(scenario());
}

TEST_F(PgTest, ErrorNamesObjectAndConstraintAndKeepsDetailToItself) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    co_await db.Query("CREATE TABLE users (mail text CONSTRAINT users_mail_key UNIQUE)");
    co_await db.Query("INSERT INTO users VALUES ('a@b.c')");
    const auto error =
        co_await ErrorOf<PgError>(db.Query("INSERT INTO users VALUES ($1)", "a@b.c"));
    EXPECT_EQ(error->sqlstate(), "23505");
    EXPECT_EQ(error->klass(), SqlstateClass::kData);
    EXPECT_EQ(error->fields().object, "public.users.users_mail_key");
    EXPECT_EQ(error->fields().statement, "INSERT INTO users VALUES ($1)");
    EXPECT_THAT(error->fields().detail, HasSubstr("a@b.c"));
    EXPECT_THAT(error->what(), Not(HasSubstr("a@b.c")));
    EXPECT_THAT(error->what(), HasSubstr("users_mail_key"));
  };
  RunTask(scenario());
}

TEST_F(PgTest, MisuseIsALogicErrorAndSendsNothing) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    Params many;
    for (int i = 0; i < 70000; ++i) many.Add(i);
    co_await ErrorOf<std::logic_error>(db.QueryParams("SELECT 1", std::move(many), Format::kText));
    const auto first = co_await test::Start(
        [](Connection& used) -> Task<> { co_await used.Query("SELECT pg_sleep(0.2)"); }(db));
    co_await ErrorOf<std::logic_error>(db.Query("SELECT 1"));
    co_await test::Until([&] { return first->ended; });
    EXPECT_FALSE(first->error);
    const Result usable = co_await db.Query("SELECT 1");
    EXPECT_EQ(usable.Get<int>(0, 0), 1);
    db.Close();
    const auto closed = co_await ErrorOf<PgError>(db.Query("SELECT 1"));
    EXPECT_EQ(closed->sqlstate(), "08003");
  };
  RunTask(scenario());
}

TEST_F(PgTest, TenThousandQueriesLeaveNothingBehind) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    auto some = [&](int count) -> Task<> {
      for (int i = 0; i < count; ++i) {
        const Result row = co_await db.Query("SELECT $1::int, repeat('x', 1000)", i);
        if (row.Get<int>(0, 0) != i) throw std::logic_error("another row");
        if (i % 100 == 0) co_await ErrorOf<PgError>(db.Query("SELECT 1/0"));
      }
    };
    co_await some(1000);
    const auto before = HeapBytes();
    co_await some(10000);
    EXPECT_LE(HeapBytes(), before + (256 << 10));
  };
  RunTask(scenario(), 120s);
}

}  // namespace
}  // namespace pgalter::pg
