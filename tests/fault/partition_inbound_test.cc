// Foreign keys of other tables that refer to a key which a conversion widens: they get the column,
// too, or triggers take their place. A foreign key of the server's own is the oracle.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/inbound_world.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PartitionInboundActions : public PartitionInbound,
                                public ::testing::WithParamInterface<ActionCase> {};

TEST_P(PartitionInboundActions, TriggersDoWhatTheForeignKeyDid) {
  MakePair(GetParam().actions, "trigger", GetParam().pair);
  Session own = database_.Connect();
  Session control = database_.Connect();
  control.Exec("SET search_path = control");
  for (const char* sql : kOfTwo) {
    EXPECT_EQ(Said(own, sql), Said(control, sql)) << sql;
    for (const char* rows : {"SELECT coalesce(string_agg(c::text, ' ' ORDER BY n), '') FROM c",
                             "SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM p"})
      EXPECT_EQ(own.Value(rows), control.Value(rows)) << "after " << sql;
  }
  ExpectTakenBack();
}

INSTANTIATE_TEST_SUITE_P(
    Actions, PartitionInboundActions,
    ::testing::Values(
        ActionCase{"None", ""}, ActionCase{"Restrict", "ON DELETE RESTRICT ON UPDATE RESTRICT"},
        ActionCase{"Cascade", "ON DELETE CASCADE ON UPDATE CASCADE"},
        ActionCase{"SetNull", "ON DELETE SET NULL ON UPDATE SET NULL"},
        ActionCase{"SetDefault", "ON DELETE SET DEFAULT ON UPDATE SET DEFAULT"},
        ActionCase{"CascadeOfDeletes", "ON DELETE CASCADE"}, ActionCase{"Deferrable", "DEFERRABLE"},
        ActionCase{"Deferred", "DEFERRABLE INITIALLY DEFERRED"},
        ActionCase{"CascadeDeferrable", "ON DELETE CASCADE DEFERRABLE"},
        ActionCase{"UpdateCascadeDeferred", "ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"},
        ActionCase{"NoneOfPartitions", "", kParted},
        ActionCase{"CascadeOfPartitions", "ON DELETE CASCADE ON UPDATE CASCADE", kParted},
        ActionCase{"SetNullOfPartitions", "ON DELETE SET NULL ON UPDATE SET NULL", kParted},
        ActionCase{"DeferredOfPartitions", "DEFERRABLE INITIALLY DEFERRED", kParted}),
    [](const auto& param) { return std::string(param.param.name); });

// The table that refers is partitioned once the triggers are there: they look into its partitions.
struct PartedLaterCase {
  const char* name;
  const char* actions;
  const char* strategy;  // empty: by hand
};

class PartitionInboundPartedLater : public PartitionInbound,
                                    public ::testing::WithParamInterface<PartedLaterCase> {
 protected:
  void PartTheOther() {
    const std::string strategy = GetParam().strategy;
    if (strategy.empty()) {
      database_.Sql(
          "DROP TRIGGER fk ON c; ALTER TABLE c RENAME TO c_old; ALTER TABLE c_old RENAME "
          "CONSTRAINT "
          "c_pkey TO c_old_pkey; CREATE TABLE c (LIKE c_old INCLUDING DEFAULTS, PRIMARY KEY (n)) "
          "PARTITION BY RANGE (n); ALTER TABLE c ATTACH PARTITION c_old DEFAULT");
      const std::string deferrable = database_.Value(
          "SELECT CASE WHEN condeferred THEN 'DEFERRABLE INITIALLY DEFERRED' ELSE '' END FROM "
          "pg_constraint WHERE conrelid = 'control.c'::regclass AND contype = 'f'");
      database_.Sql("CREATE CONSTRAINT TRIGGER fk AFTER INSERT OR UPDATE ON c " + deferrable +
                    " FOR EACH ROW EXECUTE FUNCTION c_fk_refers()");
      return;
    }
    const Ran ran = Run({"partition", "convert", "c", "--by", "range(n)", "--every", "1000",
                         "--strategy", strategy, "--yes"});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
};

TEST_P(PartitionInboundPartedLater, TriggersDoWhatTheForeignKeyDid) {
  MakePair(GetParam().actions, "trigger");
  PartTheOther();
  if (HasFatalFailure()) return;
  ASSERT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'public.c'::regclass"),
            "p");
  Session own = database_.Connect();
  Session control = database_.Connect();
  control.Exec("SET search_path = control");
  for (const char* sql : kOfTwo) {
    EXPECT_EQ(Said(own, sql), Said(control, sql)) << sql;
    for (const char* rows : {"SELECT coalesce(string_agg(c::text, ' ' ORDER BY n), '') FROM c",
                             "SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM p"})
      EXPECT_EQ(own.Value(rows), control.Value(rows)) << "after " << sql;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ways, PartitionInboundPartedLater,
    ::testing::Values(
        PartedLaterCase{"NoneAttached", "", "attach"},
        PartedLaterCase{"CascadeAttached", "ON DELETE CASCADE ON UPDATE CASCADE", "attach"},
        PartedLaterCase{"SetDefaultAttached", "ON DELETE SET DEFAULT ON UPDATE SET DEFAULT",
                        "attach"},
        PartedLaterCase{"DeferredCopied", "DEFERRABLE INITIALLY DEFERRED", "copy"},
        PartedLaterCase{"SetNullCopied", "ON DELETE SET NULL ON UPDATE SET NULL", "copy"},
        PartedLaterCase{"CascadeByHand", "ON DELETE CASCADE ON UPDATE CASCADE", ""},
        PartedLaterCase{"DeferredByHand", "DEFERRABLE INITIALLY DEFERRED", ""}),
    [](const auto& param) { return std::string(param.param.name); });

// An older program's functions look into ONLY the table, and are mended where it is converted.
TEST_F(PartitionInbound, OlderTriggersLookIntoPartitionsToo) {
  for (const char* strategy : {"attach", "copy"}) {
    SCOPED_TRACE(strategy);
    database_.Sql(
        "DROP SCHEMA IF EXISTS control CASCADE; DROP TABLE IF EXISTS c, p CASCADE; DROP "
        "FUNCTION IF EXISTS c_fk_refers, c_fk_referred");
    MakePair("DEFERRABLE INITIALLY DEFERRED", "trigger");
    database_.Sql(
        "DO $$ DECLARE f text; BEGIN FOR f IN SELECT pg_get_functiondef(oid) FROM pg_proc WHERE "
        "proname LIKE 'c_fk_%' LOOP EXECUTE replace(regexp_replace(f, ' AND "
        "\\(y\\.tableoid.*?\\)\\)', "
        "'', 'g'), 'FROM public.c AS y', 'FROM ONLY public.c AS y'); END LOOP; END $$");
    ASSERT_EQ(Number("SELECT count(*) FROM pg_proc WHERE proname LIKE 'c_fk_%' AND prosrc LIKE "
                     "'%ONLY public.c AS y%' AND prosrc NOT LIKE '%tableoid%'"),
              2);
    const Ran ran = Run({"partition", "convert", "c", "--by", "range(n)", "--every", "1000",
                         "--strategy", strategy, "--yes"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    Session user = database_.Connect();
    EXPECT_EQ(Said(user, "INSERT INTO c VALUES (1, 99)"), "23503");
    user.Exec("INSERT INTO c VALUES (2, 5)");
    EXPECT_EQ(Said(user, "DELETE FROM p WHERE id = 5"), "23503");
    EXPECT_EQ(Said(user, "DELETE FROM p WHERE id = 6"), "done");
    if (strategy == std::string("copy")) {
      ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    }
  }
}

// As of a foreign key: rows of a table that inherits from the other refer to nothing.
TEST_F(PartitionInbound, TriggersLeaveHeirsAlone) {
  MakePair("ON DELETE CASCADE", "trigger");
  Session own = database_.Connect();
  Session control = database_.Connect();
  control.Exec("SET search_path = control");
  for (Session* user : {&own, &control}) {
    user->Exec("CREATE TABLE heir () INHERITS (c); INSERT INTO heir VALUES (1, 1)");
    user->Exec("INSERT INTO c VALUES (2, 1)");
    EXPECT_EQ(Said(*user, "DELETE FROM p WHERE id = 1"), "done");
    EXPECT_EQ(user->Value("SELECT string_agg(n::text, ' ') FROM c"), "1");
  }
}

TEST_F(PartitionInbound, OfAPartitionedTableIsDroppedAndComesBack) {
  MakePair("", "drop", kParted);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = "
                   "'public'::regnamespace"),
            0);
  database_.Sql("INSERT INTO c VALUES (1, 1), (20, 2)");
  ExpectTakenBack();
}

// A partition has the columns of its table, and a foreign key of its own.
TEST_F(PartitionInbound, OfAPartitionIsNotWidened) {
  database_.Sql(
      "CREATE TABLE p (id int PRIMARY KEY, made timestamptz NOT NULL); CREATE TABLE c (n int, e "
      "int) PARTITION BY RANGE (n); CREATE TABLE c_1 PARTITION OF c (CONSTRAINT fk FOREIGN KEY (e) "
      "REFERENCES p) DEFAULT");
  const Ran refused = Run(Convert("widen"));
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("public.c_1 is a partition, and takes no column of its own"));
  EXPECT_THAT(refused.err, HasSubstr("--inbound-fk trigger, or drop"));
  Session owner = database_.Connect();
  EXPECT_EQ(Said(owner, "ALTER TABLE c_1 ADD COLUMN e_made timestamptz"), "42809");
  const Ran asked = Run(Convert("refuse"));
  EXPECT_EQ(asked.code, 4) << asked.err;
  EXPECT_THAT(asked.err, HasSubstr("Two ways out: --inbound-fk trigger"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

TEST_F(PartitionInbound, WhatKeepsAPartitionedTableFromBeingWidened) {
  database_.Sql(fmt::format(fmt::runtime(kParted), "") +
                "; ALTER TABLE c_2_1 ADD CONSTRAINT fk_wide CHECK (n > 0)");
  const Ran named = Run(Convert("widen"));
  EXPECT_EQ(named.code, 4) << named.err;
  EXPECT_THAT(named.err, HasSubstr("public.c_2_1 has a constraint fk_wide already"));
  database_.Sql("ALTER TABLE c_2_1 DROP CONSTRAINT fk_wide; CREATE PUBLICATION leaf FOR TABLE c_1");
  const Ran published = Run(Convert("widen"));
  EXPECT_EQ(published.code, 4) << published.err;
  EXPECT_THAT(published.err, HasSubstr("publication leaf sends public.c"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

// To a key that holds the column: of a partitioned table it is adopted after the cut-over.
class PartitionInboundStays : public PartitionInbound {
 protected:
  void MakeStaying() {
    const std::string pair =
        "CREATE TABLE p (id int, made timestamptz, PRIMARY KEY (id, made)); INSERT INTO p SELECT "
        "g, "
        "now() - g * interval '1 day' FROM generate_series(1, 20) g; CREATE TABLE c (n int, e int, "
        "e_made timestamptz, CONSTRAINT fk FOREIGN KEY (e, e_made) REFERENCES p ON DELETE CASCADE) "
        "PARTITION BY LIST (n); CREATE TABLE c_1 PARTITION OF c FOR VALUES IN (1); CREATE TABLE "
        "c_2 "
        "PARTITION OF c DEFAULT; INSERT INTO c SELECT id % 3, id, made FROM p";
    database_.Sql("CREATE SCHEMA control; SET search_path = control; " + pair +
                  "; SET search_path = public; " + pair);
  }
  void ExpectKey() {
    EXPECT_EQ(database_.Value("SELECT string_agg(format('%s %s %s', conrelid::regclass, "
                              "convalidated, conparentid = 0), ', ' ORDER BY conrelid) FROM "
                              "pg_constraint WHERE contype = 'f' AND confrelid = "
                              "'public.p'::regclass"),
              "c t t, c_1 t f, c_2 t f");
    Session user = database_.Connect();
    EXPECT_EQ(Said(user, "INSERT INTO c VALUES (1, 1, now())"), "23503");
    user.Exec("BEGIN; DELETE FROM p WHERE id = 4");
    EXPECT_EQ(user.Value("SELECT count(*) FROM c WHERE e = 4"), "0");
    user.Exec("ROLLBACK");
  }
};

TEST_F(PartitionInboundStays, OfAPartitionedTable) {
  MakeStaying();
  const Ran ran = Run(Convert("refuse"));
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectKey();
  ExpectTakenBack();
  ExpectKey();
}

TEST_F(PartitionInboundStays, AndGoesBackBeforeItIsAdopted) {
  for (const char* point : {"attach-committed", "key-adopted"}) {
    SCOPED_TRACE(point);
    if (database_.Value("SELECT to_regclass('p') IS NULL") == "t") MakeStaying();
    ASSERT_EQ(Run(Convert("refuse"), {fmt::format("PGALTER_FAIL_POINT={}", point)}).code, kKilled);
    AwaitNoRunner();
    ExpectTakenBack();
    ExpectKey();
  }
}

TEST_F(PartitionInboundStays, IsAdoptedByResume) {
  MakeStaying();
  ASSERT_EQ(Run(Convert("refuse"), {"PGALTER_FAIL_POINT=key-adopted"}).code, kKilled);
  AwaitNoRunner();
  const Ran ran = Run({"resume", RunId()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectKey();
}

// What is still to be done for it is left out where users have seen to that.
TEST_F(PartitionInboundStays, OrIsDroppedOrRenamedByThen) {
  constexpr const char* kWhole = "foreign key fk was not made for the whole of public.c: ";
  struct Case {
    const char* users;
    std::string says;
    const char* keys;
  };
  const std::vector<Case> cases{
      {"ALTER TABLE c RENAME TO d", "", "c_1 t f, c_2 t f, d t t"},
      {"DROP TABLE c", kWhole + std::string("the table is gone"), ""},
      {"ALTER TABLE c_1 DROP CONSTRAINT fk; ALTER TABLE c_2 DROP CONSTRAINT fk",
       kWhole + std::string("no partition has it for itself any more"), ""},
      {"ALTER TABLE c_1 DROP CONSTRAINT fk; ALTER TABLE c_1 RENAME TO c_0; ALTER TABLE c ADD "
       "CONSTRAINT fk FOREIGN KEY (e, e_made) REFERENCES p",
       kWhole + std::string("the table has one of that name"), "c t t, c_0 t f, c_2 t f, c_2 t t"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.users);
    MakeStaying();
    ASSERT_EQ(Run(Convert("refuse"), {"PGALTER_FAIL_POINT=attach-committed"}).code, kKilled);
    AwaitNoRunner();
    database_.Sql(one.users);
    const Ran ran = Run({"resume", RunId()});
    ASSERT_EQ(ran.code, 0) << ran.err;
    const std::string status = Run({"status", RunId()}).out;
    if (one.says.empty())
      EXPECT_THAT(status, Not(HasSubstr("foreign key")));
    else
      EXPECT_THAT(status, HasSubstr(one.says));
    EXPECT_EQ(
        database_.Value("SELECT coalesce(string_agg(format('%s %s %s', conrelid::regclass, "
                        "convalidated, conparentid = 0), ', ' ORDER BY "
                        "conrelid::regclass::text, conparentid = 0), '') FROM pg_constraint WHERE "
                        "contype = 'f' AND confrelid = 'public.p'::regclass"),
        one.keys);
    ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    database_.Sql("DROP TABLE IF EXISTS p, c, d CASCADE; DROP SCHEMA control CASCADE");
  }
}

class PartitionInboundItself : public PartitionInbound,
                               public ::testing::WithParamInterface<ActionCase> {};

TEST_P(PartitionInboundItself, TriggersDoWhatTheForeignKeyDid) {
  MakePair(GetParam().actions, "trigger", kTree);
  Session own = database_.Connect();
  Session control = database_.Connect();
  control.Exec("SET search_path = control");
  for (const char* sql : kOfOne) {
    EXPECT_EQ(Said(own, sql), Said(control, sql)) << sql;
    const char* const rows =
        "SELECT coalesce(string_agg(format('%s-%s', id, up), ' ' ORDER BY id), '') FROM p";
    EXPECT_EQ(own.Value(rows), control.Value(rows)) << "after " << sql;
  }
  ExpectTakenBack();
}

INSTANTIATE_TEST_SUITE_P(
    Actions, PartitionInboundItself,
    ::testing::Values(ActionCase{"None", ""},
                      ActionCase{"Cascade", "ON DELETE CASCADE ON UPDATE CASCADE"},
                      ActionCase{"SetNull", "ON DELETE SET NULL ON UPDATE SET NULL"},
                      ActionCase{"SetDefault", "ON DELETE SET DEFAULT"},
                      ActionCase{"Deferred", "DEFERRABLE INITIALLY DEFERRED"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(PartitionInbound, OfTheTableToItselfIsDroppedAndComesBack) {
  MakePair("", "drop", kTree);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = "
                   "'public'::regnamespace"),
            0);
  database_.Sql("INSERT INTO p VALUES (30, now() + interval '70 days', 1)");
  ExpectTakenBack();
  Session user = database_.Connect();
  EXPECT_EQ(Said(user, "DELETE FROM p WHERE id = 1"), "23503");
}

TEST_F(PartitionInbound, OfTheTableToItselfIsNotWidened) {
  database_.Sql(fmt::format(fmt::runtime(kTree), ""));
  const Ran refused = Run(Convert("widen"));
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("it refers to the table itself"));
  EXPECT_THAT(refused.err, HasSubstr("--inbound-fk trigger, or drop"));
  Words copied = Convert("refuse");
  copied.insert(copied.end(), {"--strategy", "copy"});
  const Ran by_copy = Run(copied);
  EXPECT_EQ(by_copy.code, 4) << by_copy.err;
  EXPECT_THAT(by_copy.err, HasSubstr("Two ways out: --inbound-fk trigger"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

// To a key that stays, which the server would bind to the first partition; a copy makes it again.
TEST_F(PartitionInbound, OfTheTableToItselfByAKeyThatStaysIsNotAttached) {
  database_.Sql(
      "CREATE TABLE p (id int, made timestamptz, up int, CONSTRAINT whole PRIMARY KEY (id, made), "
      "CONSTRAINT fk FOREIGN KEY (up, made) REFERENCES p)");
  const Ran refused = Run(Convert("drop", {"--strategy", "attach"}));
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("fk refers to the table itself by a key that stays"));
  const Ran copied = Run(Convert("drop"));
  EXPECT_EQ(copied.code, 0) << copied.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conrelid = 'p'::regclass AND contype "
                   "= 'f' AND conparentid = 0 AND convalidated AND confrelid = conrelid"),
            1);
}

// Rows that refer to each other go together; a row elsewhere keeps its partition.
TEST_F(PartitionInbound, OfTheTableToItselfHoldsPartitionsThatOthersReferTo) {
  MakePair("", "trigger", kTree);
  const std::string first = database_.Value("SELECT tableoid::regclass FROM p WHERE id = 1");
  database_.Sql("INSERT INTO p VALUES (30, now() + interval '70 days', 1)");
  const Ran refused = Run({"partition", "detach", first, "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("rows of public.p refer to its rows"));
  database_.Sql("UPDATE p SET up = NULL WHERE id = 30");
  const Ran gone = Run({"partition", "detach", first, "--yes"});
  EXPECT_EQ(gone.code, 0) << gone.err;
  EXPECT_EQ(Number("SELECT count(*) FROM p"), 1);
}

struct RaceCase {
  const char* name;
  const char* child;   // the isolation of who inserts a row that refers
  const char* parent;  // and of who deletes what it refers to
  const char* insert_said;
  const char* delete_said;
};

class PartitionInboundRaces : public PartitionInbound,
                              public ::testing::WithParamInterface<RaceCase> {
 protected:
  Session Begin(const char* isolation) const {
    Session session = database_.Connect();
    session.Exec(fmt::format("BEGIN ISOLATION LEVEL {}; SELECT count(*) FROM pg_class", isolation));
    return session;
  }
};

TEST_P(PartitionInboundRaces, TheOneWhoRefersComesFirst) {
  MakePair("", "trigger");
  Session child = Begin(GetParam().child);
  Session parent = Begin(GetParam().parent);
  child.Exec("INSERT INTO c VALUES (1, 1)");
  parent.Send("DELETE FROM p WHERE id = 1; COMMIT");
  database_.AwaitLockWait(parent.backend_pid());
  child.Exec("COMMIT");
  EXPECT_EQ(Waited(parent), GetParam().delete_said);
  EXPECT_EQ(Number("SELECT count(*) FROM c"), 1);
  EXPECT_EQ(Orphans(), 0);
}

TEST_P(PartitionInboundRaces, TheOneWhoDeletesComesFirst) {
  MakePair("", "trigger");
  Session child = Begin(GetParam().child);
  Session parent = database_.Connect();
  parent.Exec("BEGIN; DELETE FROM p WHERE id = 1");
  child.Send("INSERT INTO c VALUES (1, 1); COMMIT");
  database_.AwaitLockWait(child.backend_pid());
  parent.Exec("COMMIT");
  EXPECT_EQ(Waited(child), GetParam().insert_said);
  EXPECT_EQ(Number("SELECT count(*) FROM c"), 0);
  EXPECT_EQ(Orphans(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Isolations, PartitionInboundRaces,
    ::testing::Values(
        RaceCase{"ReadCommitted", "READ COMMITTED", "READ COMMITTED", "23503", "23503"},
        RaceCase{"ChildRepeatable", "REPEATABLE READ", "READ COMMITTED", "40001", "23503"},
        RaceCase{"ChildSerializable", "SERIALIZABLE", "READ COMMITTED", "40001", "23503"},
        RaceCase{"ParentRepeatable", "READ COMMITTED", "REPEATABLE READ", "23503", "0A000"},
        RaceCase{"BothSerializable", "SERIALIZABLE", "SERIALIZABLE", "40001", "0A000"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(PartitionInbound, WithoutTheLockTheRaceIsLost) {
  MakePair("", "trigger");
  database_.Sql(
      "DO $$ BEGIN EXECUTE (SELECT replace(pg_get_functiondef(oid), ' FOR KEY SHARE', '') FROM "
      "pg_proc WHERE proname = 'c_fk_refers'); END $$");
  Session child = database_.Connect();
  child.Exec("BEGIN; INSERT INTO c VALUES (1, 1)");
  database_.Sql("DELETE FROM p WHERE id = 1");
  child.Exec("COMMIT");
  EXPECT_EQ(Orphans(), 1);
}

TEST_F(PartitionInbound, ADeleteThatIsTakenBackLetsTheOtherIn) {
  MakePair("", "trigger");
  Session parent = database_.Connect();
  parent.Exec("BEGIN; DELETE FROM p WHERE id = 1");
  Session child = database_.Connect();
  child.Send("INSERT INTO c VALUES (1, 1)");
  database_.AwaitLockWait(child.backend_pid());
  parent.Exec("ROLLBACK");
  EXPECT_EQ(Waited(child), "done");
  EXPECT_EQ(Orphans(), 0);
}

TEST_F(PartitionInbound, ACascadeReachesWhoCameWhileItWaited) {
  MakePair("ON DELETE CASCADE", "trigger");
  Session child = database_.Connect();
  child.Exec("BEGIN; INSERT INTO c VALUES (1, 1)");
  Session parent = database_.Connect();
  parent.Send("DELETE FROM p WHERE id = 1");
  database_.AwaitLockWait(parent.backend_pid());
  child.Exec("COMMIT");
  EXPECT_EQ(Waited(parent), "done");
  EXPECT_EQ(Number("SELECT count(*) FROM c"), 0);
}

// The key is not unique any more: two rows have it, and each of two users deletes one.
TEST_F(PartitionInbound, TwinsDoNotBothGo) {
  MakePair("", "trigger");
  database_.Sql(
      "INSERT INTO p VALUES (1, now() + interval '70 days'); INSERT INTO c VALUES (1, 1)");
  Session one = database_.Connect();
  one.Exec("BEGIN; DELETE FROM p WHERE id = 1 AND made < now()");
  Session other = database_.Connect();
  other.Send("DELETE FROM p WHERE id = 1 AND made > now()");
  database_.AwaitLockWait(other.backend_pid());
  one.Exec("COMMIT");
  EXPECT_EQ(Waited(other), "23503");
  EXPECT_EQ(Orphans(), 0);
}

TEST_F(PartitionInbound, TruncateAndAMoveWithAnotherKeyAreRefused) {
  MakePair("ON DELETE CASCADE", "trigger");
  Session user = database_.Connect();
  user.Exec("INSERT INTO c VALUES (1, 1)");
  EXPECT_EQ(Said(user, "TRUNCATE p"), "0A000");
  EXPECT_EQ(Said(user, "UPDATE p SET id = 100, made = now() + interval '70 days' WHERE id = 1"),
            "0A000");
  EXPECT_EQ(Said(user, "UPDATE p SET id = 102, made = now() + interval '70 days' WHERE id = 2"),
            "done");
  EXPECT_EQ(Said(user, "TRUNCATE c; TRUNCATE p"), "done");
}

struct TruncateCase {
  const char* name;
  const char* isolation;
  const char* strategy;
};

class PartitionInboundTruncates : public PartitionInbound,
                                  public ::testing::WithParamInterface<TruncateCase> {};

// Who truncates may not see the row that refers, if that came after his snapshot.
TEST_P(PartitionInboundTruncates, NotPastARowThatCameMeanwhile) {
  MakePair("", "trigger", kPair, {"--strategy", GetParam().strategy});
  Session parent = database_.Connect();
  parent.Exec(
      fmt::format("BEGIN ISOLATION LEVEL {}; SELECT count(*) FROM c", GetParam().isolation));
  database_.Sql("INSERT INTO c VALUES (1, 7)");
  EXPECT_EQ(Said(parent, "TRUNCATE p; COMMIT"), "0A000");
  EXPECT_EQ(Number("SELECT count(*) FROM p"), 20);
  EXPECT_EQ(Orphans(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Isolations, PartitionInboundTruncates,
    ::testing::Values(TruncateCase{"CommittedAttached", "READ COMMITTED", "attach"},
                      TruncateCase{"RepeatableAttached", "REPEATABLE READ", "attach"},
                      TruncateCase{"SerializableAttached", "SERIALIZABLE", "attach"},
                      TruncateCase{"CommittedCopied", "READ COMMITTED", "copy"},
                      TruncateCase{"RepeatableCopied", "REPEATABLE READ", "copy"},
                      TruncateCase{"SerializableCopied", "SERIALIZABLE", "copy"}),
    [](const auto& param) { return std::string(param.param.name); });

struct LaterCase {
  const char* name;
  const char* way;
  const char* strategy;
  const char* pair = kPair;
};

// What has become of the table that refers by the time of the revert.
class PartitionInboundLater : public PartitionInbound,
                              public ::testing::WithParamInterface<LaterCase> {
 protected:
  void SetUp() override {
    MakePair("ON DELETE CASCADE", GetParam().way, GetParam().pair,
             {"--strategy", GetParam().strategy});
  }
  // "other.c2 true true": the table, whether it is valid, and whether it is no part of another.
  [[nodiscard]] std::string Keys() const {
    return database_.Value(
        "SELECT string_agg(format('%s %s %s', conrelid::regclass, convalidated, conparentid = 0), "
        "', ' ORDER BY conrelid::regclass::text) FROM pg_constraint WHERE conname = 'fk' AND "
        "confrelid = 'public.p'::regclass");
  }
  [[nodiscard]] Ran Revert() const { return Run({"revert", RunId(), "--yes"}); }
  void ExpectNoFunctions() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_proc WHERE proname LIKE 'c_fk_%'"), 0);
  }
};

TEST_P(PartitionInboundLater, ItHasAnotherNameAndAStrangerItsOwn) {
  database_.Sql(
      "CREATE SCHEMA other; ALTER TABLE c RENAME TO c2; ALTER TABLE c2 SET SCHEMA other; CREATE "
      "TABLE c (n int PRIMARY KEY, e int); CREATE TRIGGER fk BEFORE UPDATE ON c FOR EACH ROW "
      "EXECUTE FUNCTION suppress_redundant_updates_trigger()");
  const Ran reverted = Revert();
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Keys(), GetParam().pair == kPair ? "other.c2 t t"
                                             : "c_1 t f, c_2 t f, c_2_1 t f, other.c2 t t");
  EXPECT_EQ(database_.Value("SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_trigger JOIN "
                            "pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal AND relnamespace "
                            "IN ('public'::regnamespace, 'other'::regnamespace)"),
            "c");
  ExpectNoFunctions();
  Session user = database_.Connect();
  EXPECT_EQ(Said(user, "INSERT INTO other.c2 VALUES (1, 99)"), "23503");
}

TEST_P(PartitionInboundLater, ItIsGone) {
  database_.Sql("DROP TABLE c; CREATE TABLE c (n int PRIMARY KEY, e int)");
  const Ran reverted = Revert();
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("foreign key fk of public.c is not added again: the table "
                                      "is gone"));
  EXPECT_EQ(Keys(), "NULL");
  ExpectNoFunctions();
}

// It has another one in its place, as a rebuild and a conversion of its own make it.
TEST_P(PartitionInboundLater, ItWasRebuilt) {
  if (GetParam().pair != kPair || GetParam().way == std::string("trigger"))
    GTEST_SKIP() << "what a table hands on is asked of one that has nothing else to hand on";
  const std::string run = RunId();
  const Ran rebuilt = Run({"rebuild", "c", "--alter", "ADD COLUMN more int", "--yes"});
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  const Ran finished = Run({"finish", RunId(), "--yes"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Ran parted =
      Run({"partition", "convert", "c", "--by", "range(n)", "--every", "1000", "--yes"});
  ASSERT_EQ(parted.code, 0) << parted.err;
  database_.Sql("ALTER TABLE c RENAME TO c2");
  const Ran reverted = Run({"revert", run, "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Keys(), ::testing::StartsWith("c2 t t, c_"));
}

// The run of an older program knows tables by their names alone.
TEST_P(PartitionInboundLater, IsKnownByItsNameToAnOlderRun) {
  database_.Sql(
      "UPDATE pgalter.run SET spec = jsonb_set(spec - 'inbound_relids', '{going_keys,keys}', "
      "coalesce((SELECT jsonb_agg(k - 'relid') FROM jsonb_array_elements(spec #> "
      "'{going_keys,keys}') k), '[]'), false)");
  ExpectTakenBack();
}

INSTANTIATE_TEST_SUITE_P(
    Ways, PartitionInboundLater,
    ::testing::Values(LaterCase{"DroppedAttached", "drop", "attach"},
                      LaterCase{"DroppedCopied", "drop", "copy"},
                      LaterCase{"TriggersAttached", "trigger", "attach"},
                      LaterCase{"TriggersCopied", "trigger", "copy"},
                      LaterCase{"DroppedOfPartitions", "drop", "copy", kParted},
                      LaterCase{"TriggersOfPartitions", "trigger", "attach", kParted}),
    [](const auto& param) { return std::string(param.param.name); });

// The first partition, with all rows.
class PartitionInboundGoes : public PartitionInbound {
 protected:
  void MakeGoing(const char* actions) {
    MakePair(actions, "trigger");
    first_ = database_.Value("SELECT tableoid::regclass FROM p WHERE id = 1");
  }
  [[nodiscard]] Ran Detach() const { return Run({"partition", "detach", first_, "--yes"}); }

  std::string first_;
};

// No trigger fires then: it is asked before.
TEST_F(PartitionInboundGoes, NotWithRowsThatOthersReferTo) {
  MakeGoing("");
  database_.Sql("INSERT INTO c VALUES (1, 1)");
  const Ran refused = Detach();
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("rows of public.c refer to its rows"));
  EXPECT_THAT(refused.err, HasSubstr("DELETE FROM public." + first_));
  Session user = database_.Connect();
  EXPECT_EQ(Said(user, "DELETE FROM " + first_), "23503");
  database_.Sql("DELETE FROM c");
  const Ran detached = Detach();
  EXPECT_EQ(detached.code, 0) << detached.err;
  EXPECT_EQ(Number("SELECT count(*) FROM p"), 0);
}

// It is known by its triggers and itself, not by a name that another one may have by then.
TEST_F(PartitionInboundGoes, NotWithRowsOfATableThatIsCalledOtherwise) {
  MakeGoing("");
  database_.Sql(
      "INSERT INTO c VALUES (1, 1); ALTER TABLE c RENAME TO d; CREATE TABLE c (n int, e int)");
  EXPECT_THAT(Detach().err, HasSubstr("rows of public.d refer to its rows"));
  database_.Sql("CREATE SCHEMA away; ALTER TABLE d SET SCHEMA away");
  EXPECT_THAT(Detach().err, HasSubstr("rows of away.d refer to its rows"));
  database_.Sql("DROP TRIGGER fk ON away.d");
  EXPECT_THAT(Detach().err, HasSubstr("rows of away.d refer to its rows"));
  database_.Sql("UPDATE away.d SET e = NULL; INSERT INTO c VALUES (1, 1)");
  const Ran detached = Detach();
  EXPECT_EQ(detached.code, 0) << detached.err;
}

// Whether rows of c refer to the partition takes long, on any machine: keys of 100 kB are compared.
class PartitionGoesSlowly : public PartitionInboundGoes {
 protected:
  static constexpr const char* kIndex = "CREATE INDEX ON public.c (e)";
  void MakeSlow(const char* way, const Words& more = {}) {
    database_.Sql(
        "CREATE TABLE p (id text PRIMARY KEY, made timestamptz NOT NULL); INSERT INTO p SELECT g, "
        "now() - g * interval '1 day' FROM generate_series(1, 20) g; CREATE TABLE c (n int PRIMARY "
        "KEY, e text, CONSTRAINT fk FOREIGN KEY (e) REFERENCES p); CREATE TABLE long (e text); "
        "INSERT INTO long SELECT repeat('x', 100000)");
    Words words{"partition", "convert",      "p", "--by", "range(made)", "--every",
                "1 month",   "--inbound-fk", way, "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = Run(words);
    ASSERT_EQ(ran.code, 0) << ran.err;
    first_ = database_.Value("SELECT tableoid::regclass FROM p WHERE id = '1'");
    database_.Sql(
        fmt::format("SET session_replication_role = replica; INSERT INTO c SELECT g, e{} FROM "
                    "long, generate_series(1, 10000) g",
                    way == std::string("widen") ? ", now()" : ""));
  }
  void ExpectSaysWhatHelps(const Ran& ran, int code) const {
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.err + ran.out, HasSubstr("whether rows of public.c refer to "));
    EXPECT_THAT(ran.err + ran.out,
                HasSubstr(fmt::format(
                    "no index of public.c begins with e: pgalter run --sql '{}' --yes", kIndex)));
    EXPECT_THAT(ran.err + ran.out, HasSubstr("--hold-budget"));
    EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM pg_inherits WHERE inhrelid = '{}'::regclass",
                                 first_)),
              1);
  }
};

TEST_F(PartitionGoesSlowly, IsSeenBeforeAnybodyWaits) {
  MakeSlow("trigger");
  ExpectSaysWhatHelps(Run({"partition", "detach", first_, "--hold-budget", "1ms", "--dry-run"}), 4);
  ExpectSaysWhatHelps(Run({"partition", "detach", first_, "--hold-budget", "1ms", "--yes"}), 4);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.run"), 1);  // the conversion alone
  const Ran indexed = Run({"run", "--sql", kIndex, "--yes"});
  ASSERT_EQ(indexed.code, 0) << indexed.err;
  const Ran gone = Run({"partition", "detach", first_, "--hold-budget", "60s", "--yes"});
  EXPECT_EQ(gone.code, 0) << gone.err;
}

TEST_F(PartitionGoesSlowly, AndByRetainToo) {
  MakeSlow("trigger");
  const Ran split = Run({"partition", "split", first_, "--every", "1 day", "--yes"});
  ASSERT_EQ(split.code, 0) << split.err;
  first_ = database_.Value("SELECT tableoid::regclass FROM p WHERE id = '20'");
  const Ran retained =
      Run({"partition", "retain", "p", "--keep", "19 days", "--hold-budget", "1ms", "--dry-run"});
  EXPECT_THAT(retained.out, HasSubstr("stays: whether rows of public.c refer to "));
  ExpectSaysWhatHelps(retained, 0);
}

// It is asked before anybody waits; who keeps readers from a table is named, and not waited for.
TEST_F(PartitionInboundGoes, IsNotWaitedForBehindALock) {
  database_.Sql(
      "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p_a PARTITION OF "
      "p "
      "FOR VALUES FROM (0) TO (100); CREATE TABLE p_b PARTITION OF p FOR VALUES FROM (100) TO "
      "(200); "
      "INSERT INTO p VALUES (150); CREATE TABLE c (n int REFERENCES p)");
  const auto refused = [this](const Words& words, const std::string& who) {
    const Ran ran = Start(words).Wait(std::chrono::seconds(20));
    EXPECT_EQ(ran.code, 5) << ran.err;
    EXPECT_THAT(ran.err,
                HasSubstr("whether rows of public.c refer to those of public.p_a: " + who));
  };
  const Words detach{"partition", "detach", "p_a", "--yes"};
  const Words retain{"partition", "retain", "p", "--keep", "1", "--yes"};
  Session other = database_.Connect();
  other.Exec("SET application_name = 'a migration'; BEGIN; LOCK TABLE c");
  const std::string migration = fmt::format("pid {} (a migration) has kept", other.backend_pid());
  refused(detach, migration);
  refused(retain, migration);
  other.Exec("PREPARE TRANSACTION 'kept'");
  refused(detach, "a prepared transaction has kept");
  other.Exec("ROLLBACK PREPARED 'kept'");
  // Who only waits for the lock keeps readers out as well.
  other.Exec("BEGIN; SELECT count(*) FROM c");
  Session waiting = database_.Connect();
  waiting.Exec("SET application_name = 'a waiting one'");
  waiting.Send("BEGIN; LOCK TABLE c");
  database_.AwaitLockWait(waiting.backend_pid());
  refused(detach, fmt::format("pid {} (a waiting one) has kept", waiting.backend_pid()));
  other.Exec("COMMIT");
  waiting.Wait();
}

TEST_F(PartitionGoesSlowly, AlsoWhereItIsAForeignKey) {
  MakeSlow("widen");
  ExpectSaysWhatHelps(Run({"partition", "detach", first_, "--hold-budget", "1ms", "--yes"}), 4);
  database_.Sql("INSERT INTO c VALUES (0, '1')");
  const Ran refers = Run({"partition", "detach", first_, "--yes"});
  EXPECT_EQ(refers.code, 4) << refers.err;
  EXPECT_THAT(refers.err, HasSubstr("rows of public.c refer to its rows by foreign key fk_wide"));
}

// It was quick enough for what users were said to mind, and is not under the lock.
TEST_F(PartitionGoesSlowly, IsSaidOfAnOverrunOfTheTriggersQuestion) {
  MakeSlow("trigger");
  ExpectSaysWhatHelps(Run({"partition", "detach", first_, "--hold-budget", "60s", "--yes"},
                          {"PGALTER_LIMITS=hold-budget=1"}),
                      5);
  const Ran resumed = Run({"resume", RunId(), "--hold-budget", "60s"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST_F(PartitionGoesSlowly, IsSaidOfAnOverrunOfTheServersQuestion) {
  MakeSlow("widen");
  ExpectSaysWhatHelps(Run({"partition", "detach", first_, "--hold-budget", "60s", "--yes"},
                          {"PGALTER_LIMITS=hold-budget=1"}),
                      5);
  const Ran resumed = Run({"resume", RunId(), "--hold-budget", "60s"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

// A writer of the table that refers keeps the server from an answer, as many rows would.
TEST_F(PartitionGoesSlowly, IsSaidOfOneThatGoesConcurrently) {
  MakeSlow("widen", {"--default", "no"});
  Session writer = database_.Connect();
  writer.Exec("BEGIN; INSERT INTO c VALUES (0, NULL)");
  ExpectSaysWhatHelps(Run({"partition", "detach", first_, "--hold-budget", "60s", "--yes"},
                          {"PGALTER_LIMITS=hold-budget=100"}),
                      5);
  writer.Exec("COMMIT");
  const Ran resumed = Run({"resume", RunId(), "--hold-budget", "60s"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST_F(PartitionInboundGoes, AfterADeleteThatCascades) {
  MakeGoing("ON DELETE CASCADE");
  database_.Sql("INSERT INTO c VALUES (1, 1), (2, NULL)");
  EXPECT_EQ(Detach().code, 4);
  database_.Sql("DELETE FROM " + first_);
  const Ran detached = Detach();
  EXPECT_EQ(detached.code, 0) << detached.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(n::text, ' ') FROM c"), "2");
}

TEST_F(PartitionInboundGoes, WhenTheTableThatReferredIsGone) {
  MakeGoing("");
  database_.Sql("INSERT INTO c VALUES (1, 1); DROP TABLE c");
  const Ran detached = Detach();
  EXPECT_EQ(detached.code, 0) << detached.err;
}

// As the documentation has it, for who does it himself: nobody can begin to refer meanwhile.
TEST_F(PartitionInboundGoes, ByHandUnderALockOfTheWhole) {
  MakeGoing("");
  Session hand = database_.Connect();
  hand.Exec("BEGIN; LOCK TABLE p");
  Session child = database_.Connect();
  child.Send("INSERT INTO c VALUES (1, 1)");
  database_.AwaitLockWait(child.backend_pid());
  EXPECT_EQ(hand.Value("SELECT count(*) FROM c JOIN " + first_ + " AS e ON e.id = c.e"), "0");
  hand.Exec("ALTER TABLE p DETACH PARTITION " + first_ + "; COMMIT");
  EXPECT_EQ(Waited(child), "23503");
  EXPECT_EQ(Orphans(), 0);
}

// What is documented as not checked.
TEST_F(PartitionInboundGoes, ByHandWithoutThatLeavesOrphans) {
  MakeGoing("");
  database_.Sql("INSERT INTO c VALUES (1, 1); ALTER TABLE p DETACH PARTITION " + first_);
  EXPECT_EQ(Orphans(), 1);
}

TEST_F(PartitionInboundGoes, RetainLeavesThoseAndTakesTheOthers) {
  MakeGoing("");
  const Ran split = Run({"partition", "split", first_, "--every", "1 day", "--yes"});
  ASSERT_EQ(split.code, 0) << split.err;
  database_.Sql("INSERT INTO c VALUES (1, 15)");
  const Ran retained = Run({"partition", "retain", "p", "--keep", "10 days", "--yes"});
  EXPECT_EQ(retained.code, 0) << retained.err;
  EXPECT_THAT(retained.out, HasSubstr("stays: rows of public.c refer to its rows"));
  EXPECT_EQ(database_.Value("SELECT string_agg(id::text, ' ') FROM p WHERE id >= 12"), "15");
  EXPECT_EQ(Orphans(), 0);
}

// Nobody refers when it is asked first; who begins to while the lock is waited for is seen under
// it.
class PartitionGoesLate : public PartitionInboundGoes {
 protected:
  // A reader of `partition` keeps the lock until the row that refers is there.
  Ran WhileOneRefers(const Words& words, const std::string& partition, int id,
                     const Words& environment = {}) const {
    Session reader = database_.Connect();
    reader.Exec("BEGIN; SELECT count(*) FROM " + partition);
    Program program = Start(words, environment);
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "t",
        std::chrono::seconds(30));
    database_.Sql(fmt::format("INSERT INTO c VALUES (1, {})", id));
    reader.Exec("COMMIT");
    return program.Wait();
  }
  Ran DetachWhileOneRefers(const Words& environment = {}) const {
    return WhileOneRefers({"partition", "detach", first_, "--yes"}, first_, 1, environment);
  }
  void DropDefault() const {
    database_.Sql("DROP TABLE " +
                  database_.Value("SELECT partdefid::regclass FROM pg_partitioned_table WHERE "
                                  "partrelid = 'public.p'::regclass"));
  }
  void ExpectRefusedThenDone(const Ran& refused, const std::string& partition) {
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("rows of public.c refer to its rows"));
    EXPECT_EQ(Orphans(), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM p"), 20);
    database_.Sql("DELETE FROM c");
    const Ran resumed = Run({"resume", RunId()});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM pg_inherits WHERE inhrelid = '{}'::regclass",
                                 partition)),
              0);
  }
};

TEST_F(PartitionGoesLate, NotBesideADefaultPartition) {
  MakeGoing("");
  const Ran refused = DetachWhileOneRefers();
  ExpectRefusedThenDone(refused, first_);
}

TEST_F(PartitionGoesLate, NotWhereItCouldGoConcurrently) {
  MakeGoing("");
  DropDefault();
  const Ran refused = DetachWhileOneRefers();
  ExpectRefusedThenDone(refused, first_);
}

TEST_F(PartitionGoesLate, NotByRetain) {
  MakeGoing("");
  ASSERT_EQ(Run({"partition", "split", first_, "--every", "1 day", "--yes"}).code, 0);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const std::string oldest = database_.Value("SELECT tableoid::regclass FROM p WHERE id = 20");
  const Ran refused =
      WhileOneRefers({"partition", "retain", "p", "--keep", "10 days", "--yes"}, oldest, 20);
  ExpectRefusedThenDone(refused, oldest);
}

// A harness that cannot fail proves nothing.
TEST_F(PartitionGoesLate, AndLeavesAnOrphanWithoutItsSafeguard) {
  MakeGoing("");
  const Ran ran = DetachWhileOneRefers({"PGALTER_SAFEGUARDS_OFF=referrers-under-lock"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Orphans(), 1);
}

constexpr const char* kTwoColumns =
    "CREATE TABLE p (\"A %\" text, b int, made date NOT NULL, PRIMARY KEY (\"A %\", b)); INSERT "
    "INTO p SELECT 'x' || g, g, current_date - g FROM generate_series(1, 9) g; CREATE TABLE "
    "\"C's\" (x text, y int, CONSTRAINT \"f %s\" FOREIGN KEY (x, y) REFERENCES p MATCH FULL ON "
    "DELETE SET NULL)";

TEST_F(PartitionInbound, TwoColumnsThatMatchInFullWithOddNames) {
  database_.Sql(kTwoColumns);
  const Ran ran = Run({"partition", "convert", "p", "--by", "range(made)", "--every", "1 month",
                       "--inbound-fk", "trigger", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  Session user = database_.Connect();
  EXPECT_EQ(Said(user, "INSERT INTO \"C's\" VALUES ('x1', 1)"), "done");
  EXPECT_EQ(Said(user, "INSERT INTO \"C's\" VALUES (NULL, 1)"), "23503");
  EXPECT_EQ(Said(user, "INSERT INTO \"C's\" VALUES (NULL, NULL)"), "done");
  try {
    user.Exec("INSERT INTO \"C's\" VALUES ('x1', 2)");
    ADD_FAILURE();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "23503");
    EXPECT_THAT(error.what(), HasSubstr("violates foreign key constraint \"f %s\""));
  }
  EXPECT_EQ(Said(user, "DELETE FROM p WHERE b = 1"), "done");
  EXPECT_EQ(user.Value("SELECT count(*) FROM \"C's\" WHERE x IS NULL AND y IS NULL"), "2");
}

class PartitionWidenedOf : public PartitionWidened,
                           public ::testing::WithParamInterface<WidenedCase> {};

TEST_P(PartitionWidenedOf, UnderItsUsersAndBack) {
  MakeLines(GetParam().lines);
  const std::vector<std::string> before = Dump(database_);
  Lines lines(database_.conninfo());
  const Ran converted = Run(Convert({"--inbound-fk", "widen"}));
  ASSERT_EQ(converted.code, 0) << converted.err;
  lines.Stop();
  EXPECT_EQ(lines.errors(), "");
  ExpectWide();
  ExpectNothingOfOurs();
  Session user = database_.Connect();
  // A row that moves takes those along that refer to it.
  user.Exec("INSERT INTO line (event) SELECT id FROM events WHERE id = 5");
  user.Exec("UPDATE events SET made = now() + interval '70 days' WHERE id = 5");
  ExpectWide();
  EXPECT_THROW(user.Exec("INSERT INTO line (event) VALUES (999999)"), SqlError);
  user.Exec("DELETE FROM events WHERE id = 5");
  EXPECT_EQ(user.Value("SELECT count(*) FROM line WHERE event = 5"), "0");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(Lines, PartitionWidenedOf,
                         ::testing::Values(WidenedCase{Referring::kPlain, ""},
                                           WidenedCase{Referring::kInParts, ""},
                                           WidenedCase{Referring::kInPartsAndFull, ""}),
                         [](const auto& one) { return NameOf(one.param); });

class CommentsOfKeys : public PartitionInbound, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    const bool wide = GetParam() == std::string("widen");
    if (wide && Number("SHOW server_version_num") < 150000) GTEST_SKIP() << "refused there";
  }
  // Of foreign keys as users know them.
  [[nodiscard]] std::string Comments() const {
    return database_.Value(
        "SELECT string_agg(format('%s.%s: %s', f.conrelid::regclass, f.conname, d.description), '; "
        "'"
        " ORDER BY f.conrelid::regclass::text, f.conname) FROM pg_constraint f JOIN pg_class c ON "
        "c.oid = f.conrelid AND NOT"
        " c.relispartition JOIN pg_description d ON d.objoid = f.oid AND d.classoid ="
        " 'pg_constraint'::regclass WHERE f.contype = 'f'");
  }
};

// Of those that it has, those to it that stay, are made again by parts, or go.
TEST_P(CommentsOfKeys, ComeAlongAndBack) {
  database_.Sql(
      "CREATE TABLE kind (id int PRIMARY KEY); CREATE TABLE p (id int PRIMARY KEY, made date NOT "
      "NULL, code int, kind int CONSTRAINT \"its own\" REFERENCES kind, UNIQUE (code, made));"
      "CREATE TABLE c (n int PRIMARY KEY, e int CONSTRAINT goes REFERENCES p ON DELETE CASCADE, "
      "code int, made date, CONSTRAINT stays FOREIGN KEY (code, made) REFERENCES p (code, made));"
      "CREATE TABLE d (n int, code int, made date, CONSTRAINT stays FOREIGN KEY (code, made) "
      "REFERENCES p (code, made)) PARTITION BY RANGE (n); CREATE TABLE d_1 PARTITION OF d FOR "
      "VALUES FROM (0) TO (100); INSERT INTO kind VALUES (1); INSERT INTO p VALUES (1, "
      "current_date, 1, 1); INSERT INTO c VALUES (1, 1, 1, current_date); INSERT INTO d VALUES (1, "
      "1, current_date); COMMENT ON CONSTRAINT \"its own\" ON p IS 'p''s'; COMMENT ON CONSTRAINT "
      "goes ON c IS 'c''s'; COMMENT ON CONSTRAINT stays ON c IS 'kept'; COMMENT ON CONSTRAINT "
      "stays "
      "ON d IS 'adopted'");
  const std::vector<std::string> before = Dump(database_);
  const std::string comments = Comments();
  const Ran ran = Run(Convert(GetParam()));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const bool wide = GetParam() == std::string("widen");
  EXPECT_EQ(Comments(), fmt::format("{}c.stays: kept; d.stays: adopted; p.its own: p's",
                                    wide ? "c.goes_wide: c's; " : ""));
  // What somebody has said since.
  database_.Sql("COMMENT ON CONSTRAINT \"its own\" ON p IS 'another'");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Comments(), "c.goes: c's; c.stays: kept; d.stays: adopted; p.its own: another");
  database_.Sql("COMMENT ON CONSTRAINT \"its own\" ON p IS 'p''s'");
  EXPECT_EQ(Comments(), comments);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Ways, CommentsOfKeys, ::testing::Values("drop", "trigger", "widen"),
                         [](const auto& way) { return std::string(way.param); });

// Their functions look where the role's search_path says.
TEST_F(PartitionInbound, ActionsOfTriggersCallUsersTriggers) {
  MakePair("ON DELETE CASCADE ON UPDATE CASCADE", "trigger");
  database_.Sql(
      "INSERT INTO c VALUES (1, 1), (2, 2); CREATE TABLE audit (what text); CREATE FUNCTION aud() "
      "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (tg_op); RETURN NULL; "
      "END $$; CREATE TRIGGER aud AFTER DELETE OR UPDATE ON c FOR EACH ROW EXECUTE FUNCTION aud()");
  database_.Sql("DELETE FROM p WHERE id = 1; UPDATE p SET id = 100 WHERE id = 2");
  EXPECT_EQ(database_.Value("SELECT string_agg(what, ' ' ORDER BY what) FROM audit"),
            "DELETE UPDATE");
  EXPECT_EQ(database_.Value("SELECT c::text FROM c"), "(2,100)");
}

// As an apply worker does, or a restore.
TEST_F(PartitionInbound, WidenedRowsMayComeWhileTriggersAreOff) {
  for (const char* pair : {kPair, kParted}) {
    MakePair("", "widen", pair);
    database_.Sql("SET session_replication_role = replica; INSERT INTO c VALUES (9, 3)");
    EXPECT_EQ(Number("SELECT count(*) FROM c JOIN p ON p.id = c.e AND p.made = c.e_made"), 1);
    database_.Sql("SET session_replication_role = replica; UPDATE c SET e = 4");
    EXPECT_EQ(Number("SELECT count(*) FROM c JOIN p ON p.id = c.e AND p.made = c.e_made"), 1);
    ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
    database_.Sql("DROP TABLE c, p; DROP SCHEMA control CASCADE");
  }
}

// No row of the table itself was moved.
TEST_F(PartitionInbound, WidensSeveralAndCountsAllTheirRows) {
  database_.Sql(fmt::format(fmt::runtime(kPair), ""));
  database_.Sql(
      "INSERT INTO c SELECT g, g FROM generate_series(1, 20) g; CREATE TABLE d (n int PRIMARY KEY, "
      "e int REFERENCES p); INSERT INTO d SELECT g, g FROM generate_series(1, 7) g");
  const Ran ran = Run(Convert("widen"));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("is done\n"));
  EXPECT_THAT(ran.err, HasSubstr("27 rows of tables that refer to public.p were filled"));
  EXPECT_EQ(Number("SELECT done_rows FROM pgalter.run"), 0);
}

class PartitionWidenedKilledAt : public PartitionWidened,
                                 public ::testing::WithParamInterface<WidenedCase> {};

TEST_P(PartitionWidenedKilledAt, ResumeEndsWide) {
  MakeLines(GetParam().lines);
  Lines lines(database_.conninfo());
  const Ran killed = Run(Convert({"--inbound-fk", "widen"}),
                         {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  lines.Stop();
  EXPECT_EQ(lines.errors(), "");
  ExpectWide();
  ExpectNothingOfOurs();
}

TEST_P(PartitionWidenedKilledAt, OrAnAbortLeavesAllAsItWas) {
  MakeLines(GetParam().lines);
  const std::vector<std::string> before = Dump(database_);
  const Ran killed = Run(Convert({"--inbound-fk", "widen"}),
                         {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  ExpectNothingOfOurs();
}

// Of a partitioned table each partition is validated in a transaction of its own.
INSTANTIATE_TEST_SUITE_P(
    Points, PartitionWidenedKilledAt,
    ::testing::Values(WidenedCase{Referring::kPlain, "ddl-committed"},
                      WidenedCase{Referring::kPlain, "ddl-committed:2"},
                      WidenedCase{Referring::kPlain, "backfill-settled"},
                      WidenedCase{Referring::kPlain, "ddl-committed:3"},
                      WidenedCase{Referring::kPlain, "attached"},
                      WidenedCase{Referring::kInParts, "ddl-committed"},
                      WidenedCase{Referring::kInParts, "ddl-committed:2"},
                      WidenedCase{Referring::kInParts, "ddl-committed:4"},
                      WidenedCase{Referring::kInParts, "ddl-committed:7"},
                      WidenedCase{Referring::kInParts, "backfill-settled"},
                      WidenedCase{Referring::kInParts, "ddl-committed:10"},
                      WidenedCase{Referring::kInParts, "attached"},
                      WidenedCase{Referring::kInPartsAndFull, "ddl-committed:2"},
                      WidenedCase{Referring::kInPartsAndFull, "backfill-settled"},
                      WidenedCase{Referring::kInPartsAndFull, "ddl-committed:13"}),
    [](const auto& one) { return NameOf(one.param); });

class PartitionWidenedSettledAt : public PartitionWidened,
                                  public ::testing::WithParamInterface<WidenedCase> {
 protected:
  void Begin() {
    MakeLines(GetParam().lines);
    before_ = Dump(database_);
    lines_at_work_.emplace(database_.conninfo());
    const Ran killed = Run(Convert({"--inbound-fk", "widen"}),
                           {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
    ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
    AwaitNoRunner();
  }
  void ExpectNoErrors() {
    lines_at_work_->Stop();
    EXPECT_EQ(lines_at_work_->errors(), "");
  }

  std::vector<std::string> before_;
  std::optional<Lines> lines_at_work_;
};

// The table is attached, and that which refers has not adopted the keys of its partitions yet.
TEST_P(PartitionWidenedSettledAt, ResumeEndsWide) {
  Begin();
  ResumeToTheEnd();
  ExpectNoErrors();
  ExpectWide();
  ExpectNothingOfOurs();
}

TEST_P(PartitionWidenedSettledAt, OrARevertLeavesAllAsItWas) {
  Begin();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectNoErrors();
  EXPECT_THAT(Difference(before_, Dump(database_)), IsEmpty());
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(Points, PartitionWidenedSettledAt,
                         ::testing::Values(WidenedCase{Referring::kPlain, "attach-committed"},
                                           WidenedCase{Referring::kInParts, "attach-committed"},
                                           WidenedCase{Referring::kInParts, "key-adopted"}),
                         [](const auto& one) { return NameOf(one.param); });

// One that comes once its siblings have the key, and is filled before the table adopts it.
TEST_F(PartitionWidened, APartitionThatComesMeanwhileIsWidenedToo) {
  MakeLines(Referring::kInParts);
  ASSERT_EQ(Run(Convert({"--inbound-fk", "widen"}), {"PGALTER_FAIL_POINT=ddl-committed:4"}).code,
            kKilled);
  AwaitNoRunner();
  database_.Sql(
      "CREATE TABLE line_late PARTITION OF line FOR VALUES FROM (100000) TO (200000); INSERT INTO "
      "events (id, made, kind) OVERRIDING SYSTEM VALUE VALUES (150000, now(), 1); INSERT INTO line "
      "(event) VALUES (150000)");
  ResumeToTheEnd();
  ++parts_;
  ExpectWide();
  database_.Sql("UPDATE events SET made = now() + interval '70 days' WHERE id = 150000");
  ExpectWide();
}

TEST_F(PartitionInbound, WaysOutThatAreNone) {
  database_.Sql(
      "CREATE ROLE inbound_other; CREATE TABLE p (id int PRIMARY KEY, made date NOT NULL); CREATE "
      "TABLE c (e int REFERENCES p, e_made int); ALTER TABLE c OWNER TO inbound_other");
  const Words convert{"partition",   "convert", "p",       "--by",
                      "range(made)", "--every", "1 month", "--inbound-fk"};
  const auto with = [&convert](const char* way) {
    Words words = convert;
    words.insert(words.end(), {way, "--yes"});
    return words;
  };
  const Ran trigger = Run(with("trigger"));
  EXPECT_EQ(trigger.code, 4);
  EXPECT_THAT(trigger.err, HasSubstr("give them one owner"));
  const Ran widen = Run(with("widen"));
  EXPECT_EQ(widen.code, 4);
  EXPECT_THAT(widen.err, HasSubstr("has a column e_made already"));
  const Ran refused = Run(with("refuse"));
  EXPECT_EQ(refused.code, 4);
  for (const char* way : {"--inbound-fk widen", "--inbound-fk trigger", "--inbound-fk drop"})
    EXPECT_THAT(refused.err, HasSubstr(way));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  database_.Sql("ALTER TABLE c OWNER TO CURRENT_USER; ALTER TABLE c FORCE ROW LEVEL SECURITY");
  const Ran forced = Run(with("trigger"));
  EXPECT_EQ(forced.code, 4);
  EXPECT_THAT(forced.err, HasSubstr("row security of public.c is forced"));
  database_.Sql("DROP TABLE c; DROP ROLE inbound_other");
}

// Who drops it owns it: found before the CHECK of the bound refuses users' rows.
TEST_F(PartitionInbound, OfAStrangersTableIsSaidBefore) {
  const std::string owner = "inbound_owner_" + database_.name();
  database_.Sql(fmt::format(
      "CREATE ROLE {0} LOGIN; GRANT ALL ON SCHEMA public TO {0}; GRANT CREATE ON DATABASE {1} TO "
      "{0}; CREATE TABLE p (id int PRIMARY KEY, made date NOT NULL); ALTER TABLE p OWNER TO {0};"
      "CREATE SCHEMA locked; CREATE TABLE locked.c (e int CONSTRAINT fk REFERENCES p)",
      owner, database_.name()));
  user_ = owner;
  const Ran refused = Run(Convert("drop"));
  EXPECT_EQ(refused.code, 10) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("does not own locked.c"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'pgalter%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  database_.Sql(fmt::format("DROP TABLE locked.c, p; DROP OWNED BY {0}; DROP ROLE {0}", owner));
}

}  // namespace
}  // namespace pgalter::test
