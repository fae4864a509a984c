#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "engine/pg/connect_message.h"
#include "engine/pg/conninfo.h"
#include "engine/pg/error.h"
#include "engine/pg/named.h"
#include "engine/pg/params.h"
#include "engine/pg/reconnect_policy.h"

namespace pgalter::pg {
namespace {

using async::Milliseconds;
using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;
using testing::Not;

struct ClassCase {
  std::string_view sqlstate;
  SqlstateClass klass;
  bool reconnect;
};

class SqlstateTest : public testing::TestWithParam<ClassCase> {};

TEST_P(SqlstateTest, DecidesWhatMayBeDone) {
  const ClassCase& c = GetParam();
  EXPECT_EQ(sqlstate::Classify(c.sqlstate), c.klass);
  EXPECT_EQ(WorthReconnecting(c.klass), c.reconnect);
}

using enum SqlstateClass;
INSTANTIATE_TEST_SUITE_P(
    Table, SqlstateTest,
    testing::Values(
        ClassCase{"40001", kRetryable, false}, ClassCase{"40P01", kRetryable, false},
        ClassCase{"55P03", kLockNotAvailable, false}, ClassCase{"57014", kCancelled, false},
        ClassCase{"08000", kConnectionLost, true}, ClassCase{"08001", kConnectionLost, true},
        ClassCase{"08006", kConnectionLost, true}, ClassCase{"08007", kConnectionLost, true},
        ClassCase{"57P01", kConnectionLost, true}, ClassCase{"57P02", kConnectionLost, true},
        ClassCase{"57P03", kConnectionLost, true}, ClassCase{"57P05", kConnectionLost, true},
        ClassCase{"25P03", kConnectionLost, true}, ClassCase{"25P04", kConnectionLost, true},
        ClassCase{"25006", kConnectionLost, true}, ClassCase{"53300", kNoResource, true},
        ClassCase{"53100", kNoResource, true}, ClassCase{"42501", kNoRight, false},
        ClassCase{"28P01", kNoRight, false}, ClassCase{"28000", kNoRight, false},
        ClassCase{"22003", kData, false}, ClassCase{"23505", kData, false},
        ClassCase{"44000", kData, false}, ClassCase{"P0001", kData, false},
        ClassCase{"42P01", kPermanent, false}, ClassCase{"3D000", kPermanent, false},
        ClassCase{"57P04", kPermanent, false}, ClassCase{"25P02", kPermanent, false},
        ClassCase{"0A000", kPermanent, false}, ClassCase{"XX000", kPermanent, false},
        ClassCase{"", kPermanent, false}),
    [](const auto& test) {
      return test.param.sqlstate.empty() ? "None"s : std::string(test.param.sqlstate);
    });

std::string Literal(const Params& params) { return params.values().at(0).bytes.value_or("NULL"); }

TEST(ParamsTest, WritesEachTypeAsTheServerReadsIt) {
  EXPECT_EQ(Literal(Params::Of(true)), "t");
  EXPECT_EQ(Literal(Params::Of(false)), "f");
  EXPECT_EQ(Literal(Params::Of(std::numeric_limits<std::int64_t>::min())), "-9223372036854775808");
  EXPECT_EQ(Literal(Params::Of(std::uint32_t{4294967295U})), "4294967295");
  EXPECT_EQ(Literal(Params::Of(0.1)), "0.1");
  EXPECT_EQ(Literal(Params::Of(1e300)), "1e+300");
  EXPECT_EQ(Literal(Params::Of(std::numeric_limits<double>::infinity())), "inf");
  EXPECT_EQ(Literal(Params::Of("text")), "text");
  EXPECT_EQ(Literal(Params::Of(std::string("a'b\"c\\"))), "a'b\"c\\");
  EXPECT_EQ(Literal(Params::Of(std::optional<int>(3))), "3");
}

TEST(ParamsTest, NullIsNotEmptyText) {
  EXPECT_FALSE(Params::Of(std::nullopt).values().at(0).bytes.has_value());
  EXPECT_FALSE(Params::Of(std::optional<std::string>()).values().at(0).bytes.has_value());
  EXPECT_TRUE(Params::Of("").values().at(0).bytes.has_value());
}

TEST(ParamsTest, ArrayElementsAreQuoted) {
  EXPECT_EQ(Literal(Params::Of(std::vector<std::string>{})), "{}");
  EXPECT_EQ(Literal(Params::Of(std::vector<std::string>{"a", "", "NULL", "x,y", "q\"b\\s", "{}"})),
            R"({"a","","NULL","x,y","q\"b\\s","{}"})");
  EXPECT_EQ(Literal(Params::Of(std::vector<std::int64_t>{})), "{}");
  EXPECT_EQ(Literal(Params::Of(std::vector<std::int64_t>{-1, 2})), "{-1,2}");
}

TEST(ParamsTest, BinaryIntegerIsInNetworkByteOrder) {
  Params params;
  params.AddBinary(std::int64_t{-2});
  EXPECT_EQ(params.values()[0].bytes, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE"s);
  EXPECT_EQ(params.values()[0].type, 20U);
  EXPECT_EQ(params.values()[0].format, 1);
}

TEST(NamedTest, BindsEachNameOnceAndOnlyThoseOfTheText) {
  Named values;
  values.Add("table", "oid", std::uint32_t{7});
  values.Add("table_name", "text", "a");
  values.Add("oids", "int8[]", std::vector<std::int64_t>{1, 2});
  const Statement statement = values.Bind("SELECT :oids, 'x'::text WHERE oid=:table OR :oids");
  EXPECT_EQ(statement.sql, "SELECT $1::int8[], 'x'::text WHERE oid=$2::oid OR $1::int8[]");
  ASSERT_EQ(statement.params.values().size(), 2U);
  EXPECT_EQ(statement.params.values()[0].bytes, "{1,2}");
  EXPECT_EQ(statement.params.values()[1].bytes, "7");
  EXPECT_EQ(values.Bind(":table_name:").sql, "$1::text:");
  EXPECT_EQ(values.Bind("").sql, "");
}

TEST(NamedTest, ANameWithoutAValueIsAnError) {
  EXPECT_THROW((void)Named().Bind("SELECT :table"), std::logic_error);
}

TEST(ConninfoTest, ReadsKeywordsAndUris) {
  const Conninfo words = Conninfo::Parse("host=/run/pg port=5433 dbname='my db' user=me");
  EXPECT_EQ(words.Get("host"), "/run/pg");
  EXPECT_EQ(words.Get("dbname"), "my db");
  EXPECT_EQ(words.Get("password"), std::nullopt);
  const Conninfo uri = Conninfo::Parse(
      "postgresql://me:s%40crt@a:1,b:2/shop?target_session_attrs=read-write&connect_timeout=3");
  EXPECT_EQ(uri.Get("host"), "a,b");
  EXPECT_EQ(uri.Get("port"), "1,2");
  EXPECT_EQ(uri.Get("password"), "s@crt");
  EXPECT_EQ(uri.Get("target_session_attrs"), "read-write");
  EXPECT_TRUE(Conninfo::Parse("").keywords().empty());
}

TEST(ConninfoTest, DefaultsDoNotReplaceWhatWasGiven) {
  Conninfo conninfo = Conninfo::Parse("keepalives_idle=60");
  conninfo.SetDefault("keepalives_idle", "10");
  conninfo.SetDefault("keepalives_count", "3");
  conninfo.Set("application_name", "one");
  conninfo.Set("application_name", "two");
  EXPECT_EQ(conninfo.Get("keepalives_idle"), "60");
  EXPECT_EQ(conninfo.Get("keepalives_count"), "3");
  EXPECT_EQ(conninfo.Get("application_name"), "two");
}

TEST(ConninfoTest, ErrorsNeverQuoteThePassword) {
  for (const std::string& dsn :
       {"host=a password=geheim oops"s, "host=a password='geheim"s, "geheim"s, "nosuch=geheim"s,
        "postgresql://me:geheim@a:1/db?nosuch=1"s, "postgresql://me:geheim%zz@a/db"s,
        "postgresql://me:geheim@[::1/db"s, "host=a\0password=geheim"s}) {
    SCOPED_TRACE(dsn);
    try {
      Conninfo::Parse(dsn);
      ADD_FAILURE() << "not refused";
    } catch (const ConnectError& error) {
      EXPECT_EQ(error.sqlstate(), "08001");
      EXPECT_THAT(error.what(), Not(HasSubstr("geheim")));
    }
  }
}

TEST(ConninfoTest, RedactedHasNoSecretsAndCanBeReadAgain) {
  const Conninfo conninfo =
      Conninfo::Parse("host=a password=geheim sslpassword=auch dbname='a b' user=''");
  EXPECT_THAT(conninfo.Redacted(), Not(HasSubstr("geheim")));
  EXPECT_THAT(conninfo.Redacted(), Not(HasSubstr("auch")));
  const Conninfo odd = Conninfo::Parse(R"(host=a dbname='it\'s \\ a db' password=geheim)");
  EXPECT_EQ(odd.Get("dbname"), R"(it's \ a db)");
  EXPECT_EQ(Conninfo::Parse(odd.Redacted()).Get("dbname"), R"(it's \ a db)");
}

TEST(PgErrorTest, TextHasNoDetailAndNoStatement) {
  PgErrorFields fields;
  fields.sqlstate = "23505";
  fields.message = "duplicate key";
  fields.detail = "Key (mail)=(a@b.c) already exists.";
  fields.hint = "look";
  fields.object = "public.users.users_mail_key";
  fields.statement = "INSERT …";
  EXPECT_STREQ(PgError(fields).what(),
               "duplicate key (SQLSTATE 23505) on public.users.users_mail_key; hint: look");
}

TEST(ConnectMessageTest, TakesTheServersSqlstate) {
  const ConnectError error = ConnectFailure(
      "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"x\"\nDETAIL:  secret\nLOCATION:  auth_failed, auth.c:1\n",
      "");
  EXPECT_EQ(error.sqlstate(), "28P01");
  EXPECT_EQ(error.fields().message,
            "cannot connect: connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  "
            "password authentication failed for user \"x\"");
}

TEST(ConnectMessageTest, SeveralHostsHaveNoCommonSqlstate) {
  const std::string refused =
      "connection to server at \"a\", port 1 failed: Connection refused\n"
      "\tIs the server running on that host and accepting TCP/IP connections?\n";
  const std::string starting =
      "connection to server at \"b\", port 2 failed: FATAL:  57P03: wait\n";
  EXPECT_EQ(ConnectFailure(refused, "").sqlstate(), "08001");
  EXPECT_EQ(ConnectFailure(starting, "").sqlstate(), "57P03");
  EXPECT_EQ(ConnectFailure(refused + starting, "").sqlstate(), "08001");
  EXPECT_EQ(ConnectFailure(starting, "no answer from a").sqlstate(), "08001");
  EXPECT_THAT(ConnectFailure(starting, "no answer from a").what(), HasSubstr("no answer from a; "));
}

TEST(ReconnectPolicyTest, PausesDoubleUpToTheTop) {
  const std::vector<Milliseconds> expected{200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10s, 10s};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(ReconnectPause(static_cast<int>(i), 0ms, 0.0), expected[i]) << i;
  EXPECT_EQ(ReconnectPause(1'000'000, 0ms, 0.0), 10s);
}

TEST(ReconnectPolicyTest, JitterTakesOffUpToAHalf) {
  EXPECT_EQ(ReconnectPause(0, 0ms, 0.5), 150ms);
  const auto most = ReconnectPause(0, 0ms, 0.999);
  EXPECT_GT(most, 100ms);
  EXPECT_LT(most, 103ms);
}

TEST(ReconnectPolicyTest, EndsWithTheBudget) {
  EXPECT_EQ(ReconnectPause(9, 4min + 59s, 0.0), 1s);
  EXPECT_EQ(ReconnectPause(9, 5min, 0.0), std::nullopt);
  EXPECT_EQ(ReconnectPause(0, 0ms, 0.0, 0ms), std::nullopt);
  ReconnectPolicy none(0ms);
  EXPECT_EQ(none.Next(), std::nullopt);
}

TEST(ReconnectPolicyTest, BeginsAnewAfterAReset) {
  ReconnectPolicy policy;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(policy.Next());
  EXPECT_GT(policy.Next(), 1s);
  policy.Reset();
  EXPECT_LE(policy.Next(), 200ms);
}

}  // namespace
}  // namespace pgalter::pg
