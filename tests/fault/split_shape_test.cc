// Others change the table while its split waits at the gate: nothing of it may be lost without a
// word.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/split_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Change {
  const char* sql;
  const char* back;
  const char* said;
};

// What CREATE, ALTER or GRANT of others would be lost, or hold no more.
constexpr Change kChanges[] = {
    {"ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
     "ALTER TABLE orders DISABLE ROW LEVEL SECURITY", "row security has changed"},
    {"CREATE POLICY p ON orders USING (amount > 5)", "DROP POLICY p ON orders", "policy p is new"},
    {"CREATE INDEX \"Late one\" ON orders (slug, id)", "DROP INDEX \"Late one\"",
     "index \"Late one\" is new"},
    {"CREATE INDEX late ON orders (amount) WHERE note > 'k'", "DROP INDEX late",
     "index late is new"},
    {"CREATE INDEX late ON orders (lower(note))", "DROP INDEX late", "index late is new"},
    {"DROP INDEX orders_noted_idx", "CREATE INDEX orders_noted_idx ON orders (noted_at)",
     "index orders_noted_idx is gone"},
    {"ALTER TABLE orders ADD CONSTRAINT late CHECK (length(note) < 99)",
     "ALTER TABLE orders DROP CONSTRAINT late", "constraint late is new"},
    {"ALTER TABLE orders DROP CONSTRAINT note_given",
     "ALTER TABLE orders ADD CONSTRAINT note_given CHECK (note <> '')",
     "constraint note_given is gone"},
    {"CREATE TABLE slugs (slug text PRIMARY KEY); ALTER TABLE orders ADD CONSTRAINT to_slugs "
     "FOREIGN KEY (slug) REFERENCES slugs NOT VALID",
     "DROP TABLE slugs CASCADE", "constraint to_slugs is new"},
    {"CREATE TABLE refs (slug text REFERENCES orders (slug))", "DROP TABLE refs",
     "constraint refs_slug_fkey of public.refs is new"},
    {"ALTER TABLE orders ALTER noted_at SET DEFAULT now()",
     "ALTER TABLE orders ALTER noted_at SET DEFAULT '2026-01-01 00:00+00'",
     "the default of column noted_at has changed"},
    {"ALTER TABLE orders ALTER noted_at DROP DEFAULT",
     "ALTER TABLE orders ALTER noted_at SET DEFAULT '2026-01-01 00:00+00'",
     "the default of column noted_at is gone"},
    {"ALTER TABLE orders ALTER slug SET DEFAULT 'none'",
     "ALTER TABLE orders ALTER slug DROP DEFAULT", "changed: the default of column slug is new. "},
    {"ALTER TABLE orders ALTER slug SET NOT NULL", "ALTER TABLE orders ALTER slug DROP NOT NULL",
     "NOT NULL of column slug has changed"},
    {"COMMENT ON COLUMN orders.note IS 'other'",
     "COMMENT ON COLUMN orders.note IS 'what was noted'", "the comment on column note has changed"},
    {"ALTER TABLE orders ALTER note SET STORAGE MAIN",
     "ALTER TABLE orders ALTER note SET STORAGE EXTERNAL",
     "the storage or statistics target of column note has changed"},
    {"ALTER TABLE orders ALTER slug SET STATISTICS 500",
     "ALTER TABLE orders ALTER slug SET STATISTICS -1",
     "the storage or statistics target of column slug has changed"},
    {"CREATE STATISTICS late ON slug, amount FROM orders", "DROP STATISTICS late",
     "statistics object public.late is new"},
    {"ALTER TABLE orders SET UNLOGGED", "ALTER TABLE orders SET LOGGED",
     "LOGGED or UNLOGGED has changed"},
    {"CREATE TRIGGER late BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION "
     "suppress_redundant_updates_trigger()",
     "DROP TRIGGER late ON orders", "trigger late is new"},
    {"CREATE RULE late AS ON DELETE TO orders WHERE old.id < 0 DO INSTEAD NOTHING",
     "DROP RULE late ON orders", "rule late is new"},
    {"GRANT SELECT ON orders TO {role}", "REVOKE SELECT ON orders FROM {role}",
     "who has rights on it has changed"},
    {"GRANT UPDATE (slug) ON orders TO {role}", "REVOKE UPDATE (slug) ON orders FROM {role}",
     "who has rights on column slug is new"},
    {"ALTER TABLE orders OWNER TO {role}", "ALTER TABLE orders OWNER TO postgres",
     "the owner has changed"},
    {"CREATE SEQUENCE late OWNED BY orders.slug", "DROP SEQUENCE late",
     "sequence public.late is new"},
    {"CREATE VIEW late AS SELECT note FROM orders", "DROP VIEW late",
     "changed: view public.late is new"},
    {"CREATE TABLE child () INHERITS (orders)", "DROP TABLE child", "inheritance is new"},
    {"CREATE PUBLICATION late FOR TABLE orders", "DROP PUBLICATION late",
     "publication late is new"},
    {"COMMENT ON COLUMN order_note.slug IS 'through the view'",
     "COMMENT ON COLUMN order_note.slug IS NULL",
     "the default, comment or name of column slug of the view public.order_note"},
    {"ALTER VIEW order_note ALTER slug SET DEFAULT 'x'",
     "ALTER VIEW order_note ALTER slug DROP DEFAULT",
     "the default, comment or name of column slug of the view public.order_note"},
    {"COMMENT ON VIEW order_note IS 'c'", "COMMENT ON VIEW order_note IS NULL",
     "the comment on the view public.order_note"},
    {"CREATE VIEW late AS SELECT note FROM order_note", "DROP VIEW late",
     "changed: view public.late (uses public.order_note) is new"},
};

class SplitShape : public SplitWorld {
 protected:
  SplitShape() : role_("split_shape_" + database_.name()) { database_.Sql("CREATE ROLE " + role_); }
  void TearDown() override {
    SplitWorld::TearDown();
    database_.Sql(fmt::format("DROP OWNED BY {0}; DROP ROLE {0}", role_));
  }
  [[nodiscard]] std::string ForRole(std::string sql) const {
    if (const auto at = sql.find("{role}"); at != std::string::npos) sql.replace(at, 6, role_);
    return sql;
  }
  // The gate itself stays shut at first for some of the changes, until it is opened all the same.
  [[nodiscard]] Ran OpenTheGate(const Words& environment = {}) const {
    const Ran once = Run({"resume", RunId(), "--gate", kGate}, environment);
    return once.code == 0 && StateOfRun() == "waiting"
               ? Run({"resume", RunId(), "--gate", kGate}, environment)
               : once;
  }

  std::string role_;
};

TEST_F(SplitShape, NoChangeOfOthersIsLostWithoutAWord) {
  MakeTable(10);
  database_.Sql(fmt::format("GRANT CREATE ON SCHEMA public TO {}", role_));  // an owner needs it
  ASSERT_EQ(Run(Split()).code, 0);
  Words resume{"resume", RunId(), "--gate", kGate};
  for (const Change& change : kChanges) {
    SCOPED_TRACE(change.sql);
    database_.Sql(ForRole(change.sql));
    const Ran ran = Run(resume);
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, AllOf(HasSubstr(change.said), HasSubstr("Nothing was swapped")));
    EXPECT_EQ(Number("SELECT count(*) FROM orders WHERE note IS NOT NULL"), 10);
    database_.Sql(ForRole(change.back));
    resume = {"resume", RunId()};
  }
  // Each was taken back: the run goes on as if nothing had been.
  database_.Sql(fmt::format("REVOKE ALL ON SCHEMA public FROM {}", role_));
  const Ran ran = Run(resume);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Dump(), PlainDump());
}

TEST_F(SplitShape, ARunThatIsRefusedCanBeTakenBack) {
  MakeTable(10);
  ASSERT_EQ(Run(Split()).code, 0);
  database_.Sql("CREATE INDEX late ON orders (slug, id)");
  const Ran ran = OpenTheGate();
  EXPECT_EQ(ran.code, 4) << ran.err;
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(database_.Value("SELECT to_regclass('late')"), "late");
}

// The swap has looked, and waits for its lock: it looks again when it has it.
TEST_F(SplitShape, AChangeWhileTheSwapWaitsIsFoundUnderItsLock) {
  MakeTable(10);
  ASSERT_EQ(Run(Split()).code, 0);
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT FROM order_note LIMIT 1");
  Program program = Start({"resume", RunId(), "--gate", kGate});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "t",
      kLimit);
  database_.Sql("CREATE INDEX late ON orders (slug, id)");
  reader.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("index late is new"));
  EXPECT_EQ(database_.Value("SELECT to_regclass('late')"), "late");
  database_.Sql("DROP INDEX late");
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  EXPECT_EQ(Dump(), PlainDump());
}

TEST_F(SplitShape, WithoutTheGuardAnIndexIsLostAndHiddenRowsAreShown) {
  MakeTable(10);
  database_.Sql(fmt::format("GRANT SELECT ON orders TO {}", role_));
  ASSERT_EQ(Run(Split()).code, 0);
  database_.Sql(
      "CREATE INDEX late ON orders (slug, id); CREATE POLICY p ON orders USING (amount > 5);"
      "ALTER TABLE orders ENABLE ROW LEVEL SECURITY");
  const Ran ran = OpenTheGate({"PGALTER_SAFEGUARDS_OFF=split-shape"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT to_regclass('late')"), "NULL");
  Session user = database_.Connect();
  user.Exec("SET ROLE " + role_);
  EXPECT_EQ(user.Value("SELECT count(*) FROM orders"), "5");
  EXPECT_EQ(user.Value("SELECT count(*) FROM order_note"), "10");
}

// Between the plan and the first step: a type can be changed only there, before the view hangs on
// it.
TEST_F(SplitShape, AChangeBeforeTheFirstStepIsFoundBeforeTheRowsAreCopied) {
  MakeTable(10);
  ASSERT_EQ(Run(Split(), {"PGALTER_FAIL_POINT=step-started:1"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("ALTER TABLE orders ALTER slug TYPE varchar(70)");
  const Ran ran = Run({"resume", RunId()});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("the type of column slug has changed"));
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT to_regclass('order_note')"), "NULL");
}

// Trap: a default is shown in the session's time zone and style, and a plan may come from another.
TEST_F(SplitShape, SettingsOfTheSessionAreNoChange) {
  database_.Sql(
      "CREATE EXTENSION IF NOT EXISTS citext; CREATE DOMAIN small AS int CHECK (VALUE < 100);"
      "CREATE TABLE t (id int PRIMARY KEY, a timestamptz DEFAULT '2026-01-01 12:00+00', b interval "
      "DEFAULT '1 day 2 hours', c varchar(9) DEFAULT 'x', d numeric(9, 2) DEFAULT 0, e bytea "
      "DEFAULT '\\x0102', f citext DEFAULT 'Y' COLLATE \"C\", g float8[] DEFAULT '{0.1,2}', h "
      "small "
      "DEFAULT 5, i date DEFAULT '2026-03-04', \"J j\" char(4) DEFAULT 'j', k bit(3) DEFAULT "
      "'101', "
      "l text DEFAULT lower('A') || 'b', CHECK (a > '2020-01-01 00:00+00'));"
      "CREATE INDEX ON t (b) WHERE a > '2026-06-01 00:00+00'; INSERT INTO t (id) VALUES (1), (2)");
  const std::string kept = WriteText("kept.json", "");
  const char* wish = "t (a, b, c, d, e, f, g, h, i, \"J j\", k, l) INTO more";
  const Ran plan =
      Run({"plan", "--split", wish, "--out", kept},
          {"PGOPTIONS=-c TimeZone=Asia/Tokyo -c DateStyle=SQL,DMY -c bytea_output=escape"
           " -c extra_float_digits=-3"});
  ASSERT_EQ(plan.code, 0) << plan.err;
  const Ran begun = Run({"run", kept, "--yes"});
  ASSERT_EQ(begun.code, 0) << begun.err;
  const Ran ran = Run({"resume", RunId(), "--gate", "moved-more"},
                      {"PGOPTIONS=-c IntervalStyle=iso_8601 -c TimeZone=America/Lima"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

// Trap: a lock that keeps readers out, while both tables are compared.
TEST_F(SplitShape, TheComparisonComesBackWhenItsLockIsRefused) {
  MakeTable(10);
  ASSERT_EQ(Run(Split({"--through", "expand"})).code, 0);
  ASSERT_EQ(
      Run({"resume", RunId(), "--through", "migrate"}, {"PGALTER_FAIL_POINT=split-all-copied"})
          .code,
      kKilled);
  AwaitNoRunner();
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE pgalter_new_order_note");
  Program program = Start({"resume", RunId(), "--through", "migrate"});
  database_.AwaitValue("SELECT progress->>'note' LIKE 'somebody holds a lock%' FROM pgalter.run",
                       "t", kLimit);
  holder.Exec("COMMIT");
  EXPECT_EQ(program.Wait(kLimit).code, 0);
}

}  // namespace
}  // namespace pgalter::test
