// What a rebuild would do wrong without a word, or only find when all is copied: refused before
// anything is made.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class RebuildRefused : public RebuildWorld {
 protected:
  // Refused, with the table as it was and no run.
  void Refuse(const Words& arguments, const std::string& why) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
    ExpectSame();
  }
  void RefuseAlter(const std::string& alter, const std::string& why) {
    Refuse({"rebuild", "items", "--alter", alter, "--yes"}, why);
  }
  void RefuseMap(const std::string& map, const std::string& why) {
    Refuse({"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--map", map, "--yes"}, why);
  }
};

TEST_F(RebuildRefused, ActionsThatTheNewTableWouldNotKeep) {
  MakeRebuilt(200);
  for (const char* alter :
       {"ENABLE ROW LEVEL SECURITY", "ALTER a TYPE bigint, FORCE ROW LEVEL SECURITY",
        "REPLICA IDENTITY FULL", "DISABLE RULE r", "ALTER CONSTRAINT items_pkey DEFERRABLE"})
    RefuseAlter(alter, "has an action that needs no rebuild");
}

TEST_F(RebuildRefused, ValuesThatMoveOrReadOtherRows) {
  MakeRebuilt(200);
  RefuseMap("pad = random()::text", "calls random, which is another for every row or moment");
  RefuseMap("pad = now()::text", "calls now");
  RefuseMap("pad = current_date::text", "is another for every row or moment");
  RefuseMap("pad = (SELECT max(pad) FROM mirror)", "reads other rows");
  const Ran ran = Run(
      {"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--map", "big = upper(big)", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(RebuildRefused, ValuesOfAnotherType) {
  MakeRebuilt(200);
  const Words asked{"rebuild", "items", "--alter", "ADD on_day date", "--yes"};
  Words words = asked;
  words.insert(words.end(), {"--map", "on_day = pad"});
  const Ran ran = Run(words);
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("the server refuses what is to be copied from public.items into "
                                 "the new table: column \"on_day\" is of type date but expression "
                                 "is of type text"));
  EXPECT_THAT(ran.err, HasSubstr("make the expression of --map one of the column's type"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

// Its numbers would go on beside those of the new table's own sequence.
TEST_F(RebuildRefused, AnIdentitysSequenceThatSomethingElseUses) {
  MakeRebuilt(200);
  for (const auto& [make, user] :
       {std::pair{"CREATE VIEW numbers AS SELECT nextval('counted_id_seq') AS id",
                  "view public.numbers"},
        std::pair{"CREATE VIEW numbers AS SELECT last_value FROM counted_id_seq",
                  "view public.numbers"},
        std::pair{"CREATE DOMAIN number AS bigint DEFAULT nextval('counted_id_seq')",
                  "type public.number"}}) {
    database_.Sql(
        "DROP VIEW IF EXISTS numbers; DROP TABLE IF EXISTS counted;"
        "CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int)");
    database_.Sql(make);
    Refuse({"rebuild", "counted", "--alter", "ALTER v TYPE bigint", "--yes"},
           std::string("the identity sequence of column id is used by ") + user +
               ": give that one a sequence of its own");
  }
}

TEST_F(RebuildRefused, ATableOfAnExtension) {
  MakeRebuilt(200);
  database_.Sql(
      "CREATE TABLE its (id int PRIMARY KEY, v int); ALTER EXTENSION plpgsql ADD TABLE its");
  Refuse({"rebuild", "its", "--alter", "ALTER v TYPE bigint", "--yes"},
         "extension plpgsql has it, and would lose it to the new one: ALTER EXTENSION plpgsql DROP "
         "TABLE first");
  Refuse({"partition", "convert", "its", "--by", "hash(id)", "--modulus", "2", "--yes"},
         "extension plpgsql has it");
  database_.Sql("ALTER EXTENSION plpgsql DROP TABLE its");
}

// What CI asks must not pass where the run itself is refused.
TEST_F(RebuildRefused, ADryRunIsRefusedForTheSame) {
  MakeRebuilt(200);
  const Words rebuild{"rebuild", "items", "--alter", "ALTER a TYPE bigint"};
  for (const Words& more : {Words{"--map", "nowhere = 1"}, Words{"--map", "pad = random()::text"},
                            Words{"--tablespace", "nowhere"}, Words{"--order-by", "pad"}}) {
    Words words = rebuild;
    words.insert(words.end(), more.begin(), more.end());
    Words dry = words;
    dry.emplace_back("--dry-run");
    words.emplace_back("--yes");
    const Ran told = Run(dry);
    const Ran ran = Run(words);
    EXPECT_NE(told.code, 0) << more.back();
    EXPECT_EQ(told.code, ran.code) << told.err << ran.err;
    EXPECT_EQ(told.err, ran.err);
  }
  Words fine = rebuild;
  fine.emplace_back("--dry-run");
  EXPECT_EQ(Run(fine).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  ExpectSame();
}

// The swap takes their foreign keys along, and would fail when all is copied.
class RebuildReferred : public RebuildWorld {
 protected:
  void SetUp() override {
    MakeRebuilt(200);
    user_ = "referred_" + database_.name();
    database_.Sql(fmt::format(
        "CREATE ROLE {0} LOGIN; GRANT ALL ON SCHEMA public TO {0}; GRANT CREATE ON DATABASE {1} TO "
        "{0}; ALTER TABLE items OWNER TO {0}; CREATE SCHEMA locked; CREATE TABLE locked.k (id int "
        "PRIMARY KEY, item bigint CONSTRAINT to_items REFERENCES items)",
        user_, database_.name()));
  }
  void TearDown() override {
    database_.Sql(fmt::format(
        "DROP SCHEMA locked CASCADE; DROP TABLE items; DROP OWNED BY {0}; DROP ROLE {0}", user_));
  }
  void RefusedInBoth(const std::string& why) const {
    for (const char* word : {"--dry-run", "--yes"}) {
      const Ran ran = Run({"rebuild", "items", "--alter", "ALTER a TYPE bigint", word});
      EXPECT_EQ(ran.code, 4) << ran.err;
      EXPECT_THAT(ran.err, HasSubstr(why));
    }
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  }
};

TEST_F(RebuildReferred, ByAStrangersTable) {
  RefusedInBoth("foreign key to_items of locked.k refers to it, and that table belongs to " +
                database_.Value("SELECT current_user") +
                ", whom this role does not stand for: ALTER TABLE locked.k OWNER TO");
}

TEST_F(RebuildReferred, ByATableWhereTheRoleMayNotLook) {
  database_.Sql(fmt::format("ALTER TABLE locked.k OWNER TO {}", user_));
  RefusedInBoth(fmt::format(
      "foreign key to_items of locked.k refers to it, in a schema that this role may not use: "
      "GRANT USAGE ON SCHEMA locked TO {}",
      user_));
  database_.Sql(fmt::format("GRANT USAGE ON SCHEMA locked TO {}", user_));
  const Ran ran = Run({"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(RebuildReferred, ATriggerWhoseFunctionTheRoleMayNotExecute) {
  database_.Sql(
      "DROP TABLE locked.k; CREATE FUNCTION locked.f() RETURNS trigger LANGUAGE plpgsql AS $$ "
      "BEGIN RETURN NEW; END $$; REVOKE ALL ON FUNCTION locked.f() FROM PUBLIC; CREATE TRIGGER own "
      "AFTER TRUNCATE ON items EXECUTE FUNCTION locked.f()");
  const std::string execute = "GRANT EXECUTE ON FUNCTION locked.f() TO " + user_;
  RefusedInBoth(
      fmt::format("its trigger own is made again, and this role may not execute its "
                  "function: GRANT USAGE ON SCHEMA locked TO {}; {}",
                  user_, execute));
  database_.Sql(fmt::format("GRANT USAGE ON SCHEMA locked TO {}", user_));
  RefusedInBoth("may not execute its function: " + execute);
  database_.Sql(execute);
  const Ran ran = Run({"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  // Taken back after the swap, the way back is refused for it.
  database_.Sql(fmt::format("REVOKE EXECUTE ON FUNCTION locked.f() FROM {}", user_));
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  EXPECT_THAT(back.err, HasSubstr("may not execute its function: " + execute));
  database_.Sql(execute);
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
}

// DETACH … CONCURRENTLY leaves a partition so when it is interrupted between its transactions.
class RebuildHalfDetached : public RebuildWorld {
 protected:
  void Make() {
    database_.Sql(
        "CREATE TABLE logs (id bigint, k int NOT NULL, PRIMARY KEY (id, k)) PARTITION BY RANGE (k);"
        "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (10) TO (20);"
        "INSERT INTO logs SELECT n, n % 20 FROM generate_series(1, 400) n;");
  }
  void HalfDetach() {
    auto reader = database_.Connect();
    reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
    reader.Exec("SELECT count(*) FROM logs");
    auto other = database_.Connect();
    other.Exec("SET statement_timeout = '500ms'");
    EXPECT_ANY_THROW(other.Exec("ALTER TABLE logs DETACH PARTITION logs_1 CONCURRENTLY"));
    reader.Exec("ROLLBACK");
    ASSERT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"), 1);
  }
  static Words ToPlain() {
    return {"rebuild", "logs", "--definition",
            File("CREATE TABLE logs (id bigint, k int NOT NULL, PRIMARY KEY (id, k));"), "--yes"};
  }
};

TEST_F(RebuildHalfDetached, ItWouldGoWithTheOldTable) {
  Make();
  HalfDetach();
  for (const Words& arguments : {ToPlain(), Words{"partition", "undo", "logs", "--yes"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("public.logs_1 is half detached"));
  }
  EXPECT_EQ(Number("SELECT count(*) FROM logs_1"), 200);
}

TEST_F(RebuildHalfDetached, MeanwhileToo) {
  Make();
  ASSERT_EQ(Run(ToPlain(), {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
  HalfDetach();
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("public.logs_1 is half detached"));
  database_.Sql("ALTER TABLE logs DETACH PARTITION logs_1 FINALIZE");
  const Ran again = Run({"resume", RunId()});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(Number("SELECT count(*) FROM logs"), 200);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM logs_1"), 200);
}

}  // namespace
}  // namespace pgalter::test
