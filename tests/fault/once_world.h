// A table in use, and `pgalter run` of an UPDATE of it in chunks: what the tests of that start
// from.
//
// t (id, n, u, k, pad): the UPDATE is n = n + 1. Users add 10 to n, and count that in u: at the end
// each row that was there has n = 1 + 10 * u.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {

inline constexpr int kOnceRows = 12'000;  // more than one statement is taken for

class OnceWorld : public BackfillWorld {
 protected:
  static constexpr const char* kUpdate = "UPDATE t SET n = n + 1";

  void MakeRows() const {
    database_.Sql(
        "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, u int NOT NULL DEFAULT 0,"
        " k int NOT NULL DEFAULT 1, pad text NOT NULL DEFAULT repeat('p', 60))");
    Fill();
  }
  // Three partitions by k, 0 to 2.
  void MakePartitions() const {
    database_.Sql(
        "CREATE TABLE t (id int, n int NOT NULL DEFAULT 0, u int NOT NULL DEFAULT 0,"
        " k int NOT NULL DEFAULT 1, pad text NOT NULL DEFAULT repeat('p', 60), PRIMARY KEY (id, k))"
        " PARTITION BY LIST (k);"
        "CREATE TABLE t0 PARTITION OF t FOR VALUES IN (0);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);"
        "CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2)");
    Fill("id % 3");
  }
  void Fill(const std::string& k = "1") const {
    database_.Sql(fmt::format("INSERT INTO t (id, k) SELECT id, {} FROM generate_series(1, {}) id",
                              k, kOnceRows));
    database_.Sql("VACUUM ANALYZE t");
  }

  [[nodiscard]] static Words Update(const std::string& sql = kUpdate, const Words& more = {}) {
    Words words{"run", "--sql", sql, "--yes", "--chunk-time", "5ms"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // Some rows are done then, others are not.
  void KillInTheMiddle(const std::string& sql = kUpdate, const Words& environment = {}) const {
    KillAt("chunk-committed:3", sql, environment);
    ASSERT_GT(Number("SELECT count(*) FROM t WHERE n % 10 = 1"), 0);
    ASSERT_GT(Number("SELECT count(*) FROM t WHERE n % 10 = 0"), 0);
  }
  void KillAt(const std::string& point, const std::string& sql = kUpdate,
              Words environment = {}) const {
    environment.push_back("PGALTER_FAIL_POINT=" + point);
    const Ran killed = Run(Update(sql), environment);
    ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
    AwaitNoRunner();
  }

  // A row that a chunk has changed, or one that none has, the n-th of them.
  [[nodiscard]] long DoneRow(int nth = 0) const { return RowWith(1, nth); }
  [[nodiscard]] long UndoneRow(int nth = 0) const { return RowWith(0, nth); }

  [[nodiscard]] long Wrong() const {
    return Number("SELECT count(*) FROM t WHERE n <> 1 + 10 * u");
  }
  void ExpectNoTrigger() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '~pgalter%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  }
  void ExpectNothingLeft() const {
    ExpectNoTrigger();
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.backfill_relation"), 0);
  }
  void ExpectOnce() const {
    EXPECT_EQ(Wrong(), 0);
    EXPECT_EQ(StateOfRun(), "done");
    ExpectNothingLeft();
  }

  // What a user does: adds 10 to the row.
  [[nodiscard]] static std::string Add(long id) {
    return fmt::format("UPDATE t SET n = n + 10, u = u + 1 WHERE id = {};", id);
  }

 private:
  [[nodiscard]] long RowWith(int n, int nth) const {
    return Number(
        fmt::format("SELECT id FROM t WHERE n = {} ORDER BY id OFFSET {} LIMIT 1", n, nth));
  }
};

}  // namespace pgalter::test
