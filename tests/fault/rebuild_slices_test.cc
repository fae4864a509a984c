// A comparison in slices of blocks: of a table whose key says nothing of the order on disk.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_points.h"
#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class Sliced : public RebuildWorld {
 protected:
  // Several slices of rows that lie in no order of any of their columns.
  void MakeShuffled() {
    MakeRebuilt(60'000);
    database_.Sql(
        "CREATE INDEX shuffle ON items (md5(id::text)); CLUSTER items USING shuffle; "
        "DROP INDEX shuffle; ANALYZE items");
  }
  [[nodiscard]] std::string Shadow() const {
    return fmt::format("pgalter_{}.items", RunId().substr(0, 8));
  }
  [[nodiscard]] long FirstOnDisk() const {
    return Number("SELECT id FROM items ORDER BY ctid LIMIT 1");
  }
  [[nodiscard]] long LastOnDisk() const {
    return Number("SELECT id FROM items ORDER BY ctid DESC LIMIT 1");
  }
  void Lose(long id) const {
    database_.Sql(fmt::format("DELETE FROM {} WHERE id = {}", Shadow(), id));
  }
  // When the first of three slices or so is compared.
  void KillInTheMidst() {
    MakeShuffled();
    const Ran killed = Run({"rebuild", "items", "--yes"}, {"PGALTER_FAIL_POINT=slice-compared",
                                                           "PGALTER_LIMITS=compared-kept-every=0"});
    ASSERT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
  }
  // Rows that were not compared stand where others were.
  void Reverse() const {
    database_.Sql(
        "CREATE TABLE places AS SELECT id, row_number() OVER (ORDER BY ctid DESC) AS n FROM items;"
        "CREATE UNIQUE INDEX ON places (id);"
        "CREATE FUNCTION place(bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS "
        "'SELECT n FROM public.places WHERE id = $1';"
        "CREATE INDEX reversed ON items (place(id)); CLUSTER items USING reversed;"
        "DROP INDEX reversed");
  }
};

TEST_F(Sliced, WhatIsNotComparedYetIsComparedAfterAKill) {
  KillInTheMidst();
  const long last = LastOnDisk();
  Lose(last);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 7) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr(std::to_string(last)));
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

// Nobody but a test changes the copy: it stays as it was compared.
TEST_F(Sliced, WhatIsComparedIsNotComparedAgain) {
  KillInTheMidst();
  Lose(FirstOnDisk());
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST_F(Sliced, WhatARewriteMovedIsComparedAfterAKill) {
  KillInTheMidst();
  const long last = LastOnDisk();
  Lose(last);
  Reverse();
  const Ran resumed = Run({"resume", RunId()}, {"PGALTER_SAFEGUARDS_OFF=parts"});
  EXPECT_EQ(resumed.code, 7) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr(std::to_string(last)));
}
TEST_F(Sliced, WithoutTheFilesItIsMissed) {
  KillInTheMidst();
  Lose(LastOnDisk());
  Reverse();
  const Ran resumed = Run({"resume", RunId()}, {"PGALTER_SAFEGUARDS_OFF=parts,compared-files"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

// A rewrite that waits behind the first slice comes before the second: by the queue for the lock.
class RewrittenBetweenSlices : public Sliced {
 protected:
  [[nodiscard]] Ran RewriteBetween(const std::string& off) {
    MakeShuffled();
    database_.Sql(
        "CREATE FUNCTION gate(int) RETURNS int LANGUAGE plpgsql AS $$BEGIN WHILE NOT "
        "pg_try_advisory_xact_lock_shared(77) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN $1; "
        "END$$");
    const Ran killed = Run({"rebuild", "items", "--map", "a = public.gate(a)", "--yes"},
                           {"PGALTER_FAIL_POINT=index-built:3"});
    EXPECT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
    lost_ = LastOnDisk();
    Lose(lost_);
    database_.Sql(
        "CREATE TABLE places AS SELECT id, row_number() OVER (ORDER BY ctid DESC) AS n FROM items;"
        "CREATE UNIQUE INDEX ON places (id);"
        "CREATE FUNCTION place(bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS "
        "'SELECT n FROM public.places WHERE id = $1';"
        "CREATE INDEX reversed ON items (place(id))");
    Session gate = database_.Connect();
    gate.Exec("SELECT pg_advisory_lock(77)");
    // With it every key of a file that is new is carried over again, and nothing is lost to find.
    const Words environment{"PGALTER_SAFEGUARDS_OFF=parts" + off};
    Program program = Start({"resume", RunId()}, environment);
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND wait_event = "
        "'PgSleep' AND query LIKE '%~apart%' AND pid <> pg_backend_pid()",
        "t", kLimit);
    Session rewrite = database_.Connect();
    rewrite.Send("CLUSTER items USING reversed; DROP INDEX reversed");
    database_.AwaitLockWait(rewrite.backend_pid());
    gate.Exec("SELECT pg_advisory_unlock(77)");
    rewrite.Wait(kLimit);
    return program.Wait(kLimit);
  }
  long lost_ = 0;
};

TEST_F(RewrittenBetweenSlices, EverythingIsComparedAnew) {
  const Ran ran = RewriteBetween("");
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(std::to_string(lost_)));
}
TEST_F(RewrittenBetweenSlices, WithoutTheFilesARowIsMissed) {
  const Ran ran = RewriteBetween(",compared-files");
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(Sliced, IntoPartitionsThatAllTakeOfEachSlice) {
  MakeShuffled();
  Rebuilders users(database_.conninfo(), 31, 2, Uses::kAnyKey);
  const Ran ran = Run(Partition({"--workers", "2"}));
  users.Stop();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectPartitioned();
}

class SlicedKilledAt : public Sliced, public ::testing::WithParamInterface<const char*> {};

TEST_P(SlicedKilledAt, ResumeEndsWithEveryRowRight) {
  MakeShuffled();
  Rebuilders users(database_.conninfo(), 32);
  const Ran killed = Run(
      Rebuild({"--workers", "2"}),
      {fmt::format("PGALTER_FAIL_POINT={}", GetParam()), "PGALTER_LIMITS=compared-kept-every=0"});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectNew();
  ExpectNothingLeft();
}

INSTANTIATE_TEST_SUITE_P(Points, SlicedKilledAt, ::testing::ValuesIn(kSlicePoints),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace pgalter::test
