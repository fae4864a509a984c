// Values on their way to the server and back.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "planner/sql/identifier.h"
#include "tests/support/pg_connection.h"

namespace pgalter::pg {
namespace {

using test::ErrorOf;
using test::FreshDatabase;
using test::Open;
using test::RunTask;
using namespace std::chrono_literals;
using namespace std::string_literals;

class PgValuesTest : public testing::Test {
 protected:
  FreshDatabase database_;
};

TEST_F(PgValuesTest, ReadsEverySupportedTypeAsTextAndAsBinary) {
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

TEST_F(PgValuesTest, SendsEverySupportedType) {
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

TEST_F(PgValuesTest, RefusesANulInsteadOfCuttingTheText) {
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

TEST_F(PgValuesTest, BigValuesGoBothWays) {
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

TEST_F(PgValuesTest, TellsTagAndRowsOfAStatement) {
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

TEST_F(PgValuesTest, QuotedNamesAndLiteralsComeBackAsTheyWere) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    for (const std::string& text :
         {"plain"s, "Mixed Case"s, "a\"b"s, "\"\""s, "it's"s, "back\\slash"s, "\\'"s, "grüße"s,
          "line\nbreak"s, "'; DROP TABLE t; --"s, "\x01\x7f"s, "$1"s, "%s"s, "💣"s}) {
      SCOPED_TRACE(text);
      const Result row = co_await db.Query("SELECT " + sql::QuoteLiteral(text) + " AS " +
                                           sql::QuoteIdentifier(text));
      EXPECT_EQ(row.Get<std::string>(0, 0), text);
      EXPECT_EQ(row.ColumnName(0), text);
    }
  };
  RunTask(scenario());
}

}  // namespace
}  // namespace pgalter::pg
