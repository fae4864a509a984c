// The swap's commit lets users go on before the disk has it. A crash of the server may take it, as
// long as nothing was written durably behind it.
#include <fmt/format.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

// A server of its own, made before the world in it. It flushes what nobody waits for after ten
// seconds, which is never.
struct CrashingServer {
  static sandbox::Options Options() {
    sandbox::Options options = TestServerOptions();
    options.settings.emplace_back("wal_writer_delay = 10s");
    return options;
  }
  sandbox::Sandbox server = sandbox::Sandbox::Start(Options());
};

class RebuildCrash : private CrashingServer, public RebuildWorld {
 protected:
  RebuildCrash() : RebuildWorld(CrashingServer::server) {}

  void SwapAndDie() {
    MakeRebuilt(3'000);
    ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=swap-not-flushed"}).code, kKilled);
    ASSERT_EQ(Type(), "bigint");
  }
  void Crash() {
    server.Crash();
    server.Restart();
  }
  [[nodiscard]] std::string Type() const {
    return database_.Value(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'items'::regclass AND attname = 'a'");
  }
};

TEST_F(RebuildCrash, ASwapThatTheDiskNeverHadIsMadeAgain) {
  SwapAndDie();
  Crash();
  ASSERT_EQ(Type(), "integer");
  database_.Sql("UPDATE items SET a = 8 WHERE id = 8");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ExpectNew();
  ExpectSame();
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

TEST_F(RebuildCrash, AUsersCommitTakesTheSwapAlong) {
  SwapAndDie();
  database_.Sql("UPDATE items SET a = 8 WHERE id = 8");
  Crash();
  ASSERT_EQ(Type(), "bigint");
  ExpectSame();
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ExpectSame();
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

// Where the run went on, nothing takes the swap back.
TEST_F(RebuildCrash, AStepThatIsDoneStaysDone) {
  MakeRebuilt(3'000);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=cut-over"}).code, kKilled);
  Crash();
  EXPECT_EQ(Type(), "bigint");
  ExpectSame();
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ExpectSame();
}

}  // namespace
}  // namespace pgalter::test
