// A split from its beginning to its end or back, killed anywhere; and what is refused.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <regex>

#include "tests/fault/split_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class SplitRun : public SplitWorld {
 protected:
  void ExpectRefused(const std::string& wish, const std::string& said, int code = 4) const {
    const std::string before = Dump();
    const Ran ran = Run({"run", "--split", wish, "--yes"});
    EXPECT_EQ(ran.code, code) << wish << "\n" << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(said)) << wish;
    EXPECT_EQ(Dump(), before);
    EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  }
};

TEST_F(SplitRun, OldAndNewProgramsLoseNothingAndTheTableEndsAsPlainStatementsMakeIt) {
  MakeTable();
  SplitUsers old_form(database_.conninfo(), SplitUsers::Form::kOld, 1);
  const Ran ran = Run(Split());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "waiting");
  SplitUsers new_form(database_.conninfo(), SplitUsers::Form::kNew, 2);
  ASSERT_TRUE(Within(kLimit, [&] { return new_form.writes() > 300 && old_form.writes() > 300; }))
      << old_form.errors() << new_form.errors();
  old_form.Stop();
  const Ran on = Run({"resume", RunId(), "--gate", kGate});
  ASSERT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(StateOfRun(), "done");
  const long then = new_form.writes();
  ASSERT_TRUE(Within(kLimit, [&] { return new_form.writes() > then + 100; })) << new_form.errors();
  new_form.Stop();
  EXPECT_EQ(old_form.errors(), "");
  EXPECT_EQ(new_form.errors(), "");
  ExpectBooksRight();
  EXPECT_EQ(Dump(), PlainDump());
}

TEST_F(SplitRun, IsTakenBackAtTheGateWithoutALoss) {
  MakeTable();
  const std::string before = Dump();
  SplitUsers old_form(database_.conninfo(), SplitUsers::Form::kOld, 1);
  ASSERT_EQ(Run(Split()).code, 0);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(StateOfRun(), "reverted");
  old_form.Stop();
  EXPECT_EQ(old_form.errors(), "");
  EXPECT_EQ(Dump(), before);
  ExpectBooksRight("orders");
}

TEST_F(SplitRun, SaysWhatItWouldDoAndWritesNothing) {
  MakeTable(10);
  const std::string before = Dump();
  const Ran dry = Run(Split({"--dry-run"}));
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("Point of no return: step 1.6-split-swap"));
  const Ran plan = Run({"plan", "--split", "orders (note) INTO order_note", "--output", "json"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("\"kind\":\"split-copy\""));
  const Ran sql = Run({"plan", "--split", "orders (note) INTO order_note", "--output", "sql"});
  EXPECT_THAT(sql.out, HasSubstr("These statements alone do not."));
  EXPECT_EQ(Dump(), before);
}

TEST_F(SplitRun, APlanThatWasKeptIsCarriedOut) {
  MakeTable();
  const std::string kept = WriteText("kept.json", "");
  ASSERT_EQ(
      Run({"plan", "--split", "orders (note, slug, noted_at) INTO order_note", "--out", kept}).code,
      0);
  const Ran ran = Run({"run", kept, "--yes", "--through", "contract"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Dump(), PlainDump());
  ExpectBooksRight();
}

TEST_F(SplitRun, TheViewAnswersAsTheTableWill) {
  MakeTable(100);
  ASSERT_EQ(Run(Split()).code, 0);
  Session user = database_.Connect();
  const auto fails = [&](const std::string& sql) {
    try {
      user.Exec(sql);
    } catch (const SqlError& error) {
      return error.sqlstate();
    }
    return std::string("done");
  };
  for (const bool swapped : {false, true}) {
    SCOPED_TRACE(swapped);
    if (swapped) {
      ASSERT_EQ(Run({"resume", RunId(), "--gate", kGate}).code, 0);
    }
    const int n = swapped ? 2000 : 1000;
    user.Exec(fmt::format("INSERT INTO orders (id, amount) VALUES ({0}, 1), ({1}, 1)", n, n + 1));
    EXPECT_EQ(user.Value(fmt::format("SELECT count(*) FROM order_note WHERE id = {}", n)), "0");
    EXPECT_EQ(user.Value(fmt::format("INSERT INTO order_note (id, note) VALUES ({}, 'a') RETURNING "
                                     "noted_at = '2026-01-01 00:00+00'",
                                     n)),
              "t");
    EXPECT_EQ(fails(fmt::format("INSERT INTO order_note (id, note) VALUES ({}, 'b')", n)), "23505");
    EXPECT_EQ(fails("INSERT INTO order_note (id, note) VALUES (-1, 'b')"), "23503");
    EXPECT_EQ(fails(fmt::format("INSERT INTO order_note (id, slug) VALUES ({}, 'z')", n + 1)),
              "23502");
    EXPECT_EQ(fails(fmt::format("INSERT INTO order_note (id, note) VALUES ({}, '')", n + 1)),
              "23514");
    EXPECT_EQ(fails(fmt::format("INSERT INTO order_note VALUES ({}, 'x', 's7')", n + 1)), "23505");
    EXPECT_EQ(
        user.Value(fmt::format("UPDATE order_note SET note = note || 'b' WHERE id = {} RETURNING "
                               "note",
                               n)),
        "ab");
    EXPECT_EQ(user.Value(fmt::format("DELETE FROM order_note WHERE id = {} RETURNING note", n)),
              "ab");
    EXPECT_EQ(user.Value(fmt::format("SELECT count(*) FROM order_note WHERE id = {}", n)), "0");
    EXPECT_EQ(user.Value(fmt::format("SELECT count(*) FROM orders WHERE id = {}", n)), "1");
    EXPECT_EQ(fails(fmt::format("INSERT INTO order_note (id, note) VALUES ({}, 'again')", n)),
              "done");
  }
}

TEST_F(SplitRun, CarriesRightsAndGivesNoOthers) {
  MakeTable(10);
  const std::string role = "split_reader_" + database_.name();
  const std::string nobody = "split_nobody_" + database_.name();
  database_.Sql(fmt::format(
      "CREATE ROLE {0}; CREATE ROLE {1}; GRANT SELECT ON orders TO {0} WITH GRANT OPTION;"
      "GRANT UPDATE (note, amount) ON orders TO {0};"
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {1}",
      role, nobody));
  ASSERT_EQ(Run(Split()).code, 0);
  const std::string rights = fmt::format(
      "SELECT concat_ws(' ', has_table_privilege('{0}', t, 'SELECT WITH GRANT OPTION'),"
      " has_column_privilege('{0}', t, 'note', 'UPDATE'), has_column_privilege('{0}', t, 'slug', "
      "'UPDATE'), has_table_privilege('{0}', t, 'INSERT'), has_table_privilege('{1}', t, 'SELECT'))"
      " FROM (VALUES ('order_note')) v (t)",
      role, nobody);
  EXPECT_EQ(database_.Value(rights), "t t f f f");
  EXPECT_EQ(database_.Value(fmt::format(
                "SELECT has_table_privilege('{}', 'pgalter_new_order_note', 'SELECT')", nobody)),
            "f");
  EXPECT_EQ(database_.Value(fmt::format(
                "SELECT has_table_privilege('{}', 'pgalter_new_order_note', 'SELECT')", role)),
            "f");
  database_.Sql(fmt::format("SET ROLE {}; UPDATE order_note SET note = 'mine' WHERE id = 1", role));
  ASSERT_EQ(Run({"resume", RunId(), "--gate", kGate}).code, 0);
  EXPECT_EQ(database_.Value(rights), "t t f f f");
  EXPECT_EQ(database_.Value("SELECT note FROM order_note WHERE id = 1"), "mine");
  database_.Sql(fmt::format("DROP OWNED BY {0}; DROP OWNED BY {1}; DROP ROLE {0}; DROP ROLE {1}",
                            role, nobody));
}

TEST_F(SplitRun, RefusesByNameWhatCannotGoWithTheColumns) {
  MakeTable(10);
  database_.Sql(
      "CREATE TABLE other (id bigint PRIMARY KEY, slug text REFERENCES orders (slug));"
      "CREATE VIEW noted AS SELECT id, noted_at FROM orders;"
      "ALTER TABLE orders ADD c1 int, ADD c2 int GENERATED ALWAYS AS (amount * 2) STORED, ADD c3 "
      "bigserial, ADD c4 int, ADD c5 int, ADD c6 int, ADD c7 int REFERENCES other (id), ADD c8 "
      "uuid DEFAULT gen_random_uuid(), ADD c9 int, ADD c10 int;"
      "CREATE INDEX of_two ON orders (amount, c1);"
      "ALTER TABLE orders ADD CONSTRAINT together CHECK (amount > c4);"
      "CREATE UNIQUE INDEX partly ON orders (c5) WHERE c5 > 0;"
      "CREATE STATISTICS st ON amount, c6 FROM orders;"
      "ALTER TABLE orders ADD CONSTRAINT unproven CHECK (c9 > 0) NOT VALID;"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
      "CREATE TRIGGER tr BEFORE UPDATE OF c10 ON orders FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TABLE keyless (a int, b int); CREATE TABLE parted (a int PRIMARY KEY, b int) "
      "PARTITION BY RANGE (a);"
      "CREATE TABLE secured (a int PRIMARY KEY, b int); ALTER TABLE secured ENABLE ROW LEVEL "
      "SECURITY;"
      "CREATE TABLE late (a int PRIMARY KEY DEFERRABLE, b int);"
      "CREATE TABLE base (a int PRIMARY KEY, b int); CREATE TABLE child () INHERITS (base)");
  ExpectRefused("orders (slug) INTO n", "constraint other_slug_fkey on table public.other");
  ExpectRefused("orders (noted_at) INTO n", "go with them: view public.noted (noted_at)");
  ExpectRefused("orders (c1) INTO n", "index of_two");
  ExpectRefused("orders (c2) INTO n", "generated");
  ExpectRefused("orders (c3) INTO n", "sequence public.orders_c3_seq");
  ExpectRefused("orders (c4) INTO n", "constraint together");
  ExpectRefused("orders (c5) INTO n", "index partly");
  ExpectRefused("orders (c6) INTO n", "statistics object");
  ExpectRefused("orders (c7) INTO n", "constraint orders_c7_fkey");
  ExpectRefused("orders (c8) INTO n", "another value each time");
  ExpectRefused("orders (c9) INTO n", "constraint unproven");
  ExpectRefused("orders (c10) INTO n", "trigger tr");
  ExpectRefused("orders (id) INTO n", "primary key");
  ExpectRefused("orders (note) INTO book", "there is a public.book already");
  ExpectRefused("orders (nothing) INTO n", "no column nothing", 2);
  ExpectRefused("nowhere (a) INTO n", "no table nowhere", 2);
  ExpectRefused("orders () INTO n", "a table, its columns and a new table are not all named", 2);
  ExpectRefused("orders (note,) INTO n", "is no column's name", 2);
  ExpectRefused("orders INTO n", "write 'orders (note, noted_at) INTO order_note'", 2);
  ExpectRefused("keyless (b) INTO n", "no primary key");
  ExpectRefused("parted (b) INTO n", "partitioned");
  ExpectRefused("secured (b) INTO n", "row security");
  ExpectRefused("late (b) INTO n", "deferrable");
  ExpectRefused("base (b) INTO n", "inherit");
}

// The gate is passed with the second.
struct Kill {
  const char* before_gate;
  const char* behind_gate;
};

class KilledSplit : public SplitWorld, public ::testing::WithParamInterface<Kill> {};

TEST_P(KilledSplit, GoesOnToTheSameEnd) {
  MakeTable();
  {
    SplitUsers old_form(database_.conninfo(), SplitUsers::Form::kOld, 1);
    RunKilledAt(GetParam().before_gate, Split());
    ASSERT_EQ(StateOfRun(), "waiting");
    old_form.Stop();
    EXPECT_EQ(old_form.errors(), "");
    EXPECT_GT(old_form.writes(), 0);
  }
  SplitUsers new_form(database_.conninfo(), SplitUsers::Form::kNew, 2);
  RunKilledAt(GetParam().behind_gate, {"resume", RunId(), "--gate", kGate});
  ASSERT_EQ(StateOfRun(), "done");
  new_form.Stop();
  EXPECT_EQ(new_form.errors(), "");
  ExpectBooksRight();
  EXPECT_EQ(Dump(), PlainDump());
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Points, KilledSplit,
    ::testing::Values(
        Kill{"step-started:1", ""}, Kill{"ddl-unrecorded:1", ""},
        Kill{"ddl-uncommitted:1", "split-compared"}, Kill{"ddl-committed:1", "ddl-unrecorded:1"},
        Kill{"ddl-unrecorded:2", "ddl-uncommitted:1"}, Kill{"ddl-uncommitted:2", "ddl-committed:1"},
        Kill{"ddl-committed:2", "step-recorded:1"}, Kill{"step-started:3", "step-recorded:2"},
        Kill{"split-checked:1", "ddl-unrecorded:2"}, Kill{"split-checked:3", "ddl-uncommitted:2"},
        Kill{"split-copied:2", "ddl-committed:2"}, Kill{"split-committed:1", "step-started:2"},
        Kill{"split-committed:3", "lease-taken"}, Kill{"split-all-copied", ""},
        Kill{"split-compared", "step-done-unrecorded:1"}, Kill{"step-done-unrecorded:3", ""},
        Kill{"index-in-ledger", ""}, Kill{"index-built", ""}, Kill{"index-recorded", ""}),
    [](const auto& each) {
      return std::regex_replace(
          fmt::format("{}_{}", each.param.before_gate, each.param.behind_gate), std::regex("[-:]"),
          "_");
    });

class KilledRevert : public SplitWorld, public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledRevert, GoesOnToTheTableFromBefore) {
  MakeTable();
  const std::string before = Dump();
  SplitUsers old_form(database_.conninfo(), SplitUsers::Form::kOld, 1);
  ASSERT_EQ(Run(Split()).code, 0);
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(StateOfRun(), "reverted");
  old_form.Stop();
  EXPECT_EQ(old_form.errors(), "");
  EXPECT_EQ(Dump(), before);
  ExpectBooksRight("orders");
}

INSTANTIATE_TEST_SUITE_P(
    Points, KilledRevert,
    ::testing::Values("undo-unrecorded:1", "undo-recorded:1", "undo-unrecorded:2",
                      "undo-recorded:2", "undo-recorded:3", "ddl-uncommitted:1", "undo-recorded:4"),
    [](const auto& each) {
      return std::regex_replace(std::string(each.param), std::regex("[-:]"), "_");
    });

}  // namespace
}  // namespace pgalter::test
