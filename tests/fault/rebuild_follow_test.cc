// A rebuild and users who change rows faster than it follows.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class Following : public RebuildWorld {};

// Each row takes 3 ms to carry over, and all of 300 are changed meanwhile.
TEST_F(Following, SlowerThanUsersItStopsWithTheNumbersAndGoesOnLater) {
  MakeRebuilt(400);
  database_.Sql(
      "CREATE FUNCTION slow(pad text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM "
      "pg_sleep(0.003); RETURN pad; END $$");
  Rebuilders users(
      database_.conninfo(), 1,
      [](std::mt19937&) { return "UPDATE items SET a = a + 1 WHERE id <= 300"; }, "");
  const Ran stopped = Run(Rebuild({"--map", "pad = public.slow(pad)"}),
                          {"PGALTER_LIMITS=follow-without-progress=3000"});
  EXPECT_EQ(stopped.code, 1) << stopped.err;
  EXPECT_THAT(stopped.err,
              ContainsRegex("users change public.items faster than it can be followed: "
                            "[1-9][0-9]* different rows a second, of which [1-9][0-9]* "
                            "are carried over"));
  EXPECT_THAT(stopped.err, HasSubstr("pgalter resume " + RunId()));
  EXPECT_EQ(StateOfRun(), "failed");
  EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ResumeToTheEnd();
  ExpectSame();
  ExpectNew();
}

}  // namespace
}  // namespace pgalter::test
