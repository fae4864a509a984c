// What a report must not show, and what a page must not take for its own.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/evidence/html.h"
#include "cli/evidence/page.h"
#include "cli/evidence/secret.h"

namespace pgalter::cli::evidence {
namespace {

TEST(Secret, IsAPasswordOrAConnectionInAnySpelling) {
  for (const char* sql : {
           "CREATE ROLE a PASSWORD 'x'",
           "alter role a password/* why */'x'",
           "ALTER ROLE a PASSWORD -- why\n E'x'",
           "ALTER ROLE a PASSWORD $$x$$",
           "CREATE SUBSCRIPTION s CONNECTION 'host=h' PUBLICATION p",
           "SELECT dblink_connect('dbname=d')",
           "SELECT f('host=h password = x')",
           "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u')",
           "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h')",
           "COMMENT ON TABLE t IS 'postgres://me:pw@host/db'",
       })
    EXPECT_TRUE(CanHoldSecret(sql)) << sql;
}

TEST(Secret, IsNoColumnOfThatName) {
  for (const char* sql : {
           "ALTER TABLE a ADD COLUMN password text",
           "CREATE INDEX i ON a (connection, password)",
           "UPDATE a SET url = 'https://example.org/a@b'",
           "CREATE USER a",
           "",
       })
    EXPECT_FALSE(CanHoldSecret(sql)) << sql;
}

TEST(Secret, IsTakenOutAtAnyDepthAndCounted) {
  boost::json::value plan = {{"steps", {{{"sql", {"SELECT 1", "ALTER ROLE a PASSWORD 'x'"}}}}}};
  EXPECT_EQ(HideSecrets(plan), 1);
  const auto& sql = plan.at("steps").at(0).at("sql").as_array();
  EXPECT_EQ(sql.at(0).as_string(), "SELECT 1");
  EXPECT_EQ(sql.at(1).as_string().find("PASSWORD"), boost::json::string::npos);
}

TEST(Escaped, LeavesNothingThatAPageWouldRead) {
  EXPECT_EQ(Escaped("<a href=\"x\" id='y'>&"), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(Escaped(std::string_view("a\0b\x1b", 4)), "a\uFFFDb\uFFFD");
  EXPECT_EQ(Escaped("ä\n"), "ä\n");
}

// On paper a column is as wide as its longest word, unless that may be broken.
TEST(Row, BreaksHashesAndNoWords) {
  Html html;
  html.Row({"technical", std::string(64, 'a'), "2026-03-01T02:30:00.123456Z"});
  const std::string page = html.Take();
  EXPECT_NE(page.find("<td>technical</td><td class=\"long\">aaa"), std::string::npos);
  EXPECT_NE(page.find("<td>2026-03-01T02:30:00.123456Z</td>"), std::string::npos);
}

}  // namespace
}  // namespace pgalter::cli::evidence
