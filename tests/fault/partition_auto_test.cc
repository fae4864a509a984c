// Which way to convert a table `--strategy auto` takes where it cannot be attached.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <regex>

#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct AutoCase {
  const char* name;
  const char* script;
  Words more;
  const char* says;  // why it cannot be attached; of what is refused by both: why not copied
};

class PartitionAuto : public Partitioned, public ::testing::WithParamInterface<AutoCase> {
 protected:
  [[nodiscard]] std::string Relkind() const {
    return database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass");
  }
  void ExpectNothingMade() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
    EXPECT_EQ(Relkind(), "r");
  }
};

class AutoCopies : public PartitionAuto {};

TEST_P(AutoCopies, AndSaysWhy) {
  MakeEvents(1000);
  database_.Sql(GetParam().script);
  const Ran ran = Run(Convert(GetParam().more));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("note: rows are copied, since public.events cannot be attached as "
                                 "it is: "));
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_EQ(Relkind(), "p");
  // A range for each month: nothing was attached.
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'events\\_until\\_%'"), 0);
  EXPECT_GT(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 6);
  ExpectSame();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Relkind(), "r");
}

// Who says how it is to be done is not given something else.
TEST_P(AutoCopies, NotWhereTheUserHasChosen) {
  MakeEvents(100);
  database_.Sql(GetParam().script);
  Words more{"--strategy", "attach"};
  for (const std::string& word : GetParam().more)
    if (word != "--rebuild-matviews") more.push_back(word);
  const Ran ran = Run(Convert(more));
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_THAT(ran.err, HasSubstr("cannot attach public.events"));
  ExpectNothingMade();
}

INSTANTIATE_TEST_SUITE_P(
    Hindrances, AutoCopies,
    ::testing::Values(
        AutoCase{"ACheckThatIsNotValid",
                 "ALTER TABLE events ADD CONSTRAINT few CHECK (kind < 5) NOT VALID; ALTER TABLE "
                 "events DISABLE TRIGGER mirrored",
                 {},
                 "constraint few is not valid"},
        AutoCase{"NullsWithoutAPrimaryKey",
                 "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD UNIQUE (id), ALTER made DROP "
                 "NOT NULL; UPDATE events SET made = NULL WHERE id = 7",
                 {"--allow-weaker-keys"},
                 "column made may be NULL"},
        AutoCase{
            "AReferenceToAKeyThatStays",
            "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (id, made); ALTER "
            "TABLE events ADD before bigint, ADD before_made timestamptz, ADD FOREIGN KEY "
            "(before, before_made) REFERENCES events",
            {},
            "refers to the table itself"},
        AutoCase{
            "AViewByAKeyThatStays",
            "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (id, made); CREATE "
            "VIEW w AS SELECT id, made, kind, count(*) FROM events GROUP BY id, made",
            {},
            "leans on constraint events_pkey"},
        AutoCase{"AMaterializedView",
                 "CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM events",
                 {"--rebuild-matviews"},
                 "materialized view public.m"},
        AutoCase{"KeysOfOthersByTriggers",
                 "CREATE TABLE line (event bigint REFERENCES events); ALTER TABLE events ADD "
                 "CONSTRAINT few CHECK (kind < 5) NOT VALID; ALTER TABLE events DISABLE TRIGGER "
                 "mirrored",
                 {"--inbound-fk", "trigger"},
                 "constraint few is not valid"}),
    [](const auto& param) { return std::string(param.param.name); });

class AutoRefuses : public PartitionAuto {};

TEST_P(AutoRefuses, AndTellsBothReasons) {
  MakeEvents(100);
  database_.Sql(GetParam().script);
  const Ran ran = Run(Convert(GetParam().more));
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("cannot attach public.events to a partitioned table: "));
  EXPECT_THAT(ran.err, HasSubstr("Nor can its rows be copied instead: "));
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  ExpectNothingMade();
}

INSTANTIATE_TEST_SUITE_P(
    Hindrances, AutoRefuses,
    ::testing::Values(
        AutoCase{"AViewByTheKey",
                 "CREATE VIEW w AS SELECT id, kind, count(*) FROM events GROUP BY id",
                 {},
                 "cannot part public.events: view public.w leans on constraint events_pkey"},
        AutoCase{"AMaterializedView",
                 "CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM events",
                 {},
                 "--rebuild-matviews"},
        AutoCase{"KeysOfOthers",
                 "CREATE TABLE line (event bigint REFERENCES events); ALTER TABLE events ADD "
                 "CONSTRAINT few CHECK (kind < 5) NOT VALID",
                 {},
                 "--inbound-fk trigger"}),
    [](const auto& param) { return std::string(param.param.name); });

class AutoStays : public PartitionAuto {};

// A copy has the same reason, or it is for the user to decide: one reason, the one of always.
TEST_P(AutoStays, RefusedAsItWas) {
  MakeEvents(100);
  database_.Sql(GetParam().script);
  const Ran ran = Run(Convert(GetParam().more));
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_THAT(ran.err, Not(HasSubstr("Nor can")));
  ExpectNothingMade();
}

INSTANTIATE_TEST_SUITE_P(
    Hindrances, AutoStays,
    ::testing::Values(
        AutoCase{"AReferenceToItself",
                 "ALTER TABLE events ADD before bigint REFERENCES events",
                 {},
                 "Two ways out: --inbound-fk trigger"},
        AutoCase{"NullsInThePrimaryKeyToCome",
                 "ALTER TABLE events ALTER made DROP NOT NULL",
                 {},
                 "ALTER COLUMN made SET NOT NULL"},
        AutoCase{"OneOfBothWaysBesideOneOfAttachingAlone",
                 "ALTER TABLE events ALTER made DROP NOT NULL, ADD CONSTRAINT few CHECK (kind < 5) "
                 "NOT VALID",
                 {},
                 "ALTER COLUMN made SET NOT NULL"},
        AutoCase{
            "AnExclusion",
            "ALTER TABLE events ADD s tsrange, ADD CONSTRAINT e EXCLUDE USING gist (s WITH &&)",
            {},
            "constraint e excludes rows"},
        AutoCase{"AForeignKeyThatIsNotValid",
                 "ALTER TABLE events ADD k int, ADD FOREIGN KEY (k) REFERENCES kind NOT VALID",
                 {},
                 "events_k_fkey is not valid"},
        AutoCase{"WeakerKeys", "ALTER TABLE events ADD u int UNIQUE", {}, "--allow-weaker-keys"},
        AutoCase{"KeysOfOthers",
                 "CREATE TABLE line (event bigint REFERENCES events)",
                 {},
                 "--inbound-fk widen"},
        AutoCase{"ANameThatIsTaken", "CREATE TABLE events_default ()", {}, "events_default"},
        AutoCase{"AFunctionOfItsRows",
                 "CREATE FUNCTION f(events) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                 {},
                 "depends on its row type"},
        AutoCase{"AViewOfItsRowType",
                 "CREATE VIEW w AS SELECT (NULL::events).kind AS k",
                 {},
                 "a partitioned table: view public.w depends on its row type"}),
    [](const auto& param) { return std::string(param.param.name); });

// Tables bear their row types along, and the types of arrays of these; the table that is there has
// the second name until it is attached.
class TypeInTheWay : public Partitioned, public ::testing::WithParamInterface<const char*> {};

TEST_P(TypeInTheWay, IsNamedBeforeAnythingIsMade) {
  MakeEvents(100);
  std::string type = GetParam();
  if (type == "first") {
    const std::string said = Run(Convert({"--strategy", "attach", "--dry-run"})).out;
    std::smatch found;
    ASSERT_TRUE(std::regex_search(said, found, std::regex("events_until_[0-9_]*[0-9]"))) << said;
    type = found.str();
  }
  database_.Sql(fmt::format("CREATE TYPE {} AS ENUM ('x')", type));
  const Ran ran = Run(Convert({"--strategy", "attach"}));
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(fmt::format("type public.{} stands where", type)));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  database_.Sql("DROP TYPE " + type);
  const Ran attached = Run(Convert({"--strategy", "attach"}));
  EXPECT_EQ(attached.code, 0) << attached.err;
  EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
            "p");
}

INSTANTIATE_TEST_SUITE_P(Names, TypeInTheWay,
                         ::testing::Values("events_default", "_events_default", "_events", "first"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::erase(name, '_');
                           return name + (*param.param == '_' ? "Arrays" : "");
                         });

TEST_F(Partitioned, WhatAutoTakesIsInTheDryRun) {
  MakeEvents(1000);
  database_.Sql("ALTER TABLE events ADD CONSTRAINT few CHECK (kind < 5) NOT VALID");
  const Ran text = Run(Convert({"--dry-run", "--workers", "2"}));
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("note: rows are copied, since public.events cannot be attached"));
  const Ran json = Run(Convert({"--dry-run", "--output", "json"}));
  ASSERT_EQ(json.code, 0) << json.err;
  const boost::json::value parsed = boost::json::parse(json.out);
  EXPECT_EQ(parsed.at("strategy"), "copy");
  EXPECT_THAT(std::string(parsed.at("remarks").as_array().at(0).as_string()),
              HasSubstr("constraint few is not valid"));
  // Options of a copy say nothing where the table is attached.
  database_.Sql("ALTER TABLE events DROP CONSTRAINT few");
  const Ran attached = Run(Convert({"--dry-run", "--workers", "2"}));
  EXPECT_EQ(attached.code, 2) << attached.err;
  EXPECT_THAT(attached.err, HasSubstr("--workers is for --strategy copy"));
}

}  // namespace
}  // namespace pgalter::test
