// What stands in the way of `resume`: a dead runner that is still seen, a full server, a
// publication.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class Resumed : public BackfillWorld {
 protected:
  // A run that was killed in its middle; its sessions may still be there.
  void MakeKilledRun() const {
    ASSERT_EQ(Run(Backfill({"--workers", "2"}), {"PGALTER_FAIL_POINT=chunk-committed:9"}).code,
              kKilled);
    ASSERT_GT(Undone(), 0);
  }
  void ExpectEnd(Program& program, Writers& writers) const {
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
    writers.Stop();
    EXPECT_EQ(writers.errors(), "");
    ExpectRight();
    ExpectFinishLeavesNothing();
  }
};

TEST_F(Resumed, RightAfterAKill) {
  MakeItems();
  Writers writers(database_.conninfo(), 41);
  MakeKilledRun();
  Program program = Start({"resume", RunId()});
  ExpectEnd(program, writers);
}

// Who begins to go on with a run is kept standing before it takes the lease.
class Beginners {
 public:
  explicit Beginners(const FreshDatabase& database)
      : database_(database), holder_(database.Connect()) {
    holder_.Exec("BEGIN; SELECT FROM pgalter.lease FOR SHARE");
  }
  void Await(int count) const {
    database_.AwaitValue(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgalter/%'",
        std::to_string(count), std::chrono::seconds(60));
  }
  void LetGo(const std::string& before = "SELECT") {
    holder_.Exec(before);
    holder_.Exec("COMMIT");
  }
  // Nobody is taken for an orphan's victim meanwhile.
  static Words Patient(const std::string& off = "none") {
    return {"PGALTER_LIMITS=lease-first=60000", "PGALTER_SAFEGUARDS_OFF=" + off};
  }

 private:
  const FreshDatabase& database_;
  Session holder_;
};

// How many of three that begin at once take the lease. Table locked: none gets to its end.
class AtOnce : public Resumed {
 protected:
  long TakersOf(const std::string& off) {
    Session user = database_.Connect();
    Beginners beginners(database_);
    user.Exec("BEGIN; LOCK items IN SHARE MODE");
    std::vector<std::unique_ptr<Program>> programs;
    for (int i = 0; i < 3; ++i)
      programs.emplace_back(new Program(Start({"resume", RunId()}, Beginners::Patient(off))));
    beginners.Await(3);
    const long before = Number("SELECT epoch FROM pgalter.lease");
    beginners.LetGo();
    const auto ended = [&] {
      return std::ranges::count_if(programs, [](const auto& one) { return !one->running(); }) == 2;
    };
    EXPECT_TRUE(Within(kLimit, ended));
    const long takers = Number("SELECT epoch FROM pgalter.lease") - before;
    user.Exec("COMMIT");
    for (const auto& one : programs) codes_.push_back(one->Wait(kLimit));
    return takers;
  }

  std::vector<Ran> codes_;
};

TEST_F(AtOnce, OneGoesOnAndTheOthersAreTold) {
  MakeItems();
  MakeKilledRun();
  AwaitNoRunner();
  EXPECT_EQ(TakersOf("none"), 1);
  for (const Ran& ran : codes_) {
    if (ran.code == 0) continue;
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("works on run " + RunId()));
    EXPECT_THAT(ran.err, HasSubstr("--take-over"));
  }
  EXPECT_EQ(std::ranges::count(codes_, 0, &Ran::code), 1);
  EXPECT_EQ(StateOfRun(), "done");
  ExpectRight();
}

TEST_F(AtOnce, TheLeaseIsTakenFromTheLivingWhereNobodyLooks) {
  MakeItems();
  MakeKilledRun();
  AwaitNoRunner();
  EXPECT_GT(TakersOf("holder-dead"), 1);
}

TEST_F(Resumed, NotBesideAnAbortThatWaitsForItsLock) {
  MakeItems();
  MakeKilledRun();
  AwaitNoRunner();
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK items IN ROW EXCLUSIVE MODE");
  const long before = Number("SELECT epoch FROM pgalter.lease");
  Program abort = Start({"abort", RunId(), "--yes"});
  const std::string taken = fmt::format("SELECT epoch = {} FROM pgalter.lease", before + 1);
  database_.AwaitValue(taken, "t", kLimit);
  const Ran refused = Run({"resume", RunId()}, {"PGALTER_LIMITS=few-beats=500"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("works on run " + RunId()));
  EXPECT_EQ(database_.Value(taken), "t");
  user.Exec("COMMIT");
  const Ran aborted = abort.Wait(kLimit);
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(StateOfRun(), "aborted");
}

TEST_F(Resumed, NotOnceTheRunHasEndedWhileItBegan) {
  MakeItems();
  MakeKilledRun();
  AwaitNoRunner();
  Beginners beginners(database_);
  Program resume = Start({"resume", RunId()}, Beginners::Patient());
  beginners.Await(1);
  beginners.LetGo("UPDATE pgalter.run SET state = 'aborted'");
  const Ran ran = resume.Wait(kLimit);
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("is aborted: it cannot go on"));
  EXPECT_EQ(StateOfRun(), "aborted");
}

// The backend of a killed runner's heartbeat cannot end: as if the server had not noticed yet.
class FrozenBackend {
 public:
  explicit FrozenBackend(pid_t pid) : pid_(pid) { ::kill(pid_, SIGSTOP); }
  FrozenBackend(const FrozenBackend&) = delete;
  FrozenBackend& operator=(const FrozenBackend&) = delete;
  ~FrozenBackend() { Thaw(); }
  void Thaw() const { ::kill(pid_, SIGCONT); }

 private:
  pid_t pid_;
};

TEST_F(Resumed, WaitsForADeadRunnersSessionToVanish) {
  MakeItems();
  Writers writers(database_.conninfo(), 42);
  Program killed = Start(Backfill(Slowly()));
  Hold();
  const FrozenBackend frozen(
      static_cast<pid_t>(Number("SELECT backend_pid FROM pgalter.heartbeat")));
  killed.Signal(SIGKILL);
  EXPECT_EQ(killed.Wait(kLimit).code, kKilled);
  LetGo();
  const Ran refused = Run({"resume", RunId()}, {"PGALTER_LIMITS=few-beats=500"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("--take-over"));
  Program program = Start({"resume", RunId()});
  database_.AwaitValue(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgalter'"
      " AND query LIKE '%pgalter.heartbeat%'",
      "1", kLimit);
  frozen.Thaw();
  ExpectEnd(program, writers);
}

class Crowded : public Resumed {
 protected:
  void SetUp() override {
    database_.Sql("DROP ROLE IF EXISTS fault_crowd; CREATE ROLE fault_crowd LOGIN");
    MakeItems();
    database_.Sql(fmt::format(
        "GRANT CREATE ON DATABASE {} TO fault_crowd; ALTER TABLE items OWNER TO fault_crowd",
        database_.name()));
    user_ = "fault_crowd";
  }
  // The server's room for this role: the same SQLSTATE as max_connections, and no room is taken
  // from anybody else.
  void SetRoom(int sessions) const {
    database_.Sql(fmt::format("ALTER ROLE fault_crowd CONNECTION LIMIT {}", sessions));
  }
  [[nodiscard]] static int Refusals() {
    const std::string log = SharedServer().log_tail(10'000);
    const std::string line = "too many connections for role \"fault_crowd\"";
    int count = 0;
    for (auto at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) ++count;
    return count;
  }
  static void AwaitMoreRefusals(int count) {
    const int before = Refusals();
    ASSERT_TRUE(Within(kLimit, [&] { return Refusals() >= before + count; }));
  }
};

TEST_F(Crowded, AServerWithoutRoomIsSaidAtOnce) {
  SetRoom(0);
  const Ran backfill = Run(Backfill());
  EXPECT_EQ(backfill.code, 9) << backfill.err;
  EXPECT_THAT(backfill.err, HasSubstr("53300"));
  EXPECT_THAT(backfill.err, HasSubstr("max_connections"));
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
  SetRoom(-1);
  Writers writers(database_.conninfo(), 43);
  MakeKilledRun();
  SetRoom(0);
  const Ran resume = Run({"resume", RunId()});
  EXPECT_EQ(resume.code, 9) << resume.err;
  EXPECT_THAT(resume.err, HasSubstr("53300"));
  EXPECT_EQ(StateOfRun(), "running");
  SetRoom(-1);
  Program program = Start({"resume", RunId()});
  ExpectEnd(program, writers);
}

TEST_F(Crowded, ARunnerWithoutRoomForItsWorkersTriesAgain) {
  Writers writers(database_.conninfo(), 44);
  MakeKilledRun();
  AwaitNoRunner();
  SetRoom(4);  // main, observer, heartbeat, watching
  Program program = Start({"resume", RunId()});
  AwaitMoreRefusals(2);
  EXPECT_NE(StateOfRun(), "failed");
  SetRoom(-1);
  ExpectEnd(program, writers);
}

TEST_F(Crowded, ALostRunnerTriesAgainUntilThereIsRoom) {
  Writers writers(database_.conninfo(), 45);
  Program program = Start(Backfill(Slowly()));
  AwaitWindows(1);
  SetRoom(0);
  database_.Sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE application_name LIKE 'pgalter/%'");
  AwaitMoreRefusals(3);
  EXPECT_EQ(StateOfRun(), "running");
  SetRoom(-1);
  database_.AwaitValue("SELECT epoch >= 2 FROM pgalter.lease", "t", kLimit);
  LetGo();
  ExpectEnd(program, writers);
}

struct Publication {
  const char* name;
  const char* sql;
  const char* undo;
  const char* way_out;
  int since = 0;
};
constexpr Publication kPublications[] = {
    {"ForAllTables", "CREATE PUBLICATION everything FOR ALL TABLES", "DROP PUBLICATION everything",
     "drop the publication"},
    {"OfOneOfOurTables",
     "CREATE PUBLICATION app FOR TABLE items; ALTER PUBLICATION app ADD TABLE pgalter.run",
     "ALTER PUBLICATION app DROP TABLE pgalter.run",
     "ALTER PUBLICATION app DROP TABLE pgalter.run"},
    {"OfOurSchema", "CREATE PUBLICATION ours FOR TABLES IN SCHEMA public, pgalter",
     "ALTER PUBLICATION ours DROP TABLES IN SCHEMA pgalter",
     "ALTER PUBLICATION ours DROP TABLES IN SCHEMA pgalter", 15},
};

class Published : public Resumed, public ::testing::WithParamInterface<Publication> {};

TEST_P(Published, IsRefusedWithTheWayOutAndWritesNothing) {
  if (SharedServer().server_version_major() < GetParam().since) GTEST_SKIP() << "no such syntax";
  MakeItems();
  Writers writers(database_.conninfo(), 46);
  MakeKilledRun();
  AwaitNoRunner();
  database_.Sql(GetParam().sql);
  const std::string written =
      "SELECT string_agg(r::text || l::text || c::text, '') FROM pgalter.run r"
      " JOIN pgalter.lease l USING (run) JOIN pgalter.control c USING (run)";
  const std::string before = database_.Value(written);
  for (const Words& words : {Words{"resume", RunId()}, Words{"resume", RunId(), "--take-over"}}) {
    const Ran refused = Run(words);
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr(GetParam().way_out));
  }
  EXPECT_EQ(database_.Value(written), before);
  database_.Sql(GetParam().undo);
  Program program = Start({"resume", RunId()});
  ExpectEnd(program, writers);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Published, ::testing::ValuesIn(kPublications),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace pgalter::test
