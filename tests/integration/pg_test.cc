#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <malloc.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "engine/pg/quote.h"
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
using namespace std::string_literals;

std::size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class PgTest : public testing::Test {
 protected:
  FreshDatabase database_;
};

TEST_F(PgTest, ReadsEverySupportedTypeAsTextAndAsBinary) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const std::string sql =
        "SELECT true, false, (-32768)::int2, (-2147483648)::int4, (-9223372036854775808)::int8,"
        " 4294967295::oid, 1.5::float4, 'Infinity'::float8, 0.1::float8, 'grüße'::text";
    for (const Format format : {Format::kText, Format::kBinary}) {
      const Params none;
      const Result row = co_await db.QueryParams(sql, none, format);
      EXPECT_EQ(row.IsBinary(0), format == Format::kBinary);
      EXPECT_TRUE(row.Get<bool>(0, 0));
      EXPECT_FALSE(row.Get<bool>(0, 1));
      EXPECT_EQ(row.Get<std::int16_t>(0, 2), -32768);
      EXPECT_EQ(row.Get<std::int32_t>(0, 3), std::numeric_limits<std::int32_t>::min());
      EXPECT_EQ(row.Get<std::int64_t>(0, 4), std::numeric_limits<std::int64_t>::min());
      EXPECT_EQ(row.Get<std::int64_t>(0, 3), std::numeric_limits<std::int32_t>::min());
      EXPECT_EQ(row.Get<std::uint32_t>(0, 5), 4294967295U);
      EXPECT_EQ(row.Get<double>(0, 6), 1.5);
      EXPECT_EQ(row.Get<double>(0, 7), std::numeric_limits<double>::infinity());
      EXPECT_EQ(row.Get<double>(0, 8), 0.1);
      EXPECT_EQ(row.Get<std::string>(0, 9), "grüße");
      // What does not fit is refused, never cut.
      EXPECT_THROW(row.Get<std::int16_t>(0, 3), std::logic_error);
      EXPECT_THROW(row.Get<std::int32_t>(0, 4), std::logic_error);
      EXPECT_THROW(row.Get<bool>(0, 9), std::logic_error);
      EXPECT_THROW(row.Get<std::int32_t>(0, 9), std::logic_error);
      EXPECT_THROW(row.Get<double>(0, 9), std::logic_error);
      EXPECT_THROW(row.Get<bool>(1, 0), std::logic_error);
      EXPECT_THROW(row.Get<bool>(0, 10), std::logic_error);
    }
  };
  RunTask(scenario());
}

TEST_F(PgTest, SendsEverySupportedType) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const std::vector<std::string> words{"a", "", "NULL", "x,y", "q\"b\\s", "grüße", "{}"};
    const std::vector<std::int64_t> numbers{1, -2};
    const Result row = co_await db.Query(
        "SELECT $1::bool, $2::int8, $3::float8, $4::text, $5::text[] ="
        " ARRAY['a', '', 'NULL', 'x,y', E'q\"b\\\\s', 'grüße', '{}'],"
        " $6::int8[] = ARRAY[1, -2]::int8[], $7::int, $8::float8",
        true, std::numeric_limits<std::int64_t>::max(), 0.1, "it's"s, words, numbers, std::nullopt,
        std::nan(""));
    EXPECT_TRUE(row.Get<bool>(0, 0));
    EXPECT_EQ(row.Get<std::int64_t>(0, 1), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(row.Get<double>(0, 2), 0.1);
    EXPECT_EQ(row.Get<std::string>(0, 3), "it's");
    EXPECT_TRUE(row.Get<bool>(0, 4));
    EXPECT_TRUE(row.Get<bool>(0, 5));
    EXPECT_TRUE(row.IsNull(0, 6));
    EXPECT_EQ(row.Get<std::optional<std::int32_t>>(0, 6), std::nullopt);
    EXPECT_THROW(row.Get<std::int32_t>(0, 6), std::logic_error);
    EXPECT_TRUE(std::isnan(row.Get<double>(0, 7)));
    Params binary;
    binary.AddBinary(std::int64_t{-5});
    const Result echo = co_await db.QueryParams("SELECT $1", binary, Format::kText);
    EXPECT_EQ(echo.Get<std::int64_t>(0, 0), -5);
  };
  RunTask(scenario());
}

TEST_F(PgTest, RefusesANulInsteadOfCuttingTheText) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const std::string cut = "DELETE FROM t\0 WHERE false"s;
    auto in_statement = co_await ErrorOf<PgError>(db.Query(cut));
    EXPECT_EQ(in_statement->sqlstate(), "22021");
    auto in_parameter = co_await ErrorOf<PgError>(db.Query("SELECT $1::text", "a\0b"s));
    EXPECT_EQ(in_parameter->sqlstate(), "22021");
    auto in_script = co_await ErrorOf<PgError>(db.Execute(cut));
    EXPECT_EQ(in_script->sqlstate(), "22021");
    const Result usable = co_await db.Query("SELECT 1");
    EXPECT_EQ(usable.Get<int>(0, 0), 1);
  };
  RunTask(scenario());
}

TEST_F(PgTest, BigValuesGoBothWays) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    constexpr Oid kByteaOid = 17;
    std::string bytes(64 << 20, '\0');
    for (std::size_t i = 0; i < bytes.size(); i += 997) bytes[i] = static_cast<char>(i);
    Params params;
    params.AddBinary(bytes, kByteaOid);
    const Result row = co_await db.QueryParams("SELECT $1", params, Format::kBinary);
    EXPECT_TRUE(row.Bytes(0, 0) == bytes);
  };
  RunTask(scenario(), 120s);
}

TEST_F(PgTest, TellsTagAndRowsOfAStatement) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const Result created = co_await db.Query("CREATE TABLE t AS SELECT generate_series(1, 7) AS i");
    EXPECT_EQ(created.command_tag(), "SELECT 7");
    const Result updated = co_await db.Query("UPDATE t SET i = i + $1 WHERE i > 2", 1);
    EXPECT_EQ(updated.affected(), 5);
    EXPECT_EQ(updated.rows(), 0);
    const Result selected = co_await db.Query("SELECT i AS \"the i\" FROM t ORDER BY i");
    EXPECT_EQ(selected.rows(), 7);
    EXPECT_EQ(selected.ColumnName(0), "the i");
    const Result empty = co_await db.Query("");
    EXPECT_TRUE(empty.empty());
    EXPECT_GE(db.server_version(), 130000);
    EXPECT_EQ(db.database(), database_.name());
    EXPECT_EQ(db.user(), "postgres");
    EXPECT_EQ(db.ParameterStatus("client_encoding"), "UTF8");
    EXPECT_EQ(db.ParameterStatus("application_name"), "pgalter");
  };
  RunTask(scenario());
}

TEST_F(PgTest, StreamsAMillionRowsInBoundedMemory) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const auto before = ResidentBytes();
    std::int64_t sum = 0;
    int rows = 0;
    std::size_t peak = 0;
    const auto add = [&](const Result& row) {
      sum += row.Get<std::int64_t>(0, 0);
      if (++rows % 1000 == 0) peak = std::max(peak, ResidentBytes());
    };
    const Params none;
    co_await db.Stream("SELECT generate_series(1, 1000000)::int8, repeat('x', 100)", none, add);
    EXPECT_EQ(sum, 500000500000);
    EXPECT_EQ(rows, 1000000);
    EXPECT_LT(peak, before + (16 << 20));
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

TEST_F(PgTest, QuotingAgreesWithTheServerAndWithLibpq) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    PGconn* const libpq = PQconnectdb(database_.conninfo().c_str());
    PQsetClientEncoding(libpq, "UTF8");
    for (const std::string& text :
         {"plain"s, "Mixed Case"s, "a\"b"s, "\"\""s, "it's"s, "back\\slash"s, "\\'"s, "grüße"s,
          "line\nbreak"s, "'; DROP TABLE t; --"s, "\x01\x7f"s, "$1"s, "%s"s, "💣"s}) {
      SCOPED_TRACE(text);
      char* const identifier = PQescapeIdentifier(libpq, text.data(), text.size());
      char* const literal = PQescapeLiteral(libpq, text.data(), text.size());
      EXPECT_EQ(QuoteIdentifier(text), identifier);
      EXPECT_EQ(QuoteLiteral(text), literal);
      PQfreemem(identifier);
      PQfreemem(literal);
      const Result row =
          co_await db.Query("SELECT " + QuoteLiteral(text) + " AS " + QuoteIdentifier(text));
      EXPECT_EQ(row.Get<std::string>(0, 0), text);
      EXPECT_EQ(row.ColumnName(0), text);
    }
    PQfinish(libpq);
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
    ::malloc_trim(0);
    const auto before = ::mallinfo2().uordblks;
    co_await some(10000);
    EXPECT_LT(::mallinfo2().uordblks, before + (256 << 10));
  };
  RunTask(scenario(), 120s);
}

}  // namespace
}  // namespace pgalter::pg
