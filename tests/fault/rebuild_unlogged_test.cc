// A crash of the server empties UNLOGGED tables, fires no trigger and leaves the catalogue as it
// was: neither an emptied copy may take a table's place, nor an emptied old table.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

// A server of its own, made before the world in it.
struct CrashingServer {
  sandbox::Sandbox server = sandbox::Sandbox::Start(TestServerOptions());
};

class RebuildUnlogged : private CrashingServer, public RebuildWorld {
 protected:
  RebuildUnlogged() : RebuildWorld(CrashingServer::server) {}

  void Crash() {
    server.Crash();
    server.Restart();
  }

  [[nodiscard]] static Words To(const char* persistence) {
    return {"rebuild", "items", "--alter", fmt::format("SET {}", persistence), "--yes"};
  }
  [[nodiscard]] long Rows() const { return Number("SELECT count(*) FROM items"); }
};

// Where the crash comes: while rows are copied, and when all is compared and only the swap is left.
class RebuildUnloggedKilledAt : public RebuildUnlogged,
                                public ::testing::WithParamInterface<const char*> {};

TEST_P(RebuildUnloggedKilledAt, AnEmptiedCopyTakesNoPlace) {
  MakeRebuilt(3'000);
  ASSERT_EQ(Run(To("UNLOGGED"), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())}).code, kKilled);
  Crash();
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("has emptied the copy, which is UNLOGGED"));
  EXPECT_EQ(Rows(), 3'000);
  ASSERT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectSame();
  ASSERT_EQ(Run(To("UNLOGGED")).code, 0);
  EXPECT_EQ(Rows(), 3'000);
}
INSTANTIATE_TEST_SUITE_P(Points, RebuildUnloggedKilledAt,
                         ::testing::Values("copy-committed", "compared"), [](const auto& point) {
                           return std::string(point.param) == "compared" ? "Compared" : "Copied";
                         });

TEST_F(RebuildUnlogged, WithoutTheMarkTheTableIsLost) {
  MakeRebuilt(3'000);
  ASSERT_EQ(Run(To("UNLOGGED"), {"PGALTER_FAIL_POINT=drained"}).code, kKilled);
  Crash();
  const Ran resumed = Run({"resume", RunId()}, {"PGALTER_SAFEGUARDS_OFF=crash-mark"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(Rows(), 0);
}

TEST_F(RebuildUnlogged, RowsThatTheCrashTookDoNotComeBack) {
  MakeRebuilt(3'000);
  database_.Sql("ALTER TABLE items SET UNLOGGED");
  ASSERT_EQ(Run(To("LOGGED"), {"PGALTER_FAIL_POINT=drained"}).code, kKilled);
  Crash();
  EXPECT_EQ(Rows(), 0);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("has emptied public.items"));
  EXPECT_EQ(Rows(), 0);
}

TEST_F(RebuildUnlogged, TheOldTableStillHasTheRowsOfOneThatTheCrashEmptied) {
  MakeRebuilt(3'000);
  ASSERT_EQ(Run(To("UNLOGGED")).code, 0);
  database_.Sql("UPDATE items SET a = 7 WHERE id = 7");
  Crash();
  EXPECT_EQ(Rows(), 0);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  const std::string old = "pgalter_" + RunId().substr(0, 8) + "_old.items";
  EXPECT_THAT(reverted.err, HasSubstr("the rows as they were at the cut-over are in " + old));
  EXPECT_EQ(Number("SELECT count(*) FROM " + old), 3'000);
}

TEST_F(RebuildUnlogged, ARevertDoesNotGoBackToAnEmptiedTable) {
  MakeRebuilt(3'000);
  database_.Sql("ALTER TABLE items SET UNLOGGED");
  ASSERT_EQ(Run(To("LOGGED")).code, 0);
  Crash();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("There is nothing to go back to"));
  EXPECT_EQ(Rows(), 3'000);
  ExpectSame();
}

}  // namespace
}  // namespace pgalter::test
