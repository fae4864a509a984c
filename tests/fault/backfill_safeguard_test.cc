// Each safeguard of a backfill, with it and without it: what these tests set up is harmless with
// it, and does harm without it. That is what tells that the other fault tests could fail.
//
// The last scan is left out in most: it would mend what another safeguard let through.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class Safeguards : public BackfillWorld {
 protected:
  static Words Without(const std::string& names) { return {"PGALTER_SAFEGUARDS_OFF=" + names}; }

  void MakeItemsAnew() {
    database_.Sql(
        "DROP TABLE IF EXISTS items, audit; DROP SEQUENCE IF EXISTS item_id;"
        "DROP SCHEMA IF EXISTS pgalter CASCADE");
    MakeItems();
  }

  // Killed in the middle, without these safeguards.
  void KillAt(const std::string& point, const Words& arguments, const std::string& off) const {
    Words environment = Without(off);
    environment.push_back("PGALTER_FAIL_POINT=" + point);
    ASSERT_EQ(Run(arguments, environment).code, kKilled);
  }

  void AwaitBlockedBy(const Session& holder) const {
    database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(fmt::format("SELECT count(*) > 0 FROM pg_stat_activity"
                                     " WHERE application_name LIKE 'pgalter/%'"
                                     " AND {} = ANY (pg_blocking_pids(pid))",
                                     holder.backend_pid()),
                         "t", kLimit);
  }
};

// Two workers die amid their windows.
TEST_F(Safeguards, DoneWindowsAreASetAndNoCursor) {
  const auto undone_after = [&](const std::string& off) {
    MakeItemsAnew();
    KillAt("chunk-committed:9", Backfill({"--workers", "2"}), off);
    ResumeToTheEnd(Without(off));
    return Undone();
  };
  EXPECT_EQ(undone_after("last-scan"), 0);
  EXPECT_GT(undone_after("last-scan,interval-set"), 0);
}

// Users insert behind the last block that the run knows.
TEST_F(Safeguards, TheTriggerSetsNewRows) {
  const auto undone_after = [&](const std::string& off) {
    MakeItemsAnew();
    KillAt("chunk-committed:3", Backfill(), off);
    database_.Sql(
        "INSERT INTO items SELECT g, 1, repeat('p', 60)"
        " FROM generate_series(100001, 102000) g");
    ResumeToTheEnd(Without(off));
    return Undone();
  };
  EXPECT_EQ(undone_after("last-scan"), 0);
  EXPECT_GT(undone_after("last-scan,dual-write-trigger"), 0);
}

// Without a trigger, a user moves undone rows into the room that a done window has.
TEST_F(Safeguards, TheLastScanFindsRowsThatMovedIntoADoneWindow) {
  const auto undone_after = [&](const std::string& off) {
    MakeItemsAnew();
    KillAt("chunk-committed:3", Backfill({"--sync", "none", "--stripes", "1"}), off);
    AwaitNoRunner();
    database_.Sql("VACUUM items");
    database_.Sql("UPDATE items SET a = a + 1 WHERE id > 39000");
    EXPECT_GT(Number("SELECT count(*) FROM items i JOIN pgalter.backfill_window w"
                     " ON w.passes = w.stripes AND (i.ctid::text::point)[0] >= w.first_block"
                     " AND (i.ctid::text::point)[0] < w.end_block WHERE i.b IS NULL"),
              0);
    ResumeToTheEnd(Without(off));
    return Undone();
  };
  EXPECT_EQ(undone_after("none"), 0);
  EXPECT_GT(undone_after("last-scan"), 0);
}

// A user holds a row in the middle.
TEST_F(Safeguards, SkippingLockedRowsGoesOnPastThem) {
  const auto try_it = [&](const std::string& off, auto check) {
    MakeItemsAnew();
    Session user = database_.Connect();
    user.Exec("BEGIN");
    user.Exec("SELECT FROM items WHERE id = 20000 FOR UPDATE");
    Program program = Start(Backfill({"--stripes", "1"}), Without(off));
    AwaitBlockedBy(user);
    check();
    user.Exec("COMMIT");
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(Undone(), 0);
  };
  try_it("none", [&] {
    database_.AwaitValue("SELECT phase FROM pgalter.run", "last-scan", kLimit);
    EXPECT_EQ(Undone(), 1);
  });
  try_it("skip-locked", [&] {
    // Twenty chunks more, and it stands where it stood.
    database_.AwaitValue("SELECT progress ? 'chunks' FROM pgalter.run", "t", kLimit);
    const long chunks = Number("SELECT (progress->>'chunks')::float8::bigint FROM pgalter.run");
    database_.AwaitValue(
        fmt::format("SELECT (progress->>'chunks')::float8 > {} FROM pgalter.run", chunks + 20), "t",
        kLimit);
    EXPECT_EQ(database_.Value("SELECT phase FROM pgalter.run"), "backfill");
    EXPECT_EQ(Number("SELECT count(*) FROM items WHERE id > 35000 AND b IS NULL"), 5000);
  });
}

// The first half of the blocks is empty and done, a user holds a row in the second half; VACUUM
// FULL then puts the undone rows where the first half was.
TEST_F(Safeguards, AnotherFilenodeForgetsTheWindows) {
  const auto undone_after = [&](const std::string& off) {
    MakeItemsAnew();
    database_.Sql("DELETE FROM items WHERE id <= 20000");
    Session user = database_.Connect();
    user.Exec("BEGIN");
    user.Exec("SELECT FROM items WHERE id = 30000 FOR UPDATE");
    Program program = Start(Backfill({"--stripes", "1"}), Without(off));
    AwaitBlockedBy(user);
    Session vacuum = database_.Connect();
    vacuum.Send("VACUUM FULL items");
    database_.AwaitLockWait(vacuum.backend_pid());
    user.Exec("COMMIT");
    vacuum.Wait();
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return Undone();
  };
  // Without skip-locked it stands still at the row that is held.
  EXPECT_EQ(undone_after("skip-locked,last-scan"), 0);
  EXPECT_GT(undone_after("skip-locked,last-scan,filenode"), 0);
}

TEST_F(Safeguards, AnExpressionOfItsOwnTargetIsNotAppliedTwice) {
  MakeItems(2000);
  const Words add{"backfill", "items", "--set", "a = a + 1000000", "--yes", "--xmin-wait", "0s"};
  EXPECT_EQ(Run(add).code, 4);
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE a >= 1000000"), 0);
  EXPECT_EQ(Run(add, Without("double-application")).code, 7);
  EXPECT_GT(Number("SELECT count(*) FROM items WHERE a >= 2000000"), 0);
}

// Somebody has taken the run over, and this runner has not heard of it.
TEST_F(Safeguards, NoRowIsWrittenUnderALeaseThatIsLost) {
  const auto written_after = [&](const std::string& off, int code) {
    MakeItemsAnew();
    Program program =
        Start(Backfill({"--workers", "2", "--throttle", "ratio=0.001"}), Without(off));
    AwaitWindows(1);
    Session other = database_.Connect();
    other.Exec("BEGIN");
    other.Exec("UPDATE pgalter.lease SET epoch = epoch + 1, owner = 'another'");
    const std::string undone = other.Value("SELECT count(*) FROM items WHERE b IS NULL");
    other.Exec("COMMIT");
    Throttle("ratio=1");
    const Ran ran = program.Wait(kLimit);
    if (code >= 0) {
      EXPECT_EQ(ran.code, code) << ran.err;
      EXPECT_THAT(ran.err, HasSubstr("has taken over"));
    }
    return std::stol(undone) - Undone();
  };
  EXPECT_EQ(written_after("none", 6), 0);
  EXPECT_GT(written_after("lease", -1), 0);
}

}  // namespace
}  // namespace pgalter::test
