// Foreign keys that refer to a key which a conversion by copy widens: what becomes of them happens
// in the swap, and comes back with a revert. A foreign key of the server's own is the oracle.
#include <algorithm>

#include "tests/fault/inbound_world.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Words kByCopy{"--strategy", "copy"};

std::string NameOfPoint(std::string point) {
  std::ranges::replace_if(
      point, [](char c) { return c == '-' || c == ':'; }, '_');
  return point;
}

class InboundCopied : public PartitionInbound {
 protected:
  void ExpectTables(const char* rows) const {
    Session own = database_.Connect();
    Session control = database_.Connect();
    control.Exec("SET search_path = control");
    EXPECT_EQ(own.Value(rows), control.Value(rows));
  }
  static void ExpectNamed(const std::string& text, const std::string& revert) {
    for (const std::string& part :
         {std::string("foreign key fk of public.c is not valid yet"),
          std::string(
              "the row (n) = (1) of public.c refers to a row of public.p that is not there"),
          std::string("The tables are back in their places"), revert})
      EXPECT_THAT(text, HasSubstr(part));
  }
  [[nodiscard]] long ForeignKeys() const {
    return Number(
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = "
        "'public'::regnamespace");
  }
};

class InboundCopiedActions : public InboundCopied,
                             public ::testing::WithParamInterface<ActionCase> {};

TEST_P(InboundCopiedActions, TriggersDoWhatTheForeignKeyDid) {
  MakePair(GetParam().actions, "trigger", GetParam().pair, kByCopy);
  Session own = database_.Connect();
  Session control = database_.Connect();
  control.Exec("SET search_path = control");
  constexpr std::array kRows{"SELECT coalesce(string_agg(c::text, ' ' ORDER BY n), '') FROM c",
                             "SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM p"};
  for (const char* sql : kOfTwo) {
    EXPECT_EQ(Said(own, sql), Said(control, sql)) << sql;
    for (const char* rows : kRows) EXPECT_EQ(own.Value(rows), control.Value(rows)) << sql;
  }
  ExpectTakenBack();
  for (const char* rows : kRows) ExpectTables(rows);
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(
    Actions, InboundCopiedActions,
    ::testing::Values(ActionCase{"None", ""},
                      ActionCase{"Cascade", "ON DELETE CASCADE ON UPDATE CASCADE"},
                      ActionCase{"SetNull", "ON DELETE SET NULL ON UPDATE SET NULL"},
                      ActionCase{"Deferred", "DEFERRABLE INITIALLY DEFERRED"},
                      ActionCase{"CascadeOfPartitions", "ON DELETE CASCADE ON UPDATE CASCADE",
                                 kParted}),
    [](const auto& param) { return std::string(param.param.name); });

class InboundCopiedItself : public InboundCopied,
                            public ::testing::WithParamInterface<ActionCase> {};

TEST_P(InboundCopiedItself, TriggersDoWhatTheForeignKeyDid) {
  MakePair(GetParam().actions, "trigger", kTree, kByCopy);
  Session own = database_.Connect();
  Session control = database_.Connect();
  control.Exec("SET search_path = control");
  const char* const rows =
      "SELECT coalesce(string_agg(format('%s-%s', id, up), ' ' ORDER BY id), '') FROM p";
  for (const char* sql : kOfOne) {
    EXPECT_EQ(Said(own, sql), Said(control, sql)) << sql;
    EXPECT_EQ(own.Value(rows), control.Value(rows)) << "after " << sql;
  }
  ExpectTakenBack();
  ExpectTables(rows);
}

INSTANTIATE_TEST_SUITE_P(Actions, InboundCopiedItself,
                         ::testing::Values(ActionCase{"None", ""},
                                           ActionCase{"Cascade",
                                                      "ON DELETE CASCADE ON UPDATE CASCADE"},
                                           ActionCase{"Deferred", "DEFERRABLE INITIALLY DEFERRED"}),
                         [](const auto& param) { return std::string(param.param.name); });

// Whatever refers: each is gone after the swap, and is there again, valid, after the revert.
class InboundCopiedDropped : public InboundCopied,
                             public ::testing::WithParamInterface<ActionCase> {};

TEST_P(InboundCopiedDropped, AndComesBack) {
  const std::string referring = GetParam().pair == kTree ? "p" : "c";
  database_.Sql(fmt::format(fmt::runtime(GetParam().pair), "ON DELETE CASCADE"));
  database_.Sql(fmt::format("COMMENT ON CONSTRAINT fk ON {} IS 'it''s kept'", referring));
  const std::vector<std::string> before = Dump(database_);
  const long keys = ForeignKeys();
  const Ran ran = Run(Convert("drop", kByCopy));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("weaker: foreign key fk of public." + referring));
  EXPECT_EQ(ForeignKeys(), 0);
  database_.Sql(referring == "p"
                    ? "INSERT INTO p VALUES (30, now() + interval '70 days', 1)"
                    : "INSERT INTO p VALUES (30, now() + interval '70 days'); INSERT INTO c VALUES "
                      "(1, 1), (20, 30)");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(ForeignKeys(), keys);
  Session user = database_.Connect();
  EXPECT_EQ(Said(user, referring == "p" ? "INSERT INTO p VALUES (40, now(), 99)"
                                        : "INSERT INTO c VALUES (3, 99)"),
            "23503");
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(Tables, InboundCopiedDropped,
                         ::testing::Values(ActionCase{"Plain", "", kPair},
                                           ActionCase{"Partitioned", "", kParted},
                                           ActionCase{"Itself", "", kTree}),
                         [](const auto& param) { return std::string(param.param.name); });

// One that was not valid is not made so.
TEST_F(InboundCopied, OneThatIsNotValidComesBackAsItWas) {
  database_.Sql(
      "CREATE TABLE p (id int PRIMARY KEY, made date NOT NULL); CREATE TABLE c (e int); INSERT "
      "INTO c VALUES (99); ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (e) REFERENCES p NOT VALID");
  const std::vector<std::string> before = Dump(database_);
  const Ran ran = Run(Convert("drop", kByCopy));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ForeignKeys(), 0);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
}

// Nothing checked the rows meanwhile: the tables are back, and the key waits for them.
TEST_F(InboundCopied, ARevertNamesTheKeyThatRowsHaveBroken) {
  MakePair("", "drop", kPair, kByCopy);
  database_.Sql("INSERT INTO c VALUES (1, 99), (2, NULL), (3, 3)");
  const std::string revert = "pgalter revert " + RunId() + " --yes";
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 1) << reverted.err;
  ExpectNamed(reverted.err, revert);
  // The query that it gives.
  const std::string by = "found by: ";
  const std::string query = reverted.err.substr(reverted.err.find(by) + by.size());
  EXPECT_EQ(database_.Value(query.substr(0, query.find('\n'))), "1");
  const Ran status = Run({"status", RunId()});
  ExpectNamed(status.out, revert);
  EXPECT_THAT(status.out, ::testing::Not(HasSubstr("pgalter resume")));
  Session user = database_.Connect();
  EXPECT_EQ(Said(user, "INSERT INTO c VALUES (4, 99)"), "23503");
  database_.Sql("DELETE FROM c WHERE n = 1");
  ExpectTakenBack();
  ExpectNothingOfOurs();
}

// The wish of whoever drops it is that nothing checks these rows.
TEST_F(InboundCopied, ABrokenKeyThatIsDroppedIsNotMissed) {
  MakePair("", "drop", kPair, kByCopy);
  database_.Sql("INSERT INTO c VALUES (1, 99)");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 1);
  database_.Sql("ALTER TABLE c DROP CONSTRAINT fk");
  const Ran again = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(StateOfRun(), "reverted");
  ExpectNothingOfOurs();
}

TEST_F(InboundCopied, ARevertNamesTheKeyThatRowsHaveBrokenBesideTheTriggers) {
  MakePair("", "trigger", kPair, kByCopy);
  database_.Sql("ALTER TABLE c DISABLE TRIGGER USER; INSERT INTO c VALUES (1, 99)");
  const std::string revert = "pgalter revert " + RunId() + " --yes";
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 1) << reverted.err;
  ExpectNamed(reverted.err, revert);
  database_.Sql("UPDATE c SET e = 9");
  ExpectTakenBack();
  ExpectNothingOfOurs();
}

// Lists and hashes have no other way than by copy.
TEST_F(InboundCopied, AlsoOfListsAndHashes) {
  for (const Words& by : {Words{"--by", "hash(kind)", "--modulus", "3"},
                          Words{"--by", "list(kind)", "--values", "low=1,2,3"}}) {
    SCOPED_TRACE(by[1]);
    database_.Sql(
        "DROP TABLE IF EXISTS c, p CASCADE; DROP FUNCTION IF EXISTS c_fk_refers, c_fk_referred; "
        "CREATE TABLE p (id int PRIMARY KEY, kind int NOT "
        "NULL); INSERT INTO p SELECT g, g % 5 FROM generate_series(1, 20) g; CREATE TABLE c (n int "
        "PRIMARY KEY, e int CONSTRAINT fk REFERENCES p); INSERT INTO c SELECT g, g FROM "
        "generate_series(1, 20) g");
    Words words{"partition", "convert", "p", "--inbound-fk", "trigger", "--yes"};
    words.insert(words.end(), by.begin(), by.end());
    const Ran ran = Run(words);
    ASSERT_EQ(ran.code, 0) << ran.err;
    Session user = database_.Connect();
    EXPECT_EQ(Said(user, "DELETE FROM p WHERE id = 7"), "23503");
    EXPECT_EQ(Said(user, "INSERT INTO c VALUES (30, 99)"), "23503");
    const Ran finished = Run({"finish", RunId(), "--yes"});
    ASSERT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(Said(user, "DELETE FROM p WHERE id = 7"), "23503");
    ExpectNothingOfOurs();
  }
}

TEST_F(InboundCopied, IsRefusedWithTheWaysOut) {
  database_.Sql(fmt::format(fmt::runtime(kPair), ""));
  const Ran refused = Run(Convert("refuse", kByCopy));
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("cannot part public.p: foreign key fk of public.c refers to"));
  for (const char* way : {"--inbound-fk widen", "--inbound-fk trigger", "--inbound-fk drop"})
    EXPECT_THAT(refused.err, HasSubstr(way));
  database_.Sql("CREATE ROLE inbound_stranger; ALTER TABLE c OWNER TO inbound_stranger");
  const Ran trigger = Run(Convert("trigger", kByCopy));
  EXPECT_EQ(trigger.code, 4) << trigger.err;
  EXPECT_THAT(trigger.err, HasSubstr("give them one owner"));
  database_.Sql("DROP TABLE c; DROP ROLE inbound_stranger");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

TEST_F(InboundCopied, WhatIsNotWidened) {
  database_.Sql(fmt::format(fmt::runtime(kTree), ""));
  const Ran refused = Run(Convert("widen", kByCopy));
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("cannot keep foreign key fk of public."));
  EXPECT_THAT(refused.err, HasSubstr("--inbound-fk trigger, or drop"));
  database_.Sql("DROP TABLE IF EXISTS c, p; " + fmt::format(fmt::runtime(kPair), ""));
  Words canary = kByCopy;
  canary.insert(canary.end(), {"--canary", "1%"});
  const Ran both = Run(Convert("widen", canary));
  EXPECT_EQ(both.code, 2) << both.err;
  EXPECT_THAT(both.err, HasSubstr("--canary is for the copy"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

// Who drops it owns it: found before the copy, not after hours.
TEST_F(InboundCopied, OfAStrangersTableIsSaidBefore) {
  const std::string owner = "inbound_owner_" + database_.name();
  database_.Sql(fmt::format(
      "CREATE ROLE {0} LOGIN; GRANT ALL ON SCHEMA public TO {0}; CREATE TABLE p (id int PRIMARY "
      "KEY, made date NOT NULL); ALTER TABLE p OWNER TO {0}; CREATE TABLE c (e int CONSTRAINT fk "
      "REFERENCES p)",
      owner));
  database_.Sql(fmt::format("GRANT CREATE ON DATABASE {} TO {}", database_.name(), owner));
  user_ = owner;
  const Ran refused = Run(Convert("drop", kByCopy));
  EXPECT_EQ(refused.code, 10) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("does not own public.c"));
  database_.Sql(fmt::format("DROP TABLE c, p; DROP OWNED BY {0}; DROP ROLE {0}", owner));
}

// Between the beginning and the swap.
class InboundCopiedMeanwhile : public InboundCopied {
 protected:
  void Begin(const char* way) {
    database_.Sql(fmt::format(fmt::runtime(kPair), ""));
    ASSERT_EQ(Run(Convert(way, kByCopy), {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
    AwaitNoRunner();
  }
};

TEST_F(InboundCopiedMeanwhile, AKeyThatComesIsNotLost) {
  Begin("drop");
  database_.Sql("CREATE TABLE d (e int CONSTRAINT of_d REFERENCES p)");
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("foreign key of_d of public.d has come meanwhile"));
  database_.Sql("ALTER TABLE d DROP CONSTRAINT of_d");
  ResumeToTheEnd();
  EXPECT_EQ(ForeignKeys(), 0);
}

TEST_F(InboundCopiedMeanwhile, AKeyThatGoesHasNoTriggers) {
  Begin("trigger");
  database_.Sql("ALTER TABLE c DROP CONSTRAINT fk");
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("a foreign key of public.c that was there at the beginning"));
  database_.Sql("ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (e) REFERENCES p");
  ResumeToTheEnd();
  Session user = database_.Connect();
  EXPECT_EQ(Said(user, "INSERT INTO c VALUES (1, 99)"), "23503");
}

TEST_F(InboundCopied, HoldsPartitionsThatOthersReferTo) {
  MakePair("", "trigger", kPair, kByCopy);
  database_.Sql("INSERT INTO c VALUES (1, 1)");
  const std::string part = database_.Value("SELECT tableoid::regclass FROM p WHERE id = 1");
  const Ran finished = Run({"finish", RunId(), "--yes"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Ran refused = Run({"partition", "detach", part, "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("rows of public.c refer to its rows"));
  database_.Sql("DELETE FROM c");
  const Ran gone = Run({"partition", "detach", part, "--yes"});
  EXPECT_EQ(gone.code, 0) << gone.err;
}

// Users of both tables, while one is converted and taken back.
class LinesOfEvents {
 public:
  explicit LinesOfEvents(std::string conninfo) : conninfo_(std::move(conninfo)) {
    thread_ = std::thread([this] { Write(); });
  }
  LinesOfEvents(const LinesOfEvents&) = delete;
  LinesOfEvents& operator=(const LinesOfEvents&) = delete;
  ~LinesOfEvents() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void AwaitWrites(long more) const {
    const long wanted = writes_ + more;
    ASSERT_TRUE(Within(std::chrono::seconds(60), [&] { return writes_ >= wanted; }));
  }
  [[nodiscard]] const std::string& errors() const { return errors_; }

 private:
  // The event is gone, or goes at the moment, or moves (Users::TheyMet).
  static bool Expected(const SqlError& error) {
    return error.sqlstate() == "23503" || error.sqlstate() == "40P01" ||
           std::string_view(error.what()).find("moved to another partition") !=
               std::string_view::npos;
  }

  void Write() {
    std::mt19937 dice(11);
    const auto pick = [&dice](int most) { return std::uniform_int_distribution(1, most)(dice); };
    try {
      Session session(conninfo_);
      while (!stopping_) {
        const int event = pick(5000);
        const int line = pick(3000);
        try {
          switch (pick(3)) {
            case 1:
              session.Exec(fmt::format("UPDATE line SET event = {} WHERE id = {}", event, line));
              break;
            case 2:
              session.Exec(fmt::format("DELETE FROM line WHERE id = {}", line));
              break;
            default:
              session.Exec(fmt::format("INSERT INTO line (event) VALUES ({})", event));
          }
          ++writes_;
        } catch (const SqlError& error) {
          if (!Expected(error)) throw;
          session.Exec("ROLLBACK");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // a load, not a storm
      }
    } catch (const SqlError& error) {
      errors_ = error.what();
    }
  }

  std::string conninfo_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> writes_ = 0;
  std::string errors_;
  std::thread thread_;
};

class InboundCopiedInUse : public Partitioned {
 protected:
  void MakeLines() {
    MakeEvents(2000);
    database_.Sql(
        "CREATE TABLE line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event bigint "
        "CONSTRAINT of_event REFERENCES events ON DELETE CASCADE); CREATE INDEX ON line (event); "
        "INSERT INTO line (event) SELECT g % 2000 + 1 FROM generate_series(1, 3000) g");
    before_ = Dump(database_);
  }
  [[nodiscard]] static Words ConvertBy(const char* way) {
    return Convert({"--strategy", "copy", "--inbound-fk", way});
  }
  [[nodiscard]] long Orphans() const {
    return Number(
        "SELECT count(*) FROM line l WHERE event IS NOT NULL AND NOT EXISTS (SELECT FROM events e "
        "WHERE e.id = l.event)");
  }
  void ExpectConverted() const {
    EXPECT_EQ(StateOfRun(), "done");
    EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
              "p");
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'of_event' AND contype = "
                     "'f'"),
              0);
    ExpectSame();
  }
  // Twice the same after it is taken back, with all that users have written since.
  void ExpectTakenBack() const {
    EXPECT_THAT(Difference(before_, Dump(database_)), IsEmpty());
    EXPECT_EQ(StateOfRun(), "reverted");
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'of_event' AND "
                     "convalidated"),
              1);
    ExpectSame();
    EXPECT_EQ(Orphans(), 0);
    ExpectNothingOfOurs();
  }

  std::vector<std::string> before_;
};

TEST_F(InboundCopiedInUse, ByTriggersThereAndBack) {
  MakeLines();
  Users users(database_.conninfo(), 1);
  LinesOfEvents lines(database_.conninfo());
  const Ran converted = Run(ConvertBy("trigger"));
  ASSERT_EQ(converted.code, 0) << converted.err;
  users.ahead = true;
  users.AwaitWrites(300);
  lines.AwaitWrites(300);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(100);
  lines.AwaitWrites(100);
  users.Stop();
  lines.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(lines.errors(), "");
  ExpectTakenBack();
}

// Nothing joins them any more by then: without a word the key would be added under a lock of its
// own, behind that of the other table.
TEST_F(InboundCopiedInUse, TheWayBackLocksBothTablesInOne) {
  MakeLines();
  const Ran converted = Run(ConvertBy("drop"));
  ASSERT_EQ(converted.code, 0) << converted.err;
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM line");
  Program program = Start({"revert", RunId(), "--yes"});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' AND "
      "relation = 'line'::regclass",
      "t", std::chrono::seconds(30));
  reader.Exec("COMMIT");
  const Ran reverted = program.Wait();
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectTakenBack();
}

struct KillCase {
  const char* way;
  const char* point;
};

class InboundCopiedKilledAt : public InboundCopiedInUse,
                              public ::testing::WithParamInterface<KillCase> {};

TEST_P(InboundCopiedKilledAt, ResumeEndsTheSame) {
  const bool checks = GetParam().way == std::string("trigger");
  MakeLines();
  Users users(database_.conninfo(), 2);
  LinesOfEvents lines(database_.conninfo());
  const Ran killed =
      Run(ConvertBy(GetParam().way), {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  lines.AwaitWrites(100);
  users.Stop();
  lines.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(lines.errors(), "");
  ExpectConverted();
  if (checks) {
    EXPECT_EQ(Orphans(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Points, InboundCopiedKilledAt,
    ::testing::Values(KillCase{"drop", "shadow-made"}, KillCase{"drop", "drained"},
                      KillCase{"drop", "swapped"}, KillCase{"drop", "swap-not-flushed"},
                      KillCase{"trigger", "copy-committed"}, KillCase{"trigger", "swapped"},
                      KillCase{"trigger", "cut-over"}, KillCase{"trigger", "key-validated"}),
    [](const auto& param) {
      return std::string(param.param.way) + "_" + NameOfPoint(param.param.point);
    });

class InboundCopiedBackKilledAt : public InboundCopiedInUse,
                                  public ::testing::WithParamInterface<KillCase> {};

TEST_P(InboundCopiedBackKilledAt, AnotherRevertEndsIt) {
  MakeLines();
  Users users(database_.conninfo(), 3);
  const Ran converted = Run(ConvertBy(GetParam().way));
  ASSERT_EQ(converted.code, 0) << converted.err;
  users.AwaitWrites(200);
  // Where nothing checks it, rows that refer are written with what they refer to.
  users.Stop();
  database_.Sql(
      "DELETE FROM line l WHERE NOT EXISTS (SELECT FROM events e WHERE e.id = l.event); INSERT "
      "INTO line (event) SELECT id FROM events LIMIT 50");
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectTakenBack();
}

INSTANTIATE_TEST_SUITE_P(
    Points, InboundCopiedBackKilledAt,
    ::testing::Values(KillCase{"drop", "drained"}, KillCase{"drop", "swapped"},
                      KillCase{"drop", "swapped-back"}, KillCase{"drop", "key-validated"},
                      KillCase{"trigger", "swapped"}, KillCase{"trigger", "swap-not-flushed"},
                      KillCase{"trigger", "swapped-back"}),
    [](const auto& param) {
      return std::string(param.param.way) + "_" + NameOfPoint(param.param.point);
    });

class InboundCopiedWidened : public PartitionWidened {
 protected:
  [[nodiscard]] static Words ConvertWide() {
    return Convert({"--strategy", "copy", "--inbound-fk", "widen"});
  }
  void ExpectFinished() const {
    const Ran finished = Run({"finish", RunId(), "--yes"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    ExpectNothingOfOurs();
  }
};

class InboundCopiedWidenedOf : public InboundCopiedWidened,
                               public ::testing::WithParamInterface<WidenedCase> {};

TEST_P(InboundCopiedWidenedOf, UnderItsUsersAndBack) {
  MakeLines(GetParam().lines);
  const std::vector<std::string> before = Dump(database_);
  Lines lines(database_.conninfo());
  const Ran converted = Run(ConvertWide());
  ASSERT_EQ(converted.code, 0) << converted.err;
  ExpectWide();
  Session user = database_.Connect();
  // A row that moves takes those along that refer to it.
  user.Exec("INSERT INTO line (event) SELECT id FROM events WHERE id = 5");
  user.Exec("UPDATE events SET made = now() + interval '70 days' WHERE id = 5");
  EXPECT_EQ(Said(user, "INSERT INTO line (event) VALUES (999999)"), "23503");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  lines.Stop();
  EXPECT_EQ(lines.errors(), "");
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(Number("SELECT count(*) FROM line l LEFT JOIN events e ON e.id = l.event WHERE l.event "
                   "IS NOT NULL AND e.id IS NULL"),
            0);
  ExpectSame();
  ExpectNothingOfOurs();
}

TEST_P(InboundCopiedWidenedOf, AndStaysWhenItIsFinished) {
  MakeLines(GetParam().lines);
  const Ran converted = Run(ConvertWide());
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_THAT(converted.err, HasSubstr("is done: 1,000 rows\n"));
  EXPECT_THAT(converted.err, HasSubstr("3000 rows of tables that refer to public.events were "
                                       "filled"));
  ExpectFinished();
  ExpectWide();
}

INSTANTIATE_TEST_SUITE_P(Lines, InboundCopiedWidenedOf,
                         ::testing::Values(WidenedCase{Referring::kPlain, ""},
                                           WidenedCase{Referring::kInParts, ""},
                                           WidenedCase{Referring::kInPartsAndFull, ""}),
                         [](const auto& one) { return NameOf(one.param); });

class InboundCopiedWidenedKilledAt : public InboundCopiedWidened,
                                     public ::testing::WithParamInterface<WidenedCase> {};

TEST_P(InboundCopiedWidenedKilledAt, ResumeEndsWide) {
  MakeLines(GetParam().lines);
  Lines lines(database_.conninfo());
  const Ran killed = Run(ConvertWide(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  lines.Stop();
  EXPECT_EQ(lines.errors(), "");
  ExpectWide();
  ExpectSame();
  ExpectFinished();
}

TEST_P(InboundCopiedWidenedKilledAt, OrARevertLeavesAllAsItWas) {
  MakeLines(GetParam().lines);
  const std::vector<std::string> before = Dump(database_);
  const Ran killed = Run(ConvertWide(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran taken_back = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(taken_back.code, 0) << taken_back.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(Points, InboundCopiedWidenedKilledAt,
                         ::testing::Values(WidenedCase{Referring::kPlain, "index-built"},
                                           WidenedCase{Referring::kPlain, "ddl-committed"},
                                           WidenedCase{Referring::kPlain, "ddl-committed:2"},
                                           WidenedCase{Referring::kPlain, "backfill-settled"},
                                           WidenedCase{Referring::kPlain, "shadow-made"},
                                           WidenedCase{Referring::kPlain, "drained"},
                                           WidenedCase{Referring::kPlain, "swapped"},
                                           WidenedCase{Referring::kPlain, "cut-over"},
                                           WidenedCase{Referring::kPlain, "key-validated"},
                                           WidenedCase{Referring::kInParts, "ddl-committed:2"},
                                           WidenedCase{Referring::kInParts, "ddl-committed:7"},
                                           WidenedCase{Referring::kInParts, "backfill-settled"},
                                           WidenedCase{Referring::kInParts, "shadow-made"},
                                           WidenedCase{Referring::kInParts, "swapped"},
                                           WidenedCase{Referring::kInParts, "cut-over"},
                                           WidenedCase{Referring::kInParts, "key-validated"},
                                           WidenedCase{Referring::kInPartsAndFull,
                                                       "ddl-committed:7"}),
                         [](const auto& one) { return NameOf(one.param); });

class InboundCopiedWidenedBackKilledAt : public InboundCopiedWidened,
                                         public ::testing::WithParamInterface<WidenedCase> {};

TEST_P(InboundCopiedWidenedBackKilledAt, AnotherRevertEndsIt) {
  MakeLines(GetParam().lines);
  const std::vector<std::string> before = Dump(database_);
  Lines lines(database_.conninfo());
  const Ran converted = Run(ConvertWide());
  ASSERT_EQ(converted.code, 0) << converted.err;
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam().point)});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  lines.Stop();
  EXPECT_EQ(lines.errors(), "");
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'of_event' AND "
                   "conparentid = 0 AND convalidated"),
            1);
  ExpectSame();
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(Points, InboundCopiedWidenedBackKilledAt,
                         ::testing::Values(WidenedCase{Referring::kPlain, "drained"},
                                           WidenedCase{Referring::kPlain, "swapped"},
                                           WidenedCase{Referring::kPlain, "swap-not-flushed"},
                                           WidenedCase{Referring::kPlain, "swapped-back"},
                                           WidenedCase{Referring::kPlain, "undo-unrecorded:8"},
                                           WidenedCase{Referring::kPlain, "undo-recorded:9"},
                                           WidenedCase{Referring::kPlain, "undo-recorded:12"},
                                           WidenedCase{Referring::kInParts, "drained"},
                                           WidenedCase{Referring::kInParts, "swapped"},
                                           WidenedCase{Referring::kInParts, "swapped-back"},
                                           WidenedCase{Referring::kInParts, "undo-recorded:9"},
                                           WidenedCase{Referring::kInParts, "undo-recorded:16"}),
                         [](const auto& one) { return NameOf(one.param); });

}  // namespace
}  // namespace pgalter::test
