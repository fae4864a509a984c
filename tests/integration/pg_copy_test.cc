#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "tests/support/pg_connection.h"

namespace pgalter::pg {
namespace {

using test::ErrorOf;
using test::FreshDatabase;
using test::Open;
using test::RunTask;
using test::Start;
using test::Until;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class PgCopyTest : public testing::Test {
 protected:
  PgCopyTest() { database_.Sql("CREATE TABLE t (i int PRIMARY KEY, pad text)"); }

  // Lines "i <tab> pad" for 1 … count, a thousand a piece.
  static Connection::CopySource Lines(int count, int bad_at = 0) {
    return [next = 1, count, bad_at]() mutable -> std::optional<std::string> {
      if (next > count) return std::nullopt;
      std::string lines;
      for (int i = 0; i < 1000 && next <= count; ++i, ++next)
        lines += (next == bad_at ? "x" : "") + std::to_string(next) + "\t" + std::string(100, 'p') +
                 "\n";
      return lines;
    };
  }

  static Task<> ExpectUsable(Connection& db) {
    const Result row = co_await db.Query("SELECT 1");
    EXPECT_EQ(row.Get<int>(0, 0), 1);
    EXPECT_FALSE(db.in_transaction());
  }

  FreshDatabase database_;
};

TEST_F(PgCopyTest, CopiesALargeTableInAndOut) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto in = co_await db.CopyIn("COPY t FROM STDIN", Lines(300000));
    EXPECT_EQ(in, 300000);
    std::int64_t lines = 0;
    const auto count = [&](std::string_view chunk) {
      lines += std::count(chunk.begin(), chunk.end(), '\n');
    };
    const auto out = co_await db.CopyOut("COPY t TO STDOUT", count);
    EXPECT_EQ(out, 300000);
    EXPECT_EQ(lines, 300000);
    co_await ExpectUsable(db);
  };
  RunTask(scenario(), 120s);
}

TEST_F(PgCopyTest, CopiesNothing) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto in = co_await db.CopyIn("COPY t FROM STDIN", Lines(0));
    EXPECT_EQ(in, 0);
    const auto fail = [](std::string_view) { ADD_FAILURE() << "there is no row"; };
    const auto out = co_await db.CopyOut("COPY t TO STDOUT", fail);
    EXPECT_EQ(out, 0);
    co_await ExpectUsable(db);
  };
  RunTask(scenario());
}

TEST_F(PgCopyTest, ErrorMidwayUndoesAllAndLeavesTheConnectionIdle) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto error =
        co_await ErrorOf<PgError>(db.CopyIn("COPY t FROM STDIN", Lines(300000, 5000)));
    EXPECT_EQ(error->sqlstate(), "22P02");
    EXPECT_EQ(error->fields().statement, "COPY t FROM STDIN");
    co_await ExpectUsable(db);
    const Result count = co_await db.Query("SELECT count(*) FROM t");
    EXPECT_EQ(count.Get<std::int64_t>(0, 0), 0);
    const auto ignore = [](std::string_view) {};
    const auto out = co_await ErrorOf<PgError>(db.CopyOut(
        "COPY (SELECT 1 / (100000 - i) FROM generate_series(1, 200000) i) TO STDOUT", ignore));
    EXPECT_EQ(out->sqlstate(), "22012");
    co_await ExpectUsable(db);
  };
  RunTask(scenario(), 60s);
}

TEST_F(PgCopyTest, ErrorAtTheStartLeavesTheConnectionIdle) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto in = co_await ErrorOf<PgError>(db.CopyIn("COPY nosuch FROM STDIN", Lines(1)));
    EXPECT_EQ(in->sqlstate(), "42P01");
    co_await ExpectUsable(db);
    const auto ignore = [](std::string_view) {};
    const auto out = co_await ErrorOf<PgError>(db.CopyOut("COPY nosuch TO STDOUT", ignore));
    EXPECT_EQ(out->sqlstate(), "42P01");
    co_await ExpectUsable(db);
  };
  RunTask(scenario());
}

TEST_F(PgCopyTest, StatementThatIsNoCopyIsRefused) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto select = co_await ErrorOf<PgError>(db.CopyIn("SELECT 1", Lines(1)));
    EXPECT_EQ(select->sqlstate(), "42601");
    co_await ExpectUsable(db);
    const auto direction = co_await ErrorOf<PgError>(db.CopyIn("COPY t TO STDOUT", Lines(1)));
    EXPECT_EQ(direction->sqlstate(), "42601");
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

TEST_F(PgCopyTest, CopyThroughQueryIsRefusedAndClosesTheConnection) {
  auto scenario = [&]() -> Task<> {
    for (const char* sql : {"COPY t FROM STDIN", "COPY t TO STDOUT"}) {
      Connection db = co_await Open(database_);
      const auto error = co_await ErrorOf<PgError>(db.Query(sql));
      EXPECT_EQ(error->sqlstate(), "0A000");
      EXPECT_FALSE(db.open());
    }
  };
  RunTask(scenario());
}

TEST_F(PgCopyTest, CallbackThatThrowsClosesTheConnection) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto source = []() -> std::optional<std::string> { throw std::domain_error("source"); };
    co_await ErrorOf<std::domain_error>(db.CopyIn("COPY t FROM STDIN", source));
    EXPECT_FALSE(db.open());
    db = co_await Open(database_);
    const auto sink = [](std::string_view) { throw std::domain_error("sink"); };
    co_await ErrorOf<std::domain_error>(
        db.CopyOut("COPY (SELECT generate_series(1, 1000000)) TO STDOUT", sink));
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

TEST_F(PgCopyTest, DeadlineIsAQueryTimeoutAndClosesTheConnection) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    db.set_query_deadline(200ms);
    const auto ignore = [](std::string_view) {};
    const auto out =
        co_await ErrorOf<QueryTimeout>(db.CopyOut("COPY (SELECT pg_sleep(60)) TO STDOUT", ignore));
    EXPECT_EQ(out->klass(), SqlstateClass::kConnectionLost);
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

TEST_F(PgCopyTest, EndlessSourceLetsOthersRunAndMeetsTheDeadline) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    db.set_query_deadline(500ms);
    database_.Sql("CREATE TABLE heap (pad text)");
    const auto endless = [] { return std::optional<std::string>("x\n"); };
    const auto start = async::Clock::now();
    co_await ErrorOf<QueryTimeout>(db.CopyIn("COPY heap FROM STDIN", endless));
    EXPECT_LT(async::Clock::now() - start, 5s);
  };
  RunTask(scenario());
}

TEST_F(PgCopyTest, CancelledCopyClosesTheConnection) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const int pid = db.backend_pid();
    auto copy = [&]() -> Task<> {
      const auto ignore = [](std::string_view) {};
      co_await db.CopyOut("COPY (SELECT pg_sleep(60)) TO STDOUT", ignore);
    };
    const auto running = co_await Start(copy());
    co_await test::UntilRunning(database_, pid);
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_TRUE(test::IsAborted(running->error));
    EXPECT_FALSE(db.open());
  };
  RunTask(scenario());
}

}  // namespace
}  // namespace pgalter::pg
