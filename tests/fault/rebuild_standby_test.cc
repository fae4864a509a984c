// A rebuild and those who read its table on a standby, which replays the lock of the swap.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

// The standby cancels at once whoever is in the way of replay.
class RebuildStandby : public RebuildWorld {
 protected:
  RebuildStandby() {
    sandbox::StandbyOptions options;
    options.name = "reader";
    options.settings = {"cluster_name = 'far'", "max_standby_streaming_delay = 0"};
    standby_.emplace(SharedServer().MakeStandby(options));
    MakeRebuilt(1'000);
    AwaitReplayed();
  }

  // Until the standby is where the primary is now.
  void AwaitReplayed() const {
    const std::string here = database_.Value("SELECT pg_current_wal_lsn()");
    Session there(standby_->conninfo());
    ASSERT_TRUE(Within(kLimit, [&] {
      return there.Value("SELECT pg_last_wal_replay_lsn() >= '" + here + "'") == "t";
    }));
  }
  // A transaction that has read the table for more than a second.
  [[nodiscard]] Session Reader() const {
    Session reader(standby_->conninfo(database_.name()));
    reader.Exec("SET application_name = 'monthly report'; BEGIN; SELECT count(*) FROM items");
    reader.Exec("SELECT pg_sleep(1.1)");
    return reader;
  }
  [[nodiscard]] Program StartNamed(Words environment = {}) const {
    return Start(Rebuild({"--replica", standby_->conninfo(database_.name())}),
                 std::move(environment));
  }
  void AwaitNote(const std::string& like) const {
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(
        fmt::format("SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '{}'", like), "1",
        kLimit);
  }

  std::optional<sandbox::Sandbox> standby_;
};

// C2 49.
TEST_F(RebuildStandby, TheSwapWaitsForAReaderThere) {
  Session reader = Reader();
  Program program = StartNamed();
  AwaitNote("%monthly report%on standby far has read public.items%");
  EXPECT_EQ(database_.Value("SELECT bool_and(swapped_at IS NULL) FROM pgalter.rebuild"), "t");
  database_.Sql("UPDATE items SET pad = 'meanwhile' WHERE id <= 300");
  AwaitReplayed();
  EXPECT_EQ(reader.Value("SELECT count(*) FROM items"), "1000");
  reader.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

// The same, where it does not wait, or not for so long: the reader is cancelled.
TEST_F(RebuildStandby, AReaderThatStaysTooLongIsCancelledAndNamed) {
  Session reader = Reader();
  Program program = StartNamed({"PGALTER_LIMITS=standby-readers=3000"});
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("whom the standby may have cancelled: pid"));
  EXPECT_THAT(ran.err, HasSubstr("monthly report"));
  AwaitReplayed();
  EXPECT_THROW(reader.Exec("SELECT count(*) FROM items"), SqlError);
}

TEST_F(RebuildStandby, WithoutThatEveryReaderIsCancelled) {
  Session reader = Reader();
  Program program = StartNamed({"PGALTER_SAFEGUARDS_OFF=standby-readers"});
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  AwaitReplayed();
  EXPECT_THROW(reader.Exec("SELECT count(*) FROM items"), SqlError);
}

TEST_F(RebuildStandby, OneThatDoesNotAnswerIsNotWaitedFor) {
  Session reader = Reader();
  Program program = StartNamed();
  AwaitNote("%monthly report%");
  // Before: the run may be over as soon as nobody is there any more.
  EXPECT_EQ(Run({"throttle", RunId(), "--set", "replay-lag-seconds=off"}).code, 0);
  standby_.reset();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

}  // namespace
}  // namespace pgalter::test
