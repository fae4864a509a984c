// A rebuilt table and logical replication, with a real subscriber: it holds the published rows and
// no others, there and back; and what would stop it, or the users, is refused.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr int kColumnLists = 150000;  // and filters, and schemas

std::string Doubled(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2)
    text.insert(at, "'");
  return text;
}

// Another server that subscribes to publication p of the database.
class Subscriber {
 public:
  Subscriber(const FreshDatabase& publisher, const std::string& tables)
      : server_(sandbox::Sandbox::Start(TestServerOptions())), session_(server_.conninfo()) {
    session_.Exec(tables);
    session_.Exec(fmt::format(
        "CREATE SUBSCRIPTION reader CONNECTION '{}' PUBLICATION p WITH (slot_name = 'reader_{}')",
        Doubled(publisher.conninfo()), publisher.name()));
    Await("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'", "0");
  }
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber() { session_.Exec("DROP SUBSCRIPTION IF EXISTS reader"); }

  std::string Value(const std::string& sql) { return session_.Value(sql); }
  bool Await(const std::string& sql, const std::string& expected) {
    return Within(60s, [&] { return Value(sql) == expected; });
  }

 private:
  sandbox::Sandbox server_;
  Session session_;
};

class Logical : public RebuildWorld {
 protected:
  [[nodiscard]] bool HasColumnLists() const {
    return Number("SELECT current_setting('server_version_num')") >= kColumnLists;
  }

  static std::string Content(const std::string& columns, const std::string& filter) {
    return fmt::format(
        "SELECT count(*) || ' ' || md5(string_agg(t::text, ',' ORDER BY id)) FROM (SELECT {} FROM "
        "items WHERE {}) t",
        columns, filter);
  }
  void ExpectSent(Subscriber& subscriber, const std::string& columns, const std::string& filter) {
    const std::string here = database_.Value(Content(columns, filter));
    EXPECT_TRUE(subscriber.Await(Content(columns, "true"), here))
        << here << " here, there " << subscriber.Value(Content(columns, "true"));
    if (HasColumnLists()) {
      EXPECT_EQ(subscriber.Value("SELECT apply_error_count FROM pg_stat_subscription_stats"), "0");
    }
  }
  // Users write before, while and after it runs.
  void RunUnderUsers(const Words& words, unsigned seed, Uses uses) {
    Rebuilders users(database_.conninfo(), seed, 2, uses);
    ASSERT_TRUE(Within(kLimit, [&] { return users.writes() > 50; }));
    const Ran ran = Run(words);
    const long then = users.writes();
    EXPECT_TRUE(Within(kLimit, [&] { return users.writes() > then + 200; }));
    users.Stop();
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(users.errors(), "");
    ExpectSame();
  }
};

constexpr const char* kThere =
    "CREATE TABLE items (id bigint PRIMARY KEY, a bigint, u int, pad text, big text);"
    "CREATE TABLE mirror (id bigint PRIMARY KEY, a int, u int, pad text, big text)";

TEST_F(Logical, ASubscriberOfSomeColumnsAndRowsHoldsJustThese) {
  MakeRebuilt(3'000);
  const bool lists = HasColumnLists();
  const char* const columns = lists ? "id, a, pad" : "id, a, u, pad, big";
  const char* const filter = lists ? "id > 100" : "true";
  database_.Sql(lists ? "CREATE PUBLICATION p FOR TABLE items (id, a, pad) WHERE (id > 100)"
                      : "CREATE PUBLICATION p FOR TABLE items");
  Subscriber subscriber(database_,
                        "CREATE TABLE items (id bigint PRIMARY KEY, a bigint, u int, pad text, big "
                        "text)");
  RunUnderUsers(Rebuild(), 1, Uses::kKey);
  ExpectSent(subscriber, columns, filter);
  RunUnderUsers({"revert", RunId(), "--yes"}, 2, Uses::kKey);
  ExpectSent(subscriber, columns, filter);
}

TEST_F(Logical, ASubscriberOfTheSchemaHoldsTheTableOnce) {
  if (!HasColumnLists()) GTEST_SKIP() << "no publication of a schema before 15";
  MakeRebuilt(3'000);
  database_.Sql("CREATE PUBLICATION p FOR TABLES IN SCHEMA public");
  Subscriber subscriber(
      database_,
      "CREATE TABLE items (id bigint PRIMARY KEY, a bigint, u int, pad text, big "
      "text); CREATE TABLE mirror (id bigint PRIMARY KEY, a int, u int, pad text, "
      "big text)");
  RunUnderUsers(Rebuild(), 3, Uses::kKey);
  ExpectSent(subscriber, "id, a, u, pad, big", "true");
  RunUnderUsers({"revert", RunId(), "--yes"}, 4, Uses::kKey);
  ExpectSent(subscriber, "id, a, u, pad, big", "true");
}

TEST_F(Logical, ASubscriberThroughTheRootHoldsWhatMovesBetweenPartitions) {
  MakeRebuilt(3'000);
  database_.Sql("CREATE PUBLICATION p FOR TABLE items WITH (publish_via_partition_root = true)");
  Subscriber subscriber(database_, kThere);
  RunUnderUsers(Partition(), 5, Uses::kAnyKey);
  ExpectSent(subscriber, "id, a, u, pad, big", "true");
  RunUnderUsers({"revert", RunId(), "--yes"}, 6, Uses::kAnyKey);
  ExpectSent(subscriber, "id, a, u, pad, big", "true");
}

// The server lets nobody change a row of which a publication does not send what tells it apart.
constexpr const char* kNarrower = "ALTER PUBLICATION p SET TABLE items (a, pad)";

TEST_F(Logical, APublicationThatCameMeanwhileAndStopsUsersStopsTheCutOver) {
  if (!HasColumnLists()) GTEST_SKIP() << "no column lists before 15";
  MakeRebuilt(500);
  database_.Sql("CREATE PUBLICATION p FOR TABLE items");
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql(kNarrower);
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("does not cover the replica identity"));
  EXPECT_THAT(refused.err, HasSubstr("pgalter resume"));
  EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  database_.Sql("ALTER PUBLICATION p SET TABLE items");
  ResumeToTheEnd();
  database_.Sql("UPDATE items SET a = a + 1");
  ExpectSame();
  database_.Sql(kNarrower);
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  EXPECT_THAT(back.err, HasSubstr("pgalter revert"));
  database_.Sql("ALTER PUBLICATION p SET TABLE items (id, a, u)");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  database_.Sql("UPDATE items SET a = a + 1");
  ExpectSame();
}

struct UnsentCase {
  const char* name;
  const char* publication;
  const char* alter;  // of items; empty: into partitions
  const char* says;
  int since = 0;
};

class Unsent : public Logical, public ::testing::WithParamInterface<UnsentCase> {};

TEST_P(Unsent, IsRefusedBeforeAnythingIsWritten) {
  if (Number("SELECT current_setting('server_version_num')") < GetParam().since)
    GTEST_SKIP() << "this server has no such publication";
  MakeRebuilt(100);
  database_.Sql(GetParam().publication);
  const std::string alter = GetParam().alter;
  const Ran ran =
      Run(alter.empty() ? Partition() : Words{"rebuild", "items", "--alter", alter, "--yes"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Publications, Unsent,
    ::testing::Values(
        UnsentCase{"AllTables", "CREATE PUBLICATION p FOR ALL TABLES", "ALTER a TYPE bigint",
                   "would send pgalter's own tables"},
        UnsentCase{"PartitionsByName", "CREATE PUBLICATION p FOR TABLE items", "",
                   "publish_via_partition_root"},
        UnsentCase{"PartitionsOfASchema", "CREATE PUBLICATION p FOR TABLES IN SCHEMA public", "",
                   "publish_via_partition_root", kColumnLists},
        UnsentCase{"ListWithoutTheNewKey",
                   "CREATE PUBLICATION p FOR TABLE items (id, u) WITH (publish_via_partition_root "
                   "= true)",
                   "", "does not cover the replica identity", kColumnLists},
        UnsentCase{"FilterOutsideTheNewKey",
                   "CREATE UNIQUE INDEX id_a ON items (id, a); ALTER TABLE items REPLICA IDENTITY "
                   "USING INDEX id_a; CREATE PUBLICATION p FOR TABLE items WHERE (a > 5)",
                   "DROP COLUMN big, ALTER a TYPE text", "would fail", kColumnLists},
        UnsentCase{"NoKeyAnyMore",
                   "ALTER TABLE items ALTER u SET NOT NULL; CREATE PUBLICATION p FOR TABLE items",
                   "DROP CONSTRAINT items_pkey", "users could not change rows afterwards"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(Logical, APartitionedTableThatIsSentByItsPartitionsDoesNotBecomeAPlainOne) {
  database_.Sql(
      "CREATE TABLE t (id int, a int, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE TABLE t1 "
      "PARTITION OF t DEFAULT; CREATE PUBLICATION p FOR TABLE t");
  const Words words{"rebuild", "t", "--definition",
                    File("CREATE TABLE t (id int PRIMARY KEY, a int);"), "--yes"};
  const Ran refused = Run(words);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("publish_via_partition_root"));
  database_.Sql("ALTER PUBLICATION p SET (publish_via_partition_root = true)");
  EXPECT_EQ(Run(words).code, 0);
}

TEST_F(Logical, AColumnThatSubscribersLackIsTold) {
  MakeRebuilt(100);
  database_.Sql("CREATE PUBLICATION p FOR TABLE items");
  const Ran ran = Run({"rebuild", "items", "--alter", "ADD COLUMN extra int DEFAULT 5", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("publication p sends it: subscribers need column extra"));
}

// What a subscription writes is captured as all else is, but the subscription knows the table by
// its identity.
TEST_F(Logical, ASubscriptionThatCameMeanwhileIsCapturedAndStopsTheCutOver) {
  MakeRebuilt(2'000);
  database_.Sql("ALTER TABLE items ENABLE ALWAYS TRIGGER mirrored");
  sandbox::Sandbox other = sandbox::Sandbox::Start(TestServerOptions());
  Session publisher(other.conninfo());
  publisher.Exec(
      "CREATE TABLE items (id bigint PRIMARY KEY, a int NOT NULL, u int, pad text, big text);"
      "INSERT INTO items SELECT g, 1, NULL, 'theirs' FROM generate_series(100001, 100500) g;"
      "CREATE PUBLICATION theirs FOR TABLE items");
  Program program = Start(Rebuild({"--cutover", "wait"}));
  database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
  database_.AwaitValue("SELECT string_agg(state, ' ') FROM pgalter.run", "waiting", kLimit);
  database_.Sql(
      fmt::format("CREATE SUBSCRIPTION \"From there\" CONNECTION '{}' PUBLICATION theirs "
                  "WITH (slot_name = 'from_there')",
                  Doubled(other.conninfo())));
  database_.AwaitValue("SELECT string_agg(srsubstate::text, '') FROM pg_subscription_rel", "r",
                       kLimit);
  publisher.Exec(
      "UPDATE items SET id = id + 1000, pad = 'moved' WHERE id % 2 = 0; DELETE FROM items WHERE id "
      "% 5 = 0; INSERT INTO items VALUES (200000, 7)");
  database_.AwaitValue("SELECT count(*) FROM items WHERE id = 200000", "1", kLimit);
  EXPECT_EQ(Run({"verify", RunId()}).code, 0);
  EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
  const Ran refused = program.Wait(kLimit);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("subscription \"From there\" writes into it"));
  EXPECT_EQ(Run({"rebuild", "mirror", "--yes"}).code, 0) << "another table is nobody's concern";
  database_.Sql("DROP SUBSCRIPTION \"From there\"");
  const std::string run = database_.Value(
      "SELECT run FROM pgalter.run WHERE state = 'failed' ORDER BY created_at LIMIT 1");
  const Ran ran = Run({"resume", run});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  EXPECT_EQ(
      Number("SELECT count(*) FROM items WHERE pad = 'theirs' OR pad = 'moved' OR id = 200000"),
      std::stol(publisher.Value("SELECT count(*) FROM items")));
}

}  // namespace
}  // namespace pgalter::test
