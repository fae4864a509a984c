// Partitions change places while rows of other tables refer to theirs by a foreign key: the key is
// there afterwards as it was, checks throughout, and no row is lost on either side.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/fault/partition_world.h"
#include "tests/fault/referring.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

struct LineCase {
  const char* name;
  const char* line;
  const char* point = "";
};

class PartitionReferred : public Partitioned {
 protected:
  void MakeReferred(const char* line = kPlainLine, const Words& more = {"--premake", "1"},
                    int rows = 2000) {
    MakeEvents(rows);
    ASSERT_EQ(Run(Convert(more)).code, 0);
    first_ = database_.Value(
        "SELECT coalesce(min(relname), '') FROM pg_class WHERE relname LIKE 'events_until_%' AND "
        "relkind = 'r'");
    database_.Sql(Referring(line));
    key_ = Key();
    parts_ = Parts();
  }

  [[nodiscard]] std::string Key() const {
    return database_.Value(
        "SELECT string_agg(format('%s %s %s %s %s', conrelid::regclass, conname, convalidated, "
        "pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')), '; ' ORDER BY "
        "conrelid::regclass::text) FROM pg_constraint WHERE contype = 'f' AND confrelid = "
        "'events'::regclass");
  }
  [[nodiscard]] std::string Parts() const {
    return database_.Value(
        "SELECT string_agg(c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid), '; ' ORDER BY "
        "c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
        "'events'::regclass");
  }
  [[nodiscard]] Words Split() const {
    return {"partition", "split", first_, "--every", "1 month", "--yes"};
  }

  void ExpectReferred() const {
    EXPECT_EQ(Key(), key_);
    EXPECT_EQ(Number(kUnreferred), 0);
    ExpectNothingOfOurs();
    ExpectSame();
  }
  // In old partitions and new ones, whatever users do beside.
  void ExpectItChecks() const {
    Session user = database_.Connect();
    for (const char* made : {"now() - interval '100 days'", "now()"}) {
      user.Exec("BEGIN");
      const std::string id = user.Value(
          fmt::format("INSERT INTO events (made, kind) VALUES ({}, 1) RETURNING id", made));
      const std::string lines = "SELECT count(*) FROM line WHERE event = " + id;
      EXPECT_EQ(user.Value(lines), "1");
      user.Exec("DELETE FROM events WHERE id = " + id);
      EXPECT_EQ(user.Value(lines), "0");
      user.Exec("ROLLBACK");
    }
    EXPECT_THROW(user.Exec("INSERT INTO line (event, event_made) VALUES (-1, now())"), SqlError);
  }

  std::string first_;
  std::string key_;
  std::string parts_;
};

class ReferredOf : public PartitionReferred, public ::testing::WithParamInterface<LineCase> {};

TEST_P(ReferredOf, IsSplitUnderItsUsersAndBack) {
  MakeReferred(GetParam().line);
  Users users(database_.conninfo(), 41);
  users.ahead = true;
  const Ran split = Run(Split());
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_THAT(split.err, HasSubstr("the foreign keys of public.line that refer to public.events"));
  users.AwaitWrites(100);
  EXPECT_NE(Parts(), parts_);
  ExpectItChecks();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(100);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(StateOfRun(), "reverted");
  EXPECT_EQ(Parts(), parts_);
  ExpectReferred();
  ExpectItChecks();
}

TEST_P(ReferredOf, IsMergedUnderItsUsersAndBack) {
  MakeReferred(GetParam().line, {"--strategy", "copy"}, 800);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const Rows names = database_.Connect().Exec(
      "SELECT relname FROM pg_class WHERE relname ~ '^events_p' AND relkind = 'r' ORDER BY relname "
      "LIMIT 3");
  Users users(database_.conninfo(), 42);
  users.ahead = true;
  const Ran merged = Run({"partition", "merge", names.at(0).at(0), names.at(1).at(0),
                          names.at(2).at(0), "--yes", "--hold-budget", "20s"});
  ASSERT_EQ(merged.code, 0) << merged.err;
  users.AwaitWrites(50);
  EXPECT_NE(Parts(), parts_);
  ExpectItChecks();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts_);
  ExpectReferred();
}

INSTANTIATE_TEST_SUITE_P(Lines, ReferredOf,
                         ::testing::Values(LineCase{"Plain", kPlainLine},
                                           LineCase{"Partitioned", kPartedLine}),
                         [](const auto& param) { return std::string(param.param.name); });

class ReferredKilledAt : public PartitionReferred, public ::testing::WithParamInterface<LineCase> {
 protected:
  void SplitAndDie(Users& users) {
    users.ahead = true;
    const Ran killed = Run(Split(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
    ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
    AwaitNoRunner();
    ExpectItChecks();  // from the exchange on, too
    users.AwaitWrites(50);
  }
};

TEST_P(ReferredKilledAt, ResumeEndsWithTheKey) {
  MakeReferred(GetParam().line);
  Users users(database_.conninfo(), 43);
  SplitAndDie(users);
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_NE(Parts(), parts_);
  ExpectReferred();
}

TEST_P(ReferredKilledAt, OrAnAbortLeavesAllAsItWas) {
  MakeReferred(GetParam().line);
  Users users(database_.conninfo(), 44);
  SplitAndDie(users);
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  ASSERT_EQ(aborted.code, 0) << aborted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts_);
  ExpectReferred();
}

std::string NameOfCase(const ::testing::TestParamInfo<LineCase>& param) {
  std::string name = fmt::format("{}_{}", param.param.name, param.param.point);
  std::ranges::replace(name, '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Points, ReferredKilledAt,
                         ::testing::Values(LineCase{"Plain", kPlainLine, "swapped"},
                                           LineCase{"Plain", kPlainLine, "swap-committed"},
                                           LineCase{"Plain", kPlainLine, "old-partition-dropped"},
                                           LineCase{"Plain", kPlainLine, "key-validated"},
                                           LineCase{"Partitioned", kPartedLine, "swap-committed"},
                                           LineCase{"Partitioned", kPartedLine, "key-validated"},
                                           LineCase{"Partitioned", kPartedLine, "key-adopted"}),
                         NameOfCase);

class ReferredBackKilledAt : public PartitionReferred,
                             public ::testing::WithParamInterface<LineCase> {};

TEST_P(ReferredBackKilledAt, AnotherRevertEndsIt) {
  MakeReferred(GetParam().line);
  Users users(database_.conninfo(), 45);
  const Ran split = Run(Split());
  ASSERT_EQ(split.code, 0) << split.err;
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  ExpectItChecks();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts_);
  ExpectReferred();
}

INSTANTIATE_TEST_SUITE_P(Points, ReferredBackKilledAt,
                         ::testing::Values(LineCase{"Plain", kPlainLine, "merged"},
                                           LineCase{"Plain", kPlainLine, "regrouped-back"},
                                           LineCase{"Plain", kPlainLine, "key-validated"},
                                           LineCase{"Partitioned", kPartedLine, "regrouped-back"},
                                           LineCase{"Partitioned", kPartedLine, "key-adopted"}),
                         NameOfCase);

// By somebody's wish.
TEST_F(PartitionReferred, OneThatIsNotValidStaysSo) {
  MakeReferred();
  database_.Sql(fmt::format(
      "ALTER TABLE line DROP CONSTRAINT of_event; INSERT INTO line (event, event_made) VALUES (-5, "
      "now()); ALTER TABLE line ADD CONSTRAINT of_event FOREIGN KEY (event, event_made) REFERENCES "
      "events (id, made) {} NOT VALID",
      kLineActions));
  key_ = Key();
  EXPECT_THAT(key_, HasSubstr("NOT VALID"));
  const Ran split = Run(Split());
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Key(), key_);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Key(), key_);
}

// What a runner that has begun the exchange leaves, another one may not know of.
TEST_F(PartitionReferred, ARunOfAnOlderProgramIsRefused) {
  MakeReferred();
  ASSERT_EQ(Run(Split(), {"PGALTER_FAIL_POINT=parts-made"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("DELETE FROM pgalter.step WHERE kind = 'partition-settle' AND run = '" + RunId() +
                "'");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("another version of pgalter has begun"));
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Parts(), parts_);
  ExpectReferred();
}

TEST_F(PartitionReferred, RowsLeaveTheDefaultPartitionByMaintain) {
  MakeReferred();
  database_.Sql(
      "INSERT INTO events (made, kind) SELECT date_trunc('month', now()) + interval '2 months 3 "
      "days' + g * interval '1 minute', 1 FROM generate_series(1, 500) g");
  ASSERT_GT(Number("SELECT count(*) FROM events_default"), 400);
  const Ran ran = Run({"partition", "maintain", "events", "--premake", "3", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM events_default"), 0);
  ExpectReferred();
}

// The role may change the one table and not the other.
TEST_F(PartitionReferred, AStrangersTableIsSaidBefore) {
  const std::string owner = "referred_owner_" + database_.name();
  database_.Sql(fmt::format(
      "CREATE ROLE {0} LOGIN; GRANT ALL ON SCHEMA public TO {0}; GRANT CREATE ON DATABASE {1} TO "
      "{0}; CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE p_0 PARTITION "
      "OF "
      "p FOR VALUES FROM (0) TO (20); ALTER TABLE p OWNER TO {0}; ALTER TABLE p_0 OWNER TO {0}; "
      "CREATE TABLE c (e int CONSTRAINT fk REFERENCES p)",
      owner, database_.name()));
  user_ = owner;
  const Ran refused = Run({"partition", "split", "p_0", "--at", "10", "--yes"});
  EXPECT_EQ(refused.code, 10) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("does not own public.c"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  database_.Sql(fmt::format("DROP TABLE c, p; DROP OWNED BY {0}; DROP ROLE {0}", owner));
}

TEST_F(PartitionReferred, OneThatRefersToThePartitionAloneIsNamed) {
  MakeReferred();
  database_.Sql(fmt::format(
      "CREATE TABLE own (event bigint, made timestamptz, CONSTRAINT own_event FOREIGN KEY (event, "
      "made) REFERENCES {} (id, made))",
      first_));
  const Ran split = Run(Split());
  EXPECT_EQ(split.code, 4) << split.err;
  EXPECT_THAT(split.err, HasSubstr("foreign key own_event of public.own refers to this partition "
                                   "alone"));
  EXPECT_EQ(Parts(), parts_);
}

// What cannot be moved is no reason to make nothing.
TEST_F(PartitionReferred, MaintainMakesTheRangesThatNoRowIsInTheWayOf) {
  MakeReferred();
  database_.Sql(
      "CREATE TABLE user_of_its_type (x events_default); INSERT INTO events (made, kind) SELECT "
      "date_trunc('month', now()) + interval '3 months 3 days' + g * interval '1 minute', 1 FROM "
      "generate_series(1, 5) g");
  const std::string before = Parts();
  const Words maintain{"partition", "maintain", "events", "--premake", "5", "--yes"};
  const Ran ran = Run(maintain);
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("1 of the 7 ranges that are due for public.events"));
  EXPECT_THAT(ran.err, HasSubstr("public.events_default has rows of them"));
  EXPECT_THAT(ran.err, HasSubstr("user_of_its_type"));
  const char* const ranges =
      "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass";
  const long made = Number(ranges);
  EXPECT_EQ(made, 3 + 6);
  EXPECT_EQ(Run(maintain).code, 4);
  EXPECT_EQ(Number(ranges), made);
  database_.Sql("DROP TABLE user_of_its_type");
  EXPECT_EQ(Run(maintain).code, 0);
  EXPECT_EQ(Number(ranges), made + 1);
  EXPECT_EQ(Number("SELECT count(*) FROM events_default"), 0);
  ExpectReferred();
}

// Rows of events that refer to rows of events, in the same partition and in others.
class ReferredByItself : public PartitionReferred {
 protected:
  void MakeOwnKey(const Words& more = {"--premake", "1"}, int rows = 1500) {
    MakeEvents(rows);
    ASSERT_EQ(Run(Convert(more)).code, 0);
    first_ = database_.Value(
        "SELECT coalesce(min(relname), '') FROM pg_class WHERE relname LIKE 'events_until_%' AND "
        "relkind = 'r'");
    database_.Sql(
        "ALTER TABLE events DISABLE TRIGGER mirrored; ALTER TABLE events ADD up bigint, ADD "
        "up_made "
        "timestamptz; UPDATE events e SET up = o.id, up_made = o.made FROM events o WHERE o.id = "
        "1 + (e.id * 7) % 1000; ALTER TABLE events ENABLE TRIGGER mirrored; CREATE INDEX ON events "
        "(up, up_made); ALTER TABLE events ADD CONSTRAINT upwards FOREIGN KEY (up, up_made) "
        "REFERENCES events (id, made) ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY "
        "DEFERRED; COMMENT ON CONSTRAINT upwards ON events IS 'its own'");
    key_ = OwnKey();
    parts_ = Parts();
  }
  [[nodiscard]] std::string OwnKey() const {
    return database_.Value(
        "SELECT string_agg(format('%s %s %s %s', conname, convalidated, pg_get_constraintdef(oid), "
        "obj_description(oid, 'pg_constraint')), '; ') FROM pg_constraint WHERE contype = 'f' AND "
        "conrelid = 'events'::regclass AND confrelid = 'events'::regclass");
  }

  void ExpectOwnKey() const {
    EXPECT_EQ(OwnKey(), key_);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint f WHERE contype = 'f' AND conparentid = 0 "
                     "AND confrelid = 'events'::regclass AND conrelid <> confrelid"),
              0)
        << "a partition has one for itself";
    EXPECT_EQ(Number("SELECT count(*) FROM events e LEFT JOIN events o ON o.id = e.up AND o.made = "
                     "e.up_made WHERE e.up IS NOT NULL AND o.id IS NULL"),
              0);
    ExpectNothingOfOurs();
    ExpectSame();
  }
  void ExpectOwnKeyChecks() const {
    Session user = database_.Connect();
    for (const char* made :
         {"now() - interval '100 days'", "now() - interval '20 days'", "now()"}) {
      user.Exec("BEGIN");
      const std::string up = fmt::format(
          "INSERT INTO events (made, kind, up, up_made) VALUES ({}, 1, {{}}) RETURNING id", made);
      const std::string id = user.Value(
          fmt::format("INSERT INTO events (made, kind) VALUES ({}, 1) RETURNING id", made));
      const std::string refers =
          user.Value(fmt::format(fmt::runtime(up), fmt::format("{}, {}", id, made)));
      user.Exec("SET CONSTRAINTS ALL IMMEDIATE");
      user.Exec("DELETE FROM events WHERE id = " + id);
      EXPECT_EQ(user.Value("SELECT count(up) FROM events WHERE id = " + refers), "0");
      EXPECT_THROW(user.Exec(fmt::format(fmt::runtime(up), "-1, now()")), SqlError) << made;
      user.Exec("ROLLBACK");
    }
  }
};

TEST_F(ReferredByItself, IsSplitUnderItsUsersAndBack) {
  MakeOwnKey();
  Users users(database_.conninfo(), 51);
  users.ahead = true;
  const Ran split = Run(Split());
  ASSERT_EQ(split.code, 0) << split.err;
  users.AwaitWrites(50);
  EXPECT_NE(Parts(), parts_);
  EXPECT_EQ(OwnKey(), key_);
  ExpectOwnKeyChecks();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(50);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts_);
  ExpectOwnKey();
  ExpectOwnKeyChecks();
}

TEST_F(ReferredByItself, IsMergedUnderItsUsersAndBack) {
  MakeOwnKey({"--strategy", "copy"}, 800);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const Rows names = database_.Connect().Exec(
      "SELECT relname FROM pg_class WHERE relname ~ '^events_p' AND relkind = 'r' ORDER BY relname "
      "LIMIT 2");
  Users users(database_.conninfo(), 52);
  users.ahead = true;
  const Ran merged = Run({"partition", "merge", names.at(0).at(0), names.at(1).at(0), "--yes",
                          "--hold-budget", "20s"});
  ASSERT_EQ(merged.code, 0) << merged.err;
  users.AwaitWrites(50);
  EXPECT_NE(Parts(), parts_);
  ExpectOwnKeyChecks();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts_);
  ExpectOwnKey();
}

class OwnKeyKilledAt : public ReferredByItself, public ::testing::WithParamInterface<const char*> {
 protected:
  void SplitAndDie(Users& users) {
    users.ahead = true;
    const Ran killed = Run(Split(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
    ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
    AwaitNoRunner();
    ExpectOwnKeyChecks();
  }
};

TEST_P(OwnKeyKilledAt, ResumeEndsWithTheKey) {
  MakeOwnKey();
  Users users(database_.conninfo(), 53);
  SplitAndDie(users);
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_NE(Parts(), parts_);
  ExpectOwnKey();
}

// Where partitions have keys that the table has not adopted.
TEST_P(OwnKeyKilledAt, OrAnAbortLeavesAllAsItWas) {
  MakeOwnKey();
  Users users(database_.conninfo(), 54);
  SplitAndDie(users);
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  ASSERT_EQ(aborted.code, 0) << aborted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts_);
  ExpectOwnKey();
}

INSTANTIATE_TEST_SUITE_P(Points, OwnKeyKilledAt,
                         ::testing::Values("swapped", "swap-committed", "key-validated",
                                           "key-adopted"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_F(ReferredByItself, OneOfAPartitionAloneIsNamed) {
  MakeOwnKey();
  database_.Sql(fmt::format(
      "ALTER TABLE events DROP CONSTRAINT upwards; ALTER TABLE {} ADD CONSTRAINT alone FOREIGN KEY "
      "(up, up_made) REFERENCES events (id, made)",
      first_));
  const Ran split = Run(Split());
  EXPECT_EQ(split.code, 4) << split.err;
  EXPECT_THAT(split.err, HasSubstr("foreign key alone of public." + first_));
  EXPECT_EQ(Parts(), parts_);
}

// Before anything is copied: the key of each refers to each.
TEST_F(PartitionReferred, AKeyToItselfOfTooManyPartitionsIsNamed) {
  if (Number("SHOW server_version_num") >= 180000) GTEST_SKIP() << "the whole takes it at once";
  database_.Sql(
      "CREATE TABLE n (k int PRIMARY KEY, up int CONSTRAINT upwards REFERENCES n) PARTITION BY "
      "RANGE "
      "(k); DO $$ BEGIN FOR i IN 0 .. 19 LOOP EXECUTE format('CREATE TABLE n_%s PARTITION OF n FOR "
      "VALUES FROM (%s) TO (%s)', i, i * 10, i * 10 + 10); END LOOP; END $$; INSERT INTO n SELECT "
      "g, "
      "g / 2 FROM generate_series(0, 199) g");
  Words split{"partition", "split", "n_0", "--at", "5", "--yes", "--hold-budget", "20ms"};
  const Ran refused = Run(split);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err,
              HasSubstr("the foreign key of public.n to itself is made again on each"));
  const Ran merge = Run({"partition", "merge", "n_0", "n_1", "--yes", "--hold-budget", "20ms"},
                        {"PGALTER_LIMITS=moved-bytes-a-ms=1"});
  EXPECT_EQ(merge.code, 4) << merge.err;
  EXPECT_THAT(merge.err, HasSubstr("is made again on each of its partitions while users wait"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  split.back() = "20s";
  const Ran ran = Run(split);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'n'::regclass"), 21);
}

// While the partitions have the key and the table has not adopted it.
TEST_F(PartitionReferred, APartitionThatComesToTheTableThatRefersHasTheKey) {
  database_.Sql(
      "CREATE TABLE n (k int PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE n_0 PARTITION OF n "
      "FOR VALUES FROM (0) TO (100); INSERT INTO n SELECT generate_series(0, 99); CREATE TABLE m "
      "(part int, k int CONSTRAINT of_n REFERENCES n) PARTITION BY LIST (part); CREATE TABLE m_0 "
      "PARTITION OF m FOR VALUES IN (0); INSERT INTO m SELECT 0, k FROM n");
  const Ran killed = Run({"partition", "split", "n_0", "--at", "50", "--yes"},
                         {"PGALTER_FAIL_POINT=swap-committed"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  database_.Sql("CREATE TABLE m_1 PARTITION OF m FOR VALUES IN (1); INSERT INTO m VALUES (1, 777)");
  for (int i = 0; i < 2; ++i) {
    const Ran resumed = Run({"resume", RunId()});
    EXPECT_EQ(resumed.code, 1) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("foreign key of_n of public.m_1 is not valid yet"));
    EXPECT_THAT(resumed.err,
                HasSubstr("The new partitions are in their places, and what is written "
                          "from now on is checked"));
    EXPECT_THROW(database_.Sql("INSERT INTO m VALUES (1, 778)"), SqlError);
  }
  database_.Sql("DELETE FROM m WHERE k = 777");
  ResumeToTheEnd();
  EXPECT_EQ(
      database_.Value("SELECT string_agg(concat_ws(' ', conrelid::regclass, conname, "
                      "convalidated, conparentid <> 0), '; ' ORDER BY conrelid::regclass::text)"
                      " FROM pg_constraint WHERE contype = 'f' AND confrelid = 'n'::regclass"),
      "m of_n t f; m_0 of_n t t; m_1 of_n t t");
}

// Made again they would be on.
TEST_F(PartitionReferred, OneWhoseTriggersAreOffIsNamed) {
  MakeReferred();
  database_.Sql("ALTER TABLE line DISABLE TRIGGER ALL");
  const Ran split = Run(Split());
  EXPECT_EQ(split.code, 4) << split.err;
  EXPECT_THAT(split.err, HasSubstr("the triggers of foreign key of_event of public.line are "
                                   "switched off"));
  database_.Sql("ALTER TABLE line ENABLE TRIGGER ALL");
  ASSERT_EQ(Run(Split(), {"PGALTER_FAIL_POINT=parts-made"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("ALTER TABLE line DISABLE TRIGGER ALL");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("are switched off"));
  database_.Sql("ALTER TABLE line ENABLE TRIGGER ALL");
  ResumeToTheEnd();
  ExpectReferred();
}

}  // namespace
}  // namespace pgalter::test
