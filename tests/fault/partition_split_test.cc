// One partition becomes several under its users: no row is lost, none is there twice, and what it
// was part of stays as it was.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PartitionSplit : public Partitioned {
 protected:
  // All rows in the first partition, which has no beginning.
  void MakeWhole() {
    MakeEvents(3000);
    ASSERT_EQ(Run(Convert({"--premake", "1"})).code, 0);
    first_ = database_.Value(
        "SELECT relname FROM pg_class WHERE relname LIKE 'events_until_%' AND relkind = 'r'");
  }

  [[nodiscard]] Words Split(const Words& more = {}) const {
    Words words{"partition", "split", first_, "--yes"};
    if (more.empty()) words.insert(words.end(), {"--every", "1 month"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  void ExpectSplit() const {
    EXPECT_EQ(StateOfRun(), "done");
    EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM pg_class WHERE relname = '{}'", first_)), 0);
    EXPECT_GE(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 9);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
    // Each partition has its part of each index, and the trigger and the foreign key of the whole.
    EXPECT_EQ(
        Number("SELECT count(*) FROM pg_inherits i CROSS JOIN pg_index x WHERE i.inhparent = "
               "'events'::regclass AND x.indrelid = 'events'::regclass AND NOT EXISTS (SELECT "
               "FROM pg_index y JOIN pg_inherits yi ON yi.inhrelid = y.indexrelid WHERE "
               "y.indrelid = i.inhrelid AND yi.inhparent = x.indexrelid)"),
        0);
    EXPECT_EQ(
        Number("SELECT count(*) FROM pg_inherits i WHERE i.inhparent = 'events'::regclass AND "
               "NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = i.inhrelid AND "
               "f.contype = 'f' AND f.convalidated)"),
        0);
    ExpectNothingOfOurs();
  }

  std::string first_;
};

TEST_F(PartitionSplit, UnderItsUsers) {
  MakeWhole();
  Users users(database_.conninfo(), 21);
  users.ahead = true;
  const Ran split = Run(Split());
  ASSERT_EQ(split.code, 0) << split.err;
  users.AwaitWrites(200);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSplit();
  ExpectSame();
}

TEST_F(PartitionSplit, TakesThePaceOfARebuild) {
  MakeWhole();
  const Ran split =
      Run(Split({"--every", "1 month", "--workers", "2", "--chunk-time", "20ms", "--throttle",
                 "replay-lag-seconds=7s", "--unattended", "5h", "--log-limit", "3MB"}));
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(
      database_.Value(
          "SELECT concat_ws(' ', spec->>'workers', spec->>'chunk_time_ms', "
          "spec->'throttle'->>'replay-lag-seconds', spec->>'unattended_s', spec->>'log_limit') "
          "FROM pgalter.run WHERE command = 'partition split'"),
      "2 20 7s 18000 3145728");
  ExpectSplit();
  EXPECT_EQ(Run(Split({"--revert-window", "1h"})).code, 2);
  EXPECT_EQ(Run({"partition", "convert", "events", "--by", "range(made)", "--every", "1 day",
                 "--strategy", "attach", "--log-limit", "1GB"})
                .code,
            2);
}

TEST_F(PartitionSplit, IsRefusedWhileARunKeepsTheWayBack) {
  MakeEvents(300);
  ASSERT_EQ(Run(Convert({"--strategy", "copy", "--revert-window", "2h"})).code, 0);
  EXPECT_EQ(database_.Value("SELECT unattended FROM pgalter.flow WHERE name = 'reverse'"),
            "02:00:00");
  first_ = database_.Value(
      "SELECT relname FROM pg_class WHERE relname LIKE 'events_p%' AND relkind = 'r' LIMIT 1");
  const Ran split = Run(Split({"--every", "1 day"}));
  EXPECT_EQ(split.code, 4) << split.err;
  EXPECT_THAT(split.err, HasSubstr("is of a run that keeps a way back"));
}

class SplitKilledAt : public PartitionSplit, public ::testing::WithParamInterface<const char*> {};

TEST_P(SplitKilledAt, ResumeEndsWithEveryRowRight) {
  MakeWhole();
  Users users(database_.conninfo(), 22);
  users.ahead = true;
  const Ran killed = Run(Split(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSplit();
  ExpectSame();
}

// It kept no place of the old partition in the shape, and rights where there are none now.
TEST_F(PartitionSplit, OfAnOlderProgramGoesOn) {
  MakeWhole();
  const Ran killed = Run(Split(), {"PGALTER_FAIL_POINT=parts-made"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  database_.Sql(
      "UPDATE pgalter.step SET spec = jsonb_set(spec, '{shape}', "
      "to_jsonb(split_part(spec->>'shape', ' ', 1))) WHERE spec ? 'shape'; UPDATE pgalter.run SET "
      "spec = jsonb_set(spec, '{repart,alike}', '[]') WHERE spec ? 'repart'");
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  ExpectSplit();
  ExpectSame();
}

// All of them with PGALTER_TORTURE_ROUNDS, two in the slice.
std::vector<const char*> SplitPoints() {
  if (std::getenv("PGALTER_TORTURE_ROUNDS") == nullptr) return {"index-built", "swapped"};
  return {"parts-made",  "capture-made",  "copy-checked:2", "copy-committed:2",     "purged",
          "index-built", "index-built:5", "changes-taken",  "keys-applied",         "compared",
          "drained",     "swapped",       "swap-committed", "old-partition-dropped"};
}
INSTANTIATE_TEST_SUITE_P(Points, SplitKilledAt, ::testing::ValuesIn(SplitPoints()),
                         [](const ::testing::TestParamInfo<const char*>& point) {
                           std::string name = point.param;
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == ':'; }, '_');
                           return name;
                         });

// Compares the table with its mirror in one snapshot, again and again.
class Watcher {
 public:
  explicit Watcher(std::string conninfo) : thread_([this, conninfo] { Watch(conninfo); }) {}
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // After Stop; empty: never a difference.
  [[nodiscard]] const std::string& seen() const { return seen_; }
  [[nodiscard]] int looks() const { return looks_; }

 private:
  void Watch(const std::string& conninfo) {
    try {
      Session session(conninfo);
      while (!stopping_) {
        const Rows rows = session.Exec(
            "SELECT id, e.id IS NOT NULL FROM events e FULL JOIN mirror m USING (id) WHERE e.id IS "
            "NULL OR m.id IS NULL OR (e.made, e.kind, e.note) IS DISTINCT FROM (m.made, m.kind, "
            "m.note) LIMIT 1");
        ++looks_;
        if (!rows.empty()) seen_ += "row " + rows.at(0).at(0) + " " + rows.at(0).at(1) + "; ";
      }
    } catch (const SqlError& error) {
      seen_ += error.what();
    }
  }
  std::atomic<bool> stopping_ = false;
  std::string seen_;
  int looks_ = 0;
  std::thread thread_;
};

// More pieces than users may wait for at once: exchange after exchange, a run each. The budget is
// that of the plan alone.
class SplitInParts : public PartitionSplit {
 protected:
  [[nodiscard]] Words Narrow() const {
    return Split({"--every", "1 month", "--hold-budget", "14ms"});
  }
  static Words Patiently(Words more = {}) {
    more.emplace_back("PGALTER_LIMITS=hold-budget=600000");
    return more;
  }
  [[nodiscard]] long Splits(const char* state) const {
    return Number(fmt::format(
        "SELECT count(*) FROM pgalter.run WHERE command = 'partition split' AND state = '{}'",
        state));
  }
  // What a run says of the rest: "pgalter partition split x --every '1 month' --yes".
  static Words CommandIn(const std::string& said) {
    const std::string before = "the rest is split by: pgalter ";
    const std::size_t at = said.find(before);
    if (at == std::string::npos) return {};
    Words words{""};
    bool quoted = false;
    for (std::size_t i = at + before.size(); i < said.size() && said[i] != '\n'; ++i) {
      if (said[i] == '\'') {
        quoted = !quoted;
      } else if (said[i] == ' ' && !quoted) {
        words.emplace_back();
      } else {
        words.back() += said[i];
      }
    }
    return words;
  }
};

TEST_F(SplitInParts, UnderItsUsersWhoSeeEachRowOnce) {
  MakeWhole();
  Users users(database_.conninfo(), 27);
  users.ahead = true;
  Watcher watcher(database_.conninfo());
  const Ran split = Run(Narrow(), Patiently());
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_THAT(split.err, HasSubstr("users wait for at most 14 ms at a time"));
  users.AwaitWrites(100);
  users.Stop();
  watcher.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(watcher.seen(), "");
  EXPECT_GT(watcher.looks(), 2);
  EXPECT_EQ(Splits("done"), 2);
  ExpectSplit();
  ExpectSame();
}

TEST_F(SplitInParts, RowsLeaveTheDefaultPartition) {
  MakeWhole();
  database_.Sql(
      "INSERT INTO events (made, kind) SELECT now() + g * interval '1 month', 1 FROM "
      "generate_series(3, 12) g");
  first_ = "events_default";
  const Ran shown = Run(
      {"partition", "split", first_, "--every", "1 month", "--hold-budget", "14ms", "--dry-run"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.err, HasSubstr("in 2 exchanges"));
  const Ran split = Run(Narrow(), Patiently());
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Splits("done"), 2);
  EXPECT_EQ(Number("SELECT count(*) FROM events_default"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 13);
  ExpectNothingOfOurs();
  ExpectSame();
}

TEST_F(SplitInParts, KilledInTheFirstTheRestIsSplitByTheCommandItSays) {
  MakeWhole();
  Words narrow = Narrow();
  for (const char* word :
       {"--workers", "2", "--chunk-time", "20ms", "--max-lag", "9s", "--throttle",
        "active-sessions=99", "--throttle", "ratio=0.9", "--without-signal", "xmin-age",
        "--unattended", "5h", "--log-limit", "30MB"})
    narrow.emplace_back(word);
  const Ran killed = Run(narrow, Patiently({"PGALTER_FAIL_POINT=swap-committed"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const Ran resumed = Run({"resume", RunId()}, Patiently());
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const long half = Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass");
  EXPECT_EQ(half, 8);
  ExpectSame();
  const Ran rest = Run(CommandIn(resumed.err), Patiently());
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(Splits("done"), 2);
  // At the same pace, and users wait for no longer.
  EXPECT_EQ(
      database_.Value(
          "SELECT string_agg(DISTINCT concat_ws(' ', spec->>'workers', spec->>'chunk_time_ms', "
          "spec->>'throttle', spec->>'unattended_s', spec->>'log_limit', "
          "spec->'ladder'->>'hold_budget_ms'), ' and ') FROM pgalter.run WHERE command = "
          "'partition split'"),
      "2 20 {\"ratio\": \"0.9\", \"xmin-age\": \"off\", \"active-sessions\": \"99\", "
      "\"replay-lag-seconds\": \"9s\"} 18000 31457280 14");
  ExpectSplit();
  ExpectSame();
}

TEST_F(SplitInParts, TheLastIsTakenBackAloneAfterACrash) {
  MakeWhole();
  const Ran killed = Run(Narrow(), Patiently({"PGALTER_FAIL_POINT=swapped:2"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const Ran resumed = Run({"resume", RunId()}, Patiently());
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(Splits("done"), 2);
  ExpectSplit();
  const Ran reverted = Run({"revert", RunId(), "--yes"}, Patiently());
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Splits("reverted"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 8);
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM pg_class WHERE relname = '{}'", first_)), 1);
  ExpectSame();
}

TEST_F(SplitInParts, TheFirstIsNotTakenBackWhereTheRestWasSplitAgain) {
  MakeWhole();
  const Words narrow = Split({"--every", "1 month", "--hold-budget", "9ms"});
  const Ran killed = Run(narrow, Patiently({"PGALTER_FAIL_POINT=parts-made:3"}));
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  const std::string first = database_.Value(
      "SELECT run FROM pgalter.run WHERE command = 'partition split' ORDER BY "
      "created_at LIMIT 1");
  const char* const partitions =
      "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass";
  const long before = Number(partitions);
  const Ran refused = Run({"revert", first, "--yes"}, Patiently());
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("made since: take back first what made it"));
  EXPECT_EQ(Number(partitions), before);
  ExpectSame();
}

// Whatever is copied: the exchange would be rolled back, and again at each resume.
TEST_F(SplitInParts, WhereNoTwoFitItIsRefusedBefore) {
  MakeWhole();
  const Ran few = Run(Split({"--every", "1 month", "--hold-budget", "5ms"}));
  EXPECT_EQ(few.code, 4) << few.err;
  EXPECT_THAT(few.err, HasSubstr("--hold-budget allows 5 ms"));
  EXPECT_THAT(few.err, HasSubstr("let them wait: --hold-budget 1s"));
  Words apart = Narrow();
  apart.emplace_back("--detach");
  EXPECT_EQ(Run(apart).code, 2);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 3);
}

TEST_F(PartitionSplit, AnAbortLeavesAllAsItWas) {
  MakeWhole();
  Users users(database_.conninfo(), 23);
  ASSERT_EQ(Run(Split(), {"PGALTER_FAIL_POINT=swapped"}).code, kKilled);
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 3);
  ExpectNothingOfOurs();
  ExpectSame();
}

// What users change while the swap waits for its lock is in the log alone.
class SplitWaits : public PartitionSplit {
 protected:
  void SplitWhileAReaderHoldsTheTable(const Words& environment) {
    MakeWhole();
    Session reader = database_.Connect();
    reader.Exec("BEGIN; SELECT count(*) FROM " + first_);
    Program program = Start(Split(), environment);
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "t",
        std::chrono::seconds(30));
    database_.Sql("SET lock_timeout = '20s'; UPDATE events SET note = 'late' WHERE id <= 50");
    reader.Exec("COMMIT");
    const Ran ran = program.Wait();
    ASSERT_EQ(ran.code, 0) << ran.err;
  }

  [[nodiscard]] long Late() const {
    return Number("SELECT count(*) FROM events WHERE note = 'late'");
  }
};

TEST_F(SplitWaits, AndLosesNoChange) {
  SplitWhileAReaderHoldsTheTable({});
  EXPECT_EQ(Late(), 50);
  ExpectSame();
}

// A harness that cannot fail proves nothing.
TEST_F(SplitWaits, AndLosesChangesWithoutItsSafeguard) {
  SplitWhileAReaderHoldsTheTable({"PGALTER_SAFEGUARDS_OFF=final-drain"});
  EXPECT_LT(Late(), 50);
}

// What somebody hangs on the old partition, or makes refer to it, while the lock is waited for.
constexpr const char* kOwnTrigger =
    "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE "
    "TRIGGER own BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION own()";
constexpr const char* kOwnReference =
    "CREATE TABLE line (event bigint, made timestamptz, CONSTRAINT of_event FOREIGN KEY (event, "
    "made) REFERENCES events (id, made)); INSERT INTO line SELECT id, made FROM {} LIMIT 1";

class SplitMeets : public SplitWaits {
 protected:
  // `partition`: of those that go.
  Ran Meet(const Words& words, const std::string& partition, const char* change,
           const Words& environment = {}) const {
    Session reader = database_.Connect();
    reader.Exec("BEGIN; SELECT count(*) FROM " + partition);
    Program program = Start(words, environment);
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "t",
        std::chrono::seconds(30));
    database_.Sql(fmt::format(fmt::runtime(change), partition));
    reader.Exec("COMMIT");
    return program.Wait();
  }
  void ExpectRefused(const Ran& ran, const char* why) const {
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_THAT(ran.err, HasSubstr("pgalter resume " + RunId()));
    ExpectSame();
  }
};

TEST_F(SplitMeets, ATriggerThatCameLate) {
  MakeWhole();
  ExpectRefused(Meet(Split(), first_, kOwnTrigger), "trigger own is on this partition alone");
  database_.Sql("DROP FUNCTION own() CASCADE");
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  ExpectSplit();
  ExpectSame();
}

TEST_F(SplitMeets, AForeignKeyThatCameLate) {
  MakeWhole();
  ExpectRefused(Meet(Split(), first_, kOwnReference), "a foreign key of public.line has come");
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  ExpectSplit();
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_constraint WHERE conname = 'of_event' AND convalidated"), 1);
  ExpectSame();
}

TEST_F(SplitMeets, AndLosesATriggerWithoutItsSafeguard) {
  MakeWhole();
  const Ran ran =
      Meet(Split(), first_, kOwnTrigger, {"PGALTER_SAFEGUARDS_OFF=obstacles-under-lock"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname = 'own'"), 0);
}

// What is given to the old partition meanwhile is given to those that take its place.
class SplitIsGiven : public SplitMeets {
 protected:
  Ran GiveWhileItWaits(const Words& environment = {}) {
    MakeWhole();
    // Some of it takes a lock that no reader of the partition lets through.
    database_.Sql(fmt::format(
        "CREATE TRIGGER extra AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION mirror();"
        "ALTER TABLE events DISABLE TRIGGER extra; COMMENT ON TABLE events IS 'of the whole';"
        "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY; ALTER TABLE {0} FORCE ROW LEVEL SECURITY; "
        "ALTER TABLE {0} REPLICA IDENTITY FULL",
        first_));
    const char* const gifts =
        "GRANT SELECT, DELETE ON {0} TO pg_monitor WITH GRANT OPTION; COMMENT ON TABLE {0} IS "
        "'it''s {{old}}'; ALTER TABLE {0} SET (fillfactor = 70, toast.autovacuum_enabled = false); "
        "ALTER TABLE {0} ENABLE ALWAYS TRIGGER extra";
    return Meet(Split(), first_, gifts, environment);
  }
  // Of the partitions that took its place: neither the one ahead nor the default one.
  [[nodiscard]] long With(const std::string& condition) const {
    return Number(
        "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent"
        " = 'events'::regclass AND " +
        condition);
  }
};

TEST_F(SplitIsGiven, RightsAndSettingsLate) {
  const Ran ran = GiveWhileItWaits();
  ASSERT_EQ(ran.code, 0) << ran.err;
  const long pieces = With("true") - 2;
  EXPECT_GT(pieces, 7);
  EXPECT_EQ(With("has_table_privilege('pg_monitor', c.oid, 'SELECT WITH GRANT OPTION')"), pieces);
  EXPECT_EQ(With("obj_description(c.oid, 'pg_class') = 'it''s {old}'"), pieces);
  EXPECT_EQ(With("relrowsecurity AND relforcerowsecurity AND relreplident = 'f'"), pieces);
  EXPECT_EQ(With("reloptions = '{fillfactor=70}' AND (SELECT t.reloptions = '{autovacuum_enabled="
                 "false}' FROM pg_class t WHERE t.oid = c.reltoastrelid)"),
            pieces);
  EXPECT_EQ(With("(SELECT tgenabled = 'A' FROM pg_trigger t WHERE tgrelid = c.oid AND tgname = "
                 "'extra')"),
            pieces);
  ExpectSplit();
  ExpectSame();
}

TEST_F(SplitIsGiven, AndLosesThemWithoutItsSafeguard) {
  const Ran ran = GiveWhileItWaits({"PGALTER_SAFEGUARDS_OFF=alike-under-lock"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(With("has_table_privilege('pg_monitor', c.oid, 'SELECT')"), 0);
  EXPECT_EQ(With("relrowsecurity"), 0);
}

TEST_F(PartitionSplit, RowsLeaveTheDefaultPartitionUnderTheirUsers) {
  MakeWhole();
  Users users(database_.conninfo(), 24);
  users.ahead = true;
  users.AwaitWrites(500);
  ASSERT_GT(Number("SELECT count(*) FROM events_default"), 0);
  first_ = "events_default";
  const Ran split = Run(Split());
  ASSERT_EQ(split.code, 0) << split.err;
  users.AwaitWrites(100);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  // A default partition of the same name is there, with indexes named after it.
  EXPECT_EQ(database_.Value("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = "
                            "'events_default'"),
            "DEFAULT");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'events\\_default\\_%' AND "
                   "relkind = 'i'"),
            3);
  EXPECT_GT(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 4);
  ExpectNothingOfOurs();
}

TEST_F(PartitionSplit, MaintainMovesTheRowsOfWhatItMakes) {
  MakeWhole();
  database_.Sql(
      "INSERT INTO events (made, kind) SELECT now() + g * interval '20 days', 1 FROM "
      "generate_series(4, 9) g");
  const Ran ran = Run({"partition", "maintain", "events", "--premake", "2", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("public.events_default has"));
  EXPECT_EQ(Number("SELECT count(*) FROM events_default"), 0);
  ExpectSame();
  ExpectNothingOfOurs();
}

// Ranges are made for rows alone, however far apart these are.
TEST_F(PartitionSplit, ADefaultPartitionWithOddRowsIsParted) {
  for (const char* type : {"timestamptz", "timestamp", "date"}) {
    SCOPED_TRACE(type);
    database_.Sql(fmt::format(
        "CREATE TABLE m (id int GENERATED ALWAYS AS IDENTITY, made {} NOT NULL, PRIMARY KEY (id, "
        "made)) PARTITION BY RANGE (made); CREATE TABLE m_def PARTITION OF m DEFAULT; INSERT INTO "
        "m "
        "(made) VALUES ('0001-06-05 BC'), ('2026-08-03'), ('2026-10-03'), ('9999-12-31'), "
        "('infinity'), ('-infinity')",
        type));
    const Ran ran = Run({"partition", "split", "m_def", "--every", "1 month", "--yes"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("infinity stay where they are"));
    EXPECT_EQ(Number("SELECT count(*) FROM m_def"), 2);
    EXPECT_EQ(Number("SELECT count(*) FROM m"), 6);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'm'::regclass"), 5);
    for (const char* part : {"m_p2026_08", "m_p2026_10", "m_p9999_12"})
      EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM {}", part)), 1);
    database_.Sql("DROP TABLE m");
  }
}

class PartitionUndone : public PartitionSplit, public ::testing::WithParamInterface<const char*> {};

TEST_P(PartitionUndone, UnderItsUsersAndBack) {
  MakeWhole();
  Users users(database_.conninfo(), 25);
  users.ahead = true;
  const std::string point = GetParam();
  const Words undo{"partition", "undo", "events", "--yes"};
  const Ran ran = Run(undo, point.empty() ? Words{} : Words{"PGALTER_FAIL_POINT=" + point});
  ASSERT_EQ(ran.code, point.empty() ? 0 : kKilled) << ran.err;
  if (!point.empty()) ResumeToTheEnd();
  users.AwaitWrites(200);
  EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
            "r");
  EXPECT_EQ(database_.Value("SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_index x "
                            "JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = "
                            "'events'::regclass AND x.indisvalid"),
            "events_kind events_made events_pkey");
  if (point.empty()) {
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    users.AwaitWrites(100);
    EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
              "p");
  }
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(Points, PartitionUndone, ::testing::Values("", "copy-committed:2"),
                         [](const ::testing::TestParamInfo<const char*>& point) {
                           return std::string(*point.param == 0 ? "Whole" : "KilledInTheCopy");
                         });

TEST_F(PartitionSplit, ListsAndCuts) {
  database_.Sql(
      "CREATE TABLE l (c text, id int, PRIMARY KEY (c, id)) PARTITION BY LIST (c); CREATE TABLE "
      "l_a "
      "PARTITION OF l FOR VALUES IN ('de', 'fr', 'it'); CREATE TABLE l_rest PARTITION OF l "
      "DEFAULT; "
      "INSERT INTO l VALUES ('de', 1), ('fr', 2), ('it', 3), ('us', 4); CREATE TABLE n (k int "
      "PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE n_p0 PARTITION OF n FOR VALUES FROM (0) "
      "TO "
      "(100); INSERT INTO n SELECT generate_series(0, 99); GRANT SELECT ON n_p0 TO pg_monitor");
  const Ran uncovered = Run({"partition", "split", "l_a", "--values", "x=de,fr", "--yes"});
  EXPECT_EQ(uncovered.code, 2);
  EXPECT_THAT(uncovered.err, HasSubstr("no --values has 'it'"));
  const Ran lists =
      Run({"partition", "split", "l_a", "--values", "x=de,it", "--values", "y=fr", "--yes"});
  ASSERT_EQ(lists.code, 0) << lists.err;
  EXPECT_EQ(
      database_.Value("SELECT string_agg(tableoid::regclass || ' ' || c, ';' ORDER BY id) FROM "
                      "l"),
      "l_x de;l_y fr;l_x it;l_rest us");
  const Ran beyond = Run({"partition", "split", "n_p0", "--at", "150", "--yes"});
  EXPECT_EQ(beyond.code, 2) << beyond.err;
  // The first piece has the name of the old one.
  const Ran cut = Run({"partition", "split", "n_p0", "--at", "10", "--at", "60", "--yes"});
  ASSERT_EQ(cut.code, 0) << cut.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(p || ' ' || n, ';' ORDER BY p) FROM (SELECT "
                            "tableoid::regclass::text AS p, count(*) AS n FROM n GROUP BY 1) s"),
            "n_p0 10;n_p10 50;n_p60 40");
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_class c, aclexplode(relacl) a WHERE relname LIKE 'n\\_p%' "
             "AND relkind = 'r' AND a.grantee <> relowner"),
      3);
}

class PartitionMerge : public PartitionSplit {
 protected:
  void MakeYear() {
    MakeEvents(2000);
    ASSERT_EQ(Run({"partition", "convert", "events", "--by", "range(made)", "--every", "1 month",
                   "--strategy", "copy", "--yes"})
                  .code,
              0);
    ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    names_ = database_.Connect().Exec(
        "SELECT relname FROM pg_class WHERE relname LIKE 'events\\_p%' AND relkind = 'r' ORDER BY "
        "relname LIMIT 4");
  }
  [[nodiscard]] Words Merge(std::size_t first, std::size_t last) const {
    Words words{"partition", "merge"};
    for (std::size_t i = first; i <= last; ++i) words.push_back(names_.at(i).at(0));
    words.emplace_back("--yes");
    return words;
  }
  void ExpectMerged() const {
    EXPECT_EQ(StateOfRun(), "done");
    EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM pg_class WHERE relname IN ('{}', '{}')",
                                 names_.at(1).at(0), names_.at(2).at(0))),
              0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
    ExpectNothingOfOurs();
    ExpectSame();
  }
  Rows names_;
};

TEST_F(PartitionMerge, UnderItsUsersAndAfterACrash) {
  MakeYear();
  Users users(database_.conninfo(), 26);
  users.ahead = true;
  const Ran apart = Run({"partition", "merge", names_.at(0).at(0), names_.at(2).at(0), "--yes"});
  EXPECT_EQ(apart.code, 2);
  EXPECT_THAT(apart.err, HasSubstr("only neighbours"));
  ASSERT_EQ(Run(Merge(0, 2), {"PGALTER_FAIL_POINT=merged"}).code, kKilled);
  ResumeToTheEnd();
  users.AwaitWrites(200);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectMerged();
}

// Its first statement waits for the lock under which the rows are moved, with a snapshot from
// before. What it names may be the partition alone.
class MergeBesideASnapshot : public PartitionMerge {
 protected:
  // The SQLSTATE that its UPDATE of `table` ends with; empty: it found no row, in silence.
  std::string UpdateBehindTheMerge(const std::string& table, Words environment) {
    // The row that is moved last stops the move until the barrier opens.
    database_.Sql(
        "CREATE FUNCTION held(note text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN WHILE note = "
        "'slow' AND NOT pg_try_advisory_xact_lock_shared(9) LOOP PERFORM pg_sleep(0.01); END LOOP; "
        "RETURN true; END $$; ALTER TABLE events ADD CONSTRAINT slowly CHECK (held(note))");
    database_.Sql(fmt::format("UPDATE events SET note = 'slow' WHERE id = (SELECT min(id) FROM {})",
                              names_.at(0).at(0)));
    Session barrier = database_.Connect();
    barrier.Exec("SELECT pg_advisory_lock(9)");
    Session other = database_.Connect();
    other.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
    environment.emplace_back("PGALTER_LIMITS=hold-budget=600000");
    Program program = Start(Merge(0, 2), environment);
    EXPECT_TRUE(Within(kLimit, [&] {
      return Number(
                 "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE "
                 "l.relation = 'events'::regclass AND l.mode = 'AccessExclusiveLock' AND l.granted "
                 "AND a.wait_event = 'PgSleep'") > 0;
    }));
    other.Send(fmt::format("UPDATE {} SET note = 'mine' WHERE note = 'slow'", table));
    database_.AwaitLockWait(other.backend_pid());
    barrier.Close();
    std::string said;
    try {
      other.Wait(kLimit);
      other.Exec("COMMIT");
    } catch (const SqlError& error) {
      said = error.sqlstate();
      other.Exec("ROLLBACK");
    }
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return said;
  }
};

TEST_F(MergeBesideASnapshot, AWriteThatWouldMissARowIsToBeRepeated) {
  MakeYear();
  EXPECT_EQ(UpdateBehindTheMerge("events", {}), "40001");
  ExpectMerged();
}

TEST_F(MergeBesideASnapshot, SoIsOneThatNamesThePartition) {
  MakeYear();
  EXPECT_EQ(UpdateBehindTheMerge(names_.at(0).at(0), {}), "40001");
  ExpectMerged();
}

TEST_F(MergeBesideASnapshot, WhichIsLostWithoutThePartitionsGuard) {
  MakeYear();
  EXPECT_EQ(UpdateBehindTheMerge(names_.at(0).at(0),
                                 {"PGALTER_SAFEGUARDS_OFF=snapshot-guard-of-partitions"}),
            "");
  EXPECT_EQ(Number("SELECT count(*) FROM events WHERE note = 'mine'"), 0);
}

// At work elsewhere, it would not see the rows that are moved meanwhile.
TEST_F(PartitionMerge, WaitsForASnapshotThatIsAtWork) {
  MakeYear();
  const std::string rows = database_.Value("SELECT count(*) FROM events");
  Session gate = database_.Connect();
  gate.Exec("SELECT pg_advisory_lock(24)");
  Session old = database_.Connect();
  old.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
  old.Send("SELECT pg_advisory_xact_lock_shared(24)");
  database_.AwaitLockWait(old.backend_pid());
  const Ran busy = Run(Merge(0, 2), {"PGALTER_LIMITS=lock-budget=3000"});
  EXPECT_EQ(busy.code, 5) << busy.err;
  EXPECT_THAT(busy.err, HasSubstr(fmt::format("in the way: pid {} (user ", old.backend_pid())));
  gate.Close();
  old.Wait(kLimit);
  EXPECT_EQ(old.Value("SELECT count(*) FROM events"), rows);
  old.Exec("COMMIT");
  ResumeToTheEnd();
  ExpectMerged();
}

TEST_F(PartitionMerge, EndsAfterACrashBehindItsCommit) {
  MakeYear();
  ASSERT_EQ(Run(Merge(0, 2), {"PGALTER_FAIL_POINT=merge-committed"}).code, kKilled);
  ResumeToTheEnd();
  ExpectMerged();
}

// Rights on one partition would be rights on the rows of all.
TEST_F(PartitionMerge, OfUnequalRightsIsRefusedAndOfEqualKeepsThem) {
  MakeYear();
  const std::string other = names_.at(1).at(0);
  database_.Sql(fmt::format("GRANT SELECT ON {} TO pg_monitor", other));
  const Ran refused = Run(Merge(0, 2));
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr(fmt::format("public.{} has other rights than", other)));
  // Nor does it get those that new tables have.
  database_.Sql(fmt::format(
      "GRANT SELECT ON {}, {} TO pg_monitor; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "
      "pg_read_all_stats",
      names_.at(0).at(0), names_.at(2).at(0)));
  const Ran merged = Run(Merge(0, 2));
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(database_.Value(fmt::format(
                "SELECT string_agg(a.grantee::regrole || ' ' || a.privilege_type, ', ') FROM "
                "pg_class c, aclexplode(c.relacl) a WHERE c.relname = '{}' AND a.grantee <> "
                "c.relowner",
                names_.at(0).at(0))),
            "pg_monitor SELECT");
  ExpectMerged();
}

class MergeMeets : public PartitionMerge {
 protected:
  Ran Meet(const Words& environment = {}, const char* change = kOwnTrigger) const {
    Session reader = database_.Connect();
    reader.Exec("BEGIN; SELECT count(*) FROM " + names_.at(1).at(0));
    Program program = Start(Merge(0, 2), environment);
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "t",
        std::chrono::seconds(30));
    database_.Sql(fmt::format(fmt::runtime(change), names_.at(1).at(0)));
    reader.Exec("COMMIT");
    return program.Wait();
  }
};

TEST_F(MergeMeets, ATriggerThatCameLate) {
  MakeYear();
  const Ran refused = Meet();
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("trigger own is on this partition alone"));
  ExpectSame();
  database_.Sql("DROP FUNCTION own() CASCADE");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, Not(HasSubstr("0 rows")));
  ExpectMerged();
}

TEST_F(MergeMeets, ARightThatCameLate) {
  MakeYear();
  const Ran refused = Meet({}, "GRANT SELECT ON {} TO pg_monitor");
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("has other rights than"));
  EXPECT_THAT(refused.err, HasSubstr("pgalter resume " + RunId()));
  database_.Sql(
      fmt::format("GRANT SELECT ON {}, {} TO pg_monitor", names_.at(0).at(0), names_.at(2).at(0)));
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM pg_class WHERE relname = '{}' AND "
                               "has_table_privilege('pg_monitor', oid, 'SELECT')",
                               names_.at(0).at(0))),
            1);
  ExpectMerged();
}

TEST_F(MergeMeets, AndLosesItWithoutItsSafeguard) {
  MakeYear();
  const Ran ran = Meet({"PGALTER_SAFEGUARDS_OFF=obstacles-under-lock"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname = 'own'"), 0);
}

TEST_F(PartitionMerge, ATypeOfTheNameIsNamedBefore) {
  MakeYear();
  database_.Sql("CREATE TYPE half AS ENUM ('x')");
  Words merge = Merge(0, 2);
  merge.insert(merge.end(), {"--name", "half"});
  const Ran refused = Run(merge);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("type public.half stands where"));
}

// A harness that cannot fail proves nothing.
TEST_F(PartitionMerge, LosesRowsWithoutMovingThem) {
  MakeYear();
  ASSERT_EQ(Run(Merge(0, 2), {"PGALTER_SAFEGUARDS_OFF=merge-rows"}).code, 0);
  EXPECT_LT(Number("SELECT count(*) FROM events"), Number("SELECT count(*) FROM mirror"));
}

// Without a key nothing is copied, and nothing tried before.
TEST_F(PartitionSplit, ATypeOfTheNameIsNamedBeforeRowsAreMovedUnderLock) {
  database_.Sql(
      "CREATE TABLE n (k int, v int) PARTITION BY RANGE (k); CREATE TABLE n_p0 PARTITION OF n FOR "
      "VALUES FROM (0) TO (100); INSERT INTO n VALUES (5), (50); CREATE DOMAIN n_p10 AS int");
  const Words split{"partition", "split", "n_p0", "--at", "10", "--yes"};
  const Ran refused = Run(split);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("type public.n_p10 stands where"));
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  // The type of its arrays gives way to what has that name.
  database_.Sql("DROP DOMAIN n_p10; CREATE TYPE _n_p10 AS ENUM ('x')");
  const Ran done = Run(split);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(Number("SELECT count(*) FROM n_p10"), 1);
}

TEST_F(PartitionSplit, RefusesWhatItCannotCarryOver) {
  database_.Sql(
      "CREATE TABLE n (k int PRIMARY KEY, v int) PARTITION BY RANGE (k); CREATE TABLE n_p0 "
      "PARTITION "
      "OF n FOR VALUES FROM (0) TO (100)");
  const auto says = [&](const char* script, const char* text) {
    database_.Sql(script);
    const Ran ran = Run({"partition", "split", "n_p0", "--at", "10", "--yes"});
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  };
  says("CREATE INDEX own ON n_p0 (v)", "index public.own is on this partition alone");
  says("DROP INDEX own; CREATE VIEW w AS SELECT * FROM n_p0", "view public.w uses the partition");
  says("DROP VIEW w; CREATE TABLE o (k int REFERENCES n_p0)", "foreign key o_k_fkey of public.o");
  says(
      "DROP TABLE o; CREATE TABLE r (v int PRIMARY KEY); ALTER TABLE n_p0 ADD CONSTRAINT lone "
      "FOREIGN "
      "KEY (v) REFERENCES r",
      "foreign key lone is of this partition alone");
  says("ALTER TABLE n_p0 DROP CONSTRAINT lone; CREATE PUBLICATION p FOR TABLE n",
       "publish_via_partition_root");
  says("DROP PUBLICATION p; CREATE TABLE n_p10 ()", "there is a relation public.n_p10 already");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

}  // namespace
}  // namespace pgalter::test
