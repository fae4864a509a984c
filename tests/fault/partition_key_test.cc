// The primary key that a conversion makes, where the user names its columns; and what the two ways
// to convert would cost.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct KeyCase {
  const char* name;
  const char* strategy;
  const char* columns;
};

class PartitionKeyNamed : public Partitioned, public ::testing::WithParamInterface<KeyCase> {
 protected:
  [[nodiscard]] std::string KeyOf(const std::string& table) const {
    return database_.Value(
        fmt::format("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = "
                    "'{}'::regclass AND contype = 'p'",
                    table));
  }
};

TEST_P(PartitionKeyNamed, UnderItsUsersAndBack) {
  MakeEvents(3000);
  database_.Sql("CREATE INDEX events_id ON events (id)");
  Users users(database_.conninfo(), 11);
  const Ran converted =
      Run(Convert({"--strategy", GetParam().strategy, "--primary-key", GetParam().columns}));
  ASSERT_EQ(converted.code, 0) << converted.err;
  const std::string key = fmt::format("PRIMARY KEY ({})", GetParam().columns);
  EXPECT_EQ(KeyOf("events"), key);
  const std::string part = database_.Value(
      "SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = "
      "'events'::regclass");
  EXPECT_EQ(KeyOf(part), key);
  users.ahead = true;
  users.AwaitWrites(200);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(50);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(KeyOf("events"), "PRIMARY KEY (id)");
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(Ways, PartitionKeyNamed,
                         ::testing::Values(KeyCase{"AttachedInAnotherOrder", "attach", "made, id"},
                                           KeyCase{"AttachedWithMore", "attach", "id, kind, made"},
                                           KeyCase{"CopiedInAnotherOrder", "copy", "made, id"},
                                           KeyCase{"CopiedWithMore", "copy", "id, kind, made"}),
                         [](const auto& param) { return std::string(param.param.name); });

struct RefusedKey {
  const char* name;
  const char* script;
  Words more;
  int code;
  const char* says;
};

class PartitionKeyRefused : public Partitioned, public ::testing::WithParamInterface<RefusedKey> {};

TEST_P(PartitionKeyRefused, WritesNothing) {
  MakeEvents(100);
  database_.Sql(GetParam().script);
  for (const char* strategy : {"attach", "copy"}) {
    Words more = GetParam().more;
    more.insert(more.end(), {"--strategy", strategy});
    const Ran ran = Run(Convert(more));
    EXPECT_EQ(ran.code, GetParam().code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  }
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, PartitionKeyRefused,
    ::testing::Values(
        RefusedKey{"NoColumn",
                   "",
                   {"--primary-key", "id, nothing, made"},
                   2,
                   "the table has no column nothing"},
        RefusedKey{"AnExpression",
                   "",
                   {"--primary-key", "id, lower(note)"},
                   2,
                   "\"lower(note)\" is no column"},
        RefusedKey{"Twice", "", {"--primary-key", "id, made, id"}, 2, "id is there twice"},
        RefusedKey{"WithoutWhatParts", "", {"--primary-key", "id"}, 4, "lacks made"},
        RefusedKey{"WithoutTheKeyOfNow", "", {"--primary-key", "made, kind"}, 4, "lacks id"},
        RefusedKey{"Nullable",
                   "",
                   {"--primary-key", "id, made, note"},
                   4,
                   "ALTER TABLE public.events ALTER note SET NOT NULL"},
        RefusedKey{"NothingLeadsToRows",
                   "",
                   {"--primary-key", "made, id"},
                   4,
                   "CREATE INDEX CONCURRENTLY ON public.events (id)"},
        RefusedKey{"NoneYet",
                   "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD UNIQUE (id, made)",
                   {"--primary-key", "id, made"},
                   4,
                   "public.events has no primary key yet"},
        RefusedKey{"HoldsItAll",
                   "ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (id, made)",
                   {"--primary-key", "made, id"},
                   4,
                   "the primary key of now, (id, made), holds what it has to, and stays"},
        RefusedKey{"IsThere",
                   "CREATE UNIQUE INDEX events_other ON events (made, id)",
                   {"--primary-key", "made, id"},
                   4,
                   "unique index events_other has these columns"},
        RefusedKey{"WidenedKeys",
                   "",
                   {"--primary-key", "id, made, kind", "--inbound-fk", "widen"},
                   2,
                   "does not go with --inbound-fk widen"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(Partitioned, TheKeyOfNowMayBeNamedWhereItHoldsAll) {
  MakeEvents(100);
  database_.Sql("ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (made, id)");
  const Ran ran = Run(Convert({"--primary-key", " \"made\" ,id"}));
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(Partitioned, ShowsWhatBothWaysWouldCost) {
  MakeEvents(1000);
  const Ran text = Run(Convert({"--dry-run"}));
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("attach: "));
  EXPECT_THAT(text.out, HasSubstr("copy: "));
  EXPECT_THAT(text.out, HasSubstr("--strategy auto takes attach"));
  const Ran chosen = Run(Convert({"--dry-run", "--strategy", "attach"}));
  EXPECT_THAT(chosen.out, Not(HasSubstr("copy: ")));
  const Ran json = Run(Convert({"--dry-run", "--output", "json"}));
  ASSERT_EQ(json.code, 0) << json.err;
  const boost::json::value parsed = boost::json::parse(json.out);
  const boost::json::array& ways = parsed.at("strategies").as_array();
  ASSERT_EQ(ways.size(), 2U);
  EXPECT_TRUE(ways[0].at("chosen").as_bool());
  EXPECT_EQ(ways[1].at("strategy"), "copy");
  EXPECT_EQ(ways[1].at("disk_bytes").to_number<long>(),
            2 * Number("SELECT pg_total_relation_size('events')"));
  EXPECT_EQ(ways[0].at("disk_bytes").to_number<long>(),
            Number("SELECT pg_relation_size('events_pkey')"));
}

}  // namespace
}  // namespace pgalter::test
