// Partitions become one by a copy, under their users: no row is lost, none is there twice, and what
// they were part of stays as it was.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "tests/fault/partition_world.h"
#include "tests/fault/referring.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class MergeByCopy : public Partitioned {
 protected:
  // Months, whose names are in `names_`.
  void MakeYear() {
    MakeEvents(2000);
    ASSERT_EQ(Run(Convert({"--strategy", "copy"})).code, 0);
    ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    for (const auto& row : database_.Connect().Exec(
             "SELECT relname FROM pg_class WHERE relname LIKE 'events\\_p%' AND relkind = 'r' "
             "ORDER BY relname LIMIT 4"))
      names_.push_back(row.at(0));
    parts_ = Parts("events");
    start_ = database_.Value(
        fmt::format("SELECT extract(epoch FROM min(made))::bigint FROM {}", names_.at(1)));
  }

  // As if they were too large for anything else.
  static Words Large(Words more = {}) {
    more.emplace_back("PGALTER_LIMITS=moved-bytes-a-ms=1");
    return more;
  }
  [[nodiscard]] Words Merge(const Words& more = {}) const {
    Words words{"partition", "merge", names_.at(0), names_.at(1), names_.at(2), "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // Names and bounds.
  [[nodiscard]] std::string Parts(const std::string& table) const {
    return database_.Value(fmt::format(
        "SELECT string_agg(format('%s %s', c.relname, pg_get_expr(c.relpartbound, c.oid)), E'\\n' "
        "ORDER BY c.relname) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent "
        "= '{}'::regclass",
        table));
  }
  [[nodiscard]] std::string Counts(const std::string& table) const {
    return database_.Value(
        fmt::format("SELECT string_agg(p || ' ' || n, ';' ORDER BY p) FROM (SELECT "
                    "tableoid::regclass::text AS p, count(*) AS n FROM {} GROUP BY 1) s",
                    table));
  }
  [[nodiscard]] long Copies() const {
    return Number(
        "SELECT count(*) FROM pgalter.step s JOIN pgalter.run r USING (run) WHERE s.kind = 'copy' "
        "AND s.state = 'done' AND r.command = 'partition merge'");
  }

  // Of lines as Parts has them, without names.
  static std::string Bounds(const std::string& parts) {
    std::vector<std::string> bounds;
    std::istringstream lines(parts);
    for (std::string line; std::getline(lines, line);)
      bounds.push_back(line.substr(line.find(' ')));
    std::ranges::sort(bounds);
    return fmt::format("{}", fmt::join(bounds, ";"));
  }
  // What a message says to do: "pgalter partition split x --at 'y' --yes"; empty: it does not.
  static Words CommandIn(const std::string& said, const std::string& begins) {
    const std::size_t at = said.find(begins);
    if (at == std::string::npos) return {};
    Words words{""};
    bool quoted = false;
    for (std::size_t i = at + 8; i < said.size() && said[i] != '\n'; ++i) {
      if (said[i] == '\'') {
        quoted = !quoted;
      } else if (said[i] == ' ' && !quoted) {
        if (words.back() == "--yes") break;
        words.emplace_back();
      } else {
        words.back() += said[i];
      }
    }
    return words;
  }

  void ExpectMerged() const {
    EXPECT_EQ(StateOfRun(), "done");
    EXPECT_EQ(Copies(), 1);
    EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM pg_class WHERE relname IN ('{}', '{}')",
                                 names_.at(1), names_.at(2))),
              0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
    ExpectNothingOfOurs();
    ExpectSame();
  }

  Words names_;
  std::string parts_;
  std::string start_;  // of rows of the second one, in seconds
};

TEST_F(MergeByCopy, UnderItsUsersAndBack) {
  MakeYear();
  Users users(database_.conninfo(), 51);
  users.ahead = true;
  const Ran merged = Run(Merge({"--workers", "2", "--unattended", "5h"}), Large());
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_THAT(merged.err, HasSubstr("are copied while they are in use: needs about as much disk"));
  users.AwaitWrites(200);
  ExpectMerged();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts("events"), parts_);
  ExpectNothingOfOurs();
  ExpectSame();
}

// Few rows are moved as ever, and no copy is made of them.
TEST_F(MergeByCopy, NotOfFewRows) {
  MakeYear();
  const Ran shown = Run({"partition", "merge", names_.at(0), names_.at(1), "--dry-run"});
  EXPECT_THAT(shown.out, HasSubstr("are moved while users wait, for at most 1000 ms"));
  const Ran large = Run({"partition", "merge", names_.at(0), names_.at(1), "--dry-run"}, Large());
  EXPECT_EQ(large.code, 0) << large.err;
  EXPECT_THAT(large.out, HasSubstr("are copied while they are in use"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  const Ran merged = Run(Merge({"--workers", "2"}));
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_THAT(merged.err, HasSubstr("note: --workers is for a copy"));
  EXPECT_EQ(Copies(), 0);
  ExpectNothingOfOurs();
}

// What users do to rows between the copy and the exchange, whichever partition these are in.
class MergeByCopyBesideWork : public MergeByCopy {
 protected:
  // From here to there within the partitions that are merged, and with other keys.
  void Move() const {
    const auto into = [this](std::size_t part) {
      return fmt::format("(SELECT max(made) - interval '1 minute' FROM {})", names_.at(part));
    };
    const auto some = [this](std::size_t part, int first, int rows) {
      return fmt::format("(SELECT id FROM {} ORDER BY id OFFSET {} LIMIT {})", names_.at(part),
                         first, rows);
    };
    database_.Sql(fmt::format(
        "SET lock_timeout = '20s'; UPDATE events SET made = {}, note = 'on' WHERE id IN {}; UPDATE "
        "events SET made = {}, note = 'back' WHERE id IN {}; UPDATE events SET made = {}, note = "
        "'again' WHERE id IN (SELECT id FROM events WHERE note = 'on' ORDER BY id LIMIT 5); DELETE "
        "FROM events WHERE id IN {}; UPDATE events SET note = 'late' WHERE id IN {}",
        into(1), some(0, 0, 20), into(0), some(2, 0, 20), into(0), some(1, 3, 10),
        some(0, 30, 30)));
  }
  // No trigger of users', nor the mirror's, knows of it.
  void Truncate(std::size_t part) const {
    database_.Sql(fmt::format(
        "SET lock_timeout = '20s'; BEGIN; LOCK TABLE {0}; DELETE FROM mirror WHERE id IN (SELECT "
        "id FROM {0}); TRUNCATE {0}; COMMIT",
        names_.at(part)));
  }

  void ChangeUnseen() const {
    const std::string trigger = database_.Value(fmt::format(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = '{}'::regclass AND tgname LIKE 'pgalter%'",
        names_.at(2)));
    database_.Sql(fmt::format(
        "SET lock_timeout = '20s'; ALTER TABLE {0} DISABLE TRIGGER {1}; UPDATE {0} SET note = "
        "'unseen' WHERE id = (SELECT min(id) FROM {0}); ALTER TABLE {0} ENABLE ALWAYS TRIGGER {1}",
        names_.at(2), trigger));
  }

  // `work` is done while the exchange waits for its lock, and all else is compared.
  template <class Work>
  void MergeWhileTheExchangeWaits(const Words& environment, Work work, int ends = 0) {
    MakeYear();
    Session reader = database_.Connect();
    reader.Exec("BEGIN; SELECT count(*) FROM " + names_.at(3));
    Program program = Start(Merge(), Large(environment));
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "t",
        std::chrono::seconds(60));
    work();
    reader.Exec("COMMIT");
    const Ran ran = program.Wait(std::chrono::seconds(120));
    ASSERT_EQ(ran.code, ends) << ran.err;
  }
};

TEST_F(MergeByCopyBesideWork, RowsThatMoveAreInIt) {
  MergeWhileTheExchangeWaits({}, [&] { Move(); });
  EXPECT_EQ(Number("SELECT count(*) FROM events WHERE note = 'late'"), 30);
  ExpectMerged();
}

// A harness that cannot fail proves nothing.
TEST_F(MergeByCopyBesideWork, AndAreLostWithoutItsSafeguard) {
  MergeWhileTheExchangeWaits({"PGALTER_SAFEGUARDS_OFF=final-drain"}, [&] { Move(); });
  EXPECT_LT(Number("SELECT count(*) FROM events WHERE note = 'late'"), 30);
}

TEST_F(MergeByCopyBesideWork, OneThatIsEmptiedTakesItsOwnRowsAlong) {
  MergeWhileTheExchangeWaits({}, [&] { Truncate(1); });
  ExpectMerged();
}

TEST_F(MergeByCopyBesideWork, WhichStayWithoutItsSafeguard) {
  MergeWhileTheExchangeWaits({"PGALTER_SAFEGUARDS_OFF=parts"}, [&] { Truncate(1); });
  EXPECT_GT(Number("SELECT count(*) FROM events WHERE id NOT IN (SELECT id FROM mirror)"), 0);
}

// A change that its trigger did not see, since it was off for a moment.
TEST_F(MergeByCopyBesideWork, AChangeUnseenStopsIt) {
  MergeWhileTheExchangeWaits(
      {}, [&] { ChangeUnseen(); }, 4);
  EXPECT_EQ(Parts("events"), parts_);
  EXPECT_EQ(Number("SELECT count(*) FROM events WHERE note = 'unseen'"), 1);
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

TEST_F(MergeByCopyBesideWork, AndIsLostWithoutItsSafeguard) {
  MergeWhileTheExchangeWaits({"PGALTER_SAFEGUARDS_OFF=capture-untouched"}, [&] { ChangeUnseen(); });
  EXPECT_EQ(Number("SELECT count(*) FROM events WHERE note = 'unseen'"), 0);
}

TEST_F(MergeByCopyBesideWork, AllOfThemMayBeEmptied) {
  MergeWhileTheExchangeWaits({}, [&] {
    for (const std::size_t part : {0U, 1U, 2U}) Truncate(part);
    database_.Sql(fmt::format(
        "SET lock_timeout = '20s'; INSERT INTO events (made, kind) SELECT to_timestamp(g), 1 FROM "
        "generate_series({0}::bigint, {0}::bigint + 9) g",
        start_));
  });
  EXPECT_EQ(Number("SELECT count(*) FROM " + names_.at(0)), 10);
  ExpectMerged();
}

TEST_F(MergeByCopyBesideWork, OneThatIsRewrittenIsFollowed) {
  MergeWhileTheExchangeWaits({}, [&] {
    Move();
    Session session = database_.Connect();
    session.Exec("SET lock_timeout = '20s'");
    session.Exec("VACUUM FULL " + names_.at(1));
    Move();
  });
  ExpectMerged();
}

class MergeByCopyKilledAt : public MergeByCopyBesideWork,
                            public ::testing::WithParamInterface<const char*> {};

TEST_P(MergeByCopyKilledAt, ResumeEndsWithEveryRowRight) {
  MakeYear();
  const Ran killed = Run(Merge(), Large({fmt::format("PGALTER_FAIL_POINT={}", GetParam())}));
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const std::string point = GetParam();
  if (point != "swap-committed" && point != "old-partition-dropped") {
    Move();
    Truncate(2);
    Move();
  }
  Users users(database_.conninfo(), 52);
  users.ahead = true;
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectMerged();
}

TEST_P(MergeByCopyKilledAt, OrAnAbortLeavesAllAsItWas) {
  MakeYear();
  const Ran killed = Run(Merge(), Large({fmt::format("PGALTER_FAIL_POINT={}", GetParam())}));
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  Users users(database_.conninfo(), 53);
  users.AwaitWrites(20);
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  ASSERT_EQ(aborted.code, 0) << aborted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts("events"), parts_);
  ExpectNothingOfOurs();
  ExpectSame();
}

// All of them with PGALTER_TORTURE_ROUNDS, three in the slice.
std::vector<const char*> MergePoints() {
  if (std::getenv("PGALTER_TORTURE_ROUNDS") == nullptr)
    return {"copy-committed:2", "swapped", "swap-committed"};
  return {
      "parts-made",       "capture-in-ledger",    "capture-made", "copy-checked:2", "copy-recorded",
      "copy-committed:2", "copy-committed:3",     "purged",       "index-built",    "index-built:3",
      "changes-taken",    "keys-applied",         "compared",     "drained",        "swapped",
      "swap-committed",   "old-partition-dropped"};
}
INSTANTIATE_TEST_SUITE_P(Points, MergeByCopyKilledAt, ::testing::ValuesIn(MergePoints()),
                         [](const ::testing::TestParamInfo<const char*>& point) {
                           std::string name = point.param;
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == ':'; }, '_');
                           return name;
                         });

// The new partition is changed behind the run's back: all of it is compared with all of them.
class MergeByCopyCompares : public MergeByCopy,
                            public ::testing::WithParamInterface<const char*> {};

TEST_P(MergeByCopyCompares, AndStopsAtADifference) {
  MakeYear();
  const Ran killed = Run(Merge(), Large({"PGALTER_FAIL_POINT=index-built:3"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const std::string shadow = database_.Value("SELECT to_relid::regclass FROM pgalter.flow");
  database_.Sql(fmt::format(fmt::runtime(GetParam()), shadow, start_));
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 7) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("1 rows of"));
  EXPECT_THAT(resumed.err, HasSubstr("no change explains it"));
  EXPECT_EQ(Parts("events"), parts_);
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectNothingOfOurs();
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, MergeByCopyCompares,
    ::testing::Values("DELETE FROM {0} WHERE id = (SELECT max(id) FROM {0})",
                      "UPDATE {0} SET note = 'another' WHERE id = (SELECT min(id) FROM {0})",
                      "INSERT INTO {0} (id, made, kind) OVERRIDING SYSTEM VALUE VALUES (999999, "
                      "to_timestamp({1}), 1)"),
    [](const auto& kind) { return std::string(kind.param).substr(0, 6); });

// What a merge under the lock leaves, by the dump.
TEST_F(MergeByCopy, LeavesWhatAMergeUnderTheLockDoes) {
  const FreshDatabase other(database_.server());
  const char* const made =
      "CREATE TABLE kind (id int PRIMARY KEY); INSERT INTO kind SELECT generate_series(0, 9);"
      "CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY, at date NOT NULL, kind int "
      "REFERENCES kind, note text DEFAULT 'none', twice bigint GENERATED ALWAYS AS (id * 2) STORED,"
      " CONSTRAINT never CHECK (note <> 'never')) PARTITION BY RANGE (at); CREATE TABLE t_a "
      "PARTITION OF t FOR "
      "VALUES FROM ('2026-01-01') TO ('2026-02-01') WITH (fillfactor = 70); CREATE TABLE t_b (note "
      "text, kind int, gone int, at date NOT NULL, id bigint NOT NULL, twice bigint GENERATED "
      "ALWAYS AS (id * 2) STORED, CONSTRAINT never CHECK (note <> 'never')); ALTER TABLE t_b DROP "
      "COLUMN gone; "
      "ALTER TABLE t ATTACH PARTITION t_b FOR VALUES FROM ('2026-02-01') TO ('2026-03-01'); CREATE "
      "TABLE t_rest PARTITION OF t DEFAULT; ALTER TABLE t ADD PRIMARY KEY (id, at); CREATE INDEX "
      "t_kind ON t (kind) WHERE note IS NOT NULL; COMMENT ON TABLE t_a IS 'the first'; ALTER TABLE "
      "t_a ALTER note SET STATISTICS 300; GRANT SELECT ON t_a, t_b TO public; CREATE FUNCTION "
      "loud() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER loud "
      "AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION loud(); INSERT INTO t (at, kind) SELECT "
      "date '2026-01-01' + g % 59, g % 10 FROM generate_series(1, 500) g; INSERT INTO t (at) "
      "VALUES ('2027-01-01')";
  database_.Sql(made);
  other.Sql(made);
  const Ran copied = Run({"partition", "merge", "t_a", "t_b", "--yes"}, Large());
  ASSERT_EQ(copied.code, 0) << copied.err;
  EXPECT_EQ(Copies(), 1);
  const Words plainly{"partition", "merge", "t_a", "t_b", "--yes", "--dsn", other.conninfo()};
  const Ran moved = Program(PGALTER_BINARY, plainly).Wait(kLimit);
  ASSERT_EQ(moved.code, 0) << moved.err;
  EXPECT_THAT(Difference(Dump(other), Dump(database_)), ::testing::IsEmpty());
  EXPECT_EQ(Counts("t"), "t_a 500;t_rest 1");
  const char* const rows =
      "SELECT md5(string_agg(format('%s %s %s %s %s', id, at, kind, note, twice), ';' ORDER BY "
      "id)) FROM t";
  EXPECT_EQ(database_.Value(rows), other.Value(rows));
  ExpectNothingOfOurs();
}

TEST_F(MergeByCopy, ListsOfTextWithADefaultPartitionUnderAnotherName) {
  database_.Sql(
      "CREATE TABLE l (c text, id int, note text, PRIMARY KEY (id, c)) PARTITION BY LIST (c); "
      "CREATE TABLE l_eu PARTITION OF l FOR VALUES IN ('de', 'a, b'); CREATE TABLE l_us PARTITION "
      "OF l FOR VALUES IN ('us', 'o''clock'); CREATE TABLE l_rest PARTITION OF l DEFAULT; INSERT "
      "INTO l SELECT (ARRAY['de', 'a, b', 'us', 'o''clock', 'else'])[g % 5 + 1], g FROM "
      "generate_series(1, 500) g");
  const std::string parts = Parts("l");
  const Ran merged =
      Run({"partition", "merge", "l_us", "l_eu", "--name", "l_both", "--yes"}, Large());
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(Copies(), 1);
  EXPECT_EQ(Counts("l"), "l_both 400;l_rest 100");
  ExpectNothingOfOurs();
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(Parts("l"), parts);
  EXPECT_EQ(Counts("l"), "l_eu 200;l_rest 100;l_us 200");
}

TEST_F(MergeByCopy, ListsWithNull) {
  database_.Sql(
      "CREATE TABLE l (c text NOT NULL, id int, PRIMARY KEY (id, c)) PARTITION BY LIST (c); CREATE "
      "TABLE l_n PARTITION OF l FOR VALUES IN ('de', NULL); CREATE TABLE l_us PARTITION OF l FOR "
      "VALUES IN ('us'); CREATE TABLE l_rest PARTITION OF l DEFAULT; INSERT INTO l SELECT "
      "(ARRAY['de', 'us', 'else'])[g % 3 + 1], g FROM generate_series(1, 300) g");
  const std::string parts = Parts("l");
  const Ran merged =
      Run({"partition", "merge", "l_us", "l_n", "--name", "l_both", "--yes"}, Large());
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(Copies(), 1);
  EXPECT_EQ(Counts("l"), "l_both 200;l_rest 100");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Parts("l"), parts);
  EXPECT_EQ(Counts("l"), "l_n 100;l_rest 100;l_us 100");
}

TEST_F(MergeByCopy, OfATableThatRefersToItself) {
  database_.Sql(
      "CREATE TABLE t (k int PRIMARY KEY, up int CONSTRAINT upwards REFERENCES t ON DELETE "
      "CASCADE) "
      "PARTITION BY RANGE (k); CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE "
      "TABLE t_b PARTITION OF t FOR VALUES FROM (10) TO (20); CREATE TABLE t_c PARTITION OF t FOR "
      "VALUES FROM (20) TO (30); INSERT INTO t SELECT g, (g + 15) % 30 FROM generate_series(0, 29) "
      "g");
  const char* const keys =
      "SELECT string_agg(format('%s %s %s %s', conrelid::regclass, conname, convalidated, "
      "pg_get_constraintdef(oid)), ';' ORDER BY conrelid::regclass::text) FROM pg_constraint WHERE "
      "contype = 'f' AND conrelid IN ('t'::regclass, 't_a'::regclass, 't_c'::regclass) AND "
      "confrelid = 't'::regclass";
  const std::string before = database_.Value(keys);
  const Ran merged = Run({"partition", "merge", "t_a", "t_b", "--yes"}, Large());
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(Copies(), 1);
  EXPECT_EQ(database_.Value(keys), before);
  EXPECT_THROW(database_.Sql("INSERT INTO t VALUES (25, 99)"), SqlError);
  EXPECT_THROW(database_.Sql("UPDATE t SET up = 99 WHERE k = 3"), SqlError);
  database_.Sql("DELETE FROM t WHERE k = 3");
  EXPECT_EQ(Counts("t"), "t_a 18;t_c 10");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value(keys), before);
  EXPECT_EQ(Counts("t"), "t_a 9;t_b 9;t_c 10");
  ExpectNothingOfOurs();
}

TEST_F(MergeByCopy, RangesOfTwoColumns) {
  database_.Sql(
      "CREATE TABLE t (region text NOT NULL, made date NOT NULL, id int NOT NULL, PRIMARY KEY (id, "
      "region, made)) PARTITION BY RANGE (region, made); CREATE TABLE t_1 PARTITION OF t FOR "
      "VALUES FROM ('eu', '2026-01-01') TO ('eu', '2026-02-01'); CREATE TABLE t_2 PARTITION OF t "
      "FOR VALUES FROM ('eu', '2026-02-01') TO ('us', MINVALUE); INSERT INTO t SELECT 'eu', date "
      "'2026-01-01' + g % 90, g FROM generate_series(1, 900) g");
  const Ran merged = Run({"partition", "merge", "t_2", "t_1", "--yes"}, Large());
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(Copies(), 1);
  EXPECT_EQ(Counts("t"), "t_1 900");
  EXPECT_EQ(Parts("t"), "t_1 FOR VALUES FROM ('eu', '2026-01-01') TO ('us', MINVALUE)");
  ExpectNothingOfOurs();
}

TEST_F(MergeByCopy, BesideTablesThatReferToIt) {
  MakeYear();
  database_.Sql(Referring(kPlainLine));
  Users users(database_.conninfo(), 54);
  const Ran merged = Run(Merge(), Large());
  ASSERT_EQ(merged.code, 0) << merged.err;
  users.AwaitWrites(50);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Number(kUnreferred), 0);
  EXPECT_EQ(database_.Value(kReferringKey), "of_event t");
  ExpectMerged();
}

TEST_F(MergeByCopy, WhatIsNotCopiedIsRefusedBefore) {
  database_.Sql(
      "CREATE SCHEMA s; CREATE TABLE t (k int PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE "
      "t_a PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE TABLE s.t_b PARTITION OF t FOR "
      "VALUES FROM (10) TO (20); CREATE TABLE t_c PARTITION OF t FOR VALUES FROM (20) TO (30); "
      "INSERT INTO t SELECT generate_series(0, 29)");
  const Ran apart = Run({"partition", "merge", "t_a", "s.t_b", "--yes"}, Large());
  EXPECT_EQ(apart.code, 4);
  EXPECT_THAT(apart.err, HasSubstr("ALTER TABLE s.t_b SET SCHEMA public before"));
  database_.Sql("ALTER TABLE s.t_b SET SCHEMA public; CREATE INDEX own ON t_c (k)");
  const Ran own = Run({"partition", "merge", "t_b", "t_c", "--yes"}, Large());
  EXPECT_EQ(own.code, 4) << own.err;
  EXPECT_THAT(own.err, HasSubstr("own"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  const Ran merged = Run({"partition", "merge", "t_a", "t_b", "--yes"}, Large());
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(Counts("t"), "t_a 20;t_c 10");
}

// What somebody does to one of them while the exchange waits for its lock.
TEST_F(MergeByCopyBesideWork, RightsThatComeLateStopItUntilTheyAreAlike) {
  MakeYear();
  database_.Sql("CREATE ROLE late_reader");
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM " + names_.at(3));
  Program program = Start(Merge(), Large());
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "t",
      std::chrono::seconds(60));
  database_.Sql(fmt::format("GRANT SELECT ON {} TO late_reader", names_.at(2)));
  reader.Exec("COMMIT");
  const Ran refused = program.Wait(std::chrono::seconds(120));
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("are not exchanged, since"));
  EXPECT_EQ(Parts("events"), parts_);
  database_.Sql(fmt::format("GRANT SELECT ON {}, {} TO late_reader", names_.at(0), names_.at(1)));
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  ExpectMerged();
  EXPECT_EQ(Number(fmt::format("SELECT has_table_privilege('late_reader', '{}', 'SELECT')::int",
                               names_.at(0))),
            1);
  database_.Sql("DROP OWNED BY late_reader; DROP ROLE late_reader");
}

// What the first of them has of its own would be on the rows of all.
struct Own {
  const char* name;
  const char* first;
  const char* why;
  const char* way_out;
};

class MergeOfUnlike : public MergeByCopy, public ::testing::WithParamInterface<Own> {};

TEST_P(MergeOfUnlike, IsRefusedEitherWayUntilTheyAreAlike) {
  database_.Sql(
      "CREATE TABLE t (k int NOT NULL, code int, n int NOT NULL, UNIQUE (code, k), UNIQUE (k, n)) "
      "PARTITION BY RANGE (k); CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE "
      "TABLE t_b PARTITION OF t FOR VALUES FROM (10) TO (20); INSERT INTO t SELECT g, CASE WHEN g "
      "< "
      "10 THEN g END, 0 FROM generate_series(0, 19) g");
  database_.Sql(GetParam().first);
  const Words merge{"partition", "merge", "t_a", "t_b", "--yes"};
  for (const Words& limits : {Words{}, Large()}) {
    const Ran refused = Run(merge, limits);
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr(GetParam().why));
  }
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  database_.Sql(GetParam().way_out);
  const Ran merged = Run(merge, Large());
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(Counts("t"), "t_a 20");
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(
    Owns, MergeOfUnlike,
    ::testing::Values(
        Own{"Check", "ALTER TABLE t_a ADD CONSTRAINT own CHECK (k < 10)",
            "lacks the constraint own of public.t_a", "ALTER TABLE t_a DROP CONSTRAINT own"},
        Own{"NotNull", "ALTER TABLE t_a ALTER code SET NOT NULL",
            "may have NULL in the column code, which is NOT NULL in public.t_a",
            "ALTER TABLE t_a ALTER code DROP NOT NULL"},
        Own{"Trigger",
            "CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN "
            "NULL; END'; CREATE TRIGGER loud AFTER INSERT ON t FOR EACH ROW EXECUTE "
            "FUNCTION loud(); ALTER TABLE t_a DISABLE TRIGGER loud",
            "fires the trigger loud otherwise than public.t_a",
            "ALTER TABLE t_a ENABLE TRIGGER loud"},
        Own{"Unlogged", "ALTER TABLE t_a SET UNLOGGED", "is not UNLOGGED as public.t_a is",
            "ALTER TABLE t_a SET LOGGED"}),
    [](const auto& own) { return own.param.name; });

// From version 16 on each partition may make them in its own way.
TEST_F(MergeByCopy, ValuesThatAreMadeOtherwiseAreNotMadeAnew) {
  database_.Sql(
      "CREATE TABLE t (k int PRIMARY KEY, twice int GENERATED ALWAYS AS (k * 2) STORED) PARTITION "
      "BY RANGE (k); CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (10)");
  if (Number("SELECT current_setting('server_version_num')::int") < 160000)
    GTEST_SKIP() << "this server takes no such partition";
  database_.Sql(
      "CREATE TABLE t_b (k int NOT NULL, twice int GENERATED ALWAYS AS (k * 3) STORED); ALTER "
      "TABLE "
      "t ATTACH PARTITION t_b FOR VALUES FROM (10) TO (20); INSERT INTO t SELECT "
      "generate_series(0, "
      "19)");
  for (const Words& limits : {Words{}, Large()}) {
    const Ran refused = Run({"partition", "merge", "t_a", "t_b", "--yes"}, limits);
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("makes the column twice otherwise than public.t_a"));
  }
}

// Whoever holds it means its rows.
TEST_F(MergeByCopy, OneThatIsHeldMeanwhileStopsIt) {
  MakeYear();
  const Ran killed = Run(Merge(), Large({"PGALTER_FAIL_POINT=compared"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  ASSERT_EQ(Run({"partition", "hold", names_.at(1), "--reason", "audit"}).code, 0);
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("its rows would go where nothing holds them (legal hold of "));
  EXPECT_EQ(Parts("events"), parts_);
  ASSERT_EQ(Run({"partition", "release", names_.at(1)}).code, 0);
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  ExpectMerged();
  // So it is on the way back.
  ASSERT_EQ(Run({"partition", "hold", names_.at(0), "--reason", "audit"}).code, 0);
  const std::string merged = Parts("events");
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  EXPECT_EQ(Parts("events"), merged);
}

TEST_F(MergeByCopy, OneThatWasRenamedMeanwhileStopsIt) {
  MakeYear();
  const Ran killed = Run(Merge(), Large({"PGALTER_FAIL_POINT=compared"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  database_.Sql(fmt::format("ALTER TABLE {} RENAME TO other", names_.at(1)));
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr(names_.at(1) + " is no partition of public.events"));
  database_.Sql(fmt::format("ALTER TABLE other RENAME TO {}", names_.at(1)));
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  ExpectMerged();
}

TEST_F(MergeByCopy, OneThatWasDetachedMeanwhileStopsIt) {
  MakeYear();
  const Ran killed = Run(Merge(), Large({"PGALTER_FAIL_POINT=compared"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const std::string bound = database_.Value(fmt::format(
      "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = '{}'", names_.at(1)));
  database_.Sql(fmt::format("ALTER TABLE events DETACH PARTITION {}", names_.at(1)));
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr(names_.at(1) + " is no partition of public.events"));
  database_.Sql(fmt::format("ALTER TABLE events ATTACH PARTITION {} {}", names_.at(1), bound));
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  ExpectMerged();
}

TEST_F(MergeByCopy, ACaptureThatWasSwitchedOffOnOneOfThemStopsIt) {
  MakeYear();
  const Ran killed = Run(Merge(), Large({"PGALTER_FAIL_POINT=compared"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const std::string trigger = database_.Value(fmt::format(
      "SELECT tgname FROM pg_trigger WHERE tgrelid = '{}'::regclass AND tgname LIKE 'pgalter%'",
      names_.at(2)));
  database_.Sql(fmt::format(
      "ALTER TABLE {0} DISABLE TRIGGER {1}; UPDATE {0} SET note = 'unseen' WHERE id = (SELECT "
      "min(id) FROM {0}); ALTER TABLE {0} ENABLE ALWAYS TRIGGER {1}",
      names_.at(2), trigger));
  const Ran refused = Run({"resume", RunId()});
  EXPECT_NE(refused.code, 0);
  EXPECT_EQ(Parts("events"), parts_);
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectNothingOfOurs();
  ExpectSame();
}

// The way back is as large as the way there.
TEST_F(MergeByCopy, ARevertOfTooMuchIsRefusedWithTheCommandThatDoesIt) {
  MakeYear();
  ASSERT_EQ(Run(Merge(), Large()).code, 0);
  const std::string merged = Parts("events");
  const Words limit{"PGALTER_LIMITS=most-regrouped-kb=1"};
  const Ran refused = Run({"revert", RunId(), "--yes"}, limit);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_EQ(Parts("events"), merged);
  const Words split = CommandIn(refused.err, "pgalter partition split");
  ASSERT_FALSE(split.empty()) << refused.err;
  const Ran done = Run(split);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(Bounds(Parts("events")), Bounds(parts_));
  ExpectSame();
  // And that one's way back is a merge.
  const Ran back = Run({"revert", RunId(), "--yes"}, limit);
  EXPECT_EQ(back.code, 4) << back.err;
  const Words again = CommandIn(back.err, "pgalter partition merge");
  ASSERT_FALSE(again.empty()) << back.err;
  const Ran one = Run(again, Large());
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(Parts("events"), merged);
  EXPECT_EQ(Copies(), 2);
  ExpectNothingOfOurs();
  ExpectSame();
}

// What it has not ended yet keeps other runs from the table.
TEST_F(MergeByCopy, AnAbortOfTooMuchIsRefusedAndTheRunEnds) {
  MakeYear();
  const Ran killed = Run(Merge(), Large({"PGALTER_FAIL_POINT=swap-committed"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const std::string merged = Parts("events");
  const Ran refused = Run({"abort", RunId(), "--yes"}, {"PGALTER_LIMITS=most-regrouped-kb=1"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("First: pgalter resume " + RunId()));
  EXPECT_EQ(Parts("events"), merged);
  ASSERT_EQ(Run({"resume", RunId()}).code, 0);
  ExpectMerged();
}

}  // namespace
}  // namespace pgalter::test
