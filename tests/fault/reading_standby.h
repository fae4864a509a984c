// A standby that soon cancels whoever is in the way of replay, with a reader on it. Not at once:
// every short look at it, ours and the test's, would be in the way of some pruning of catalogs.
#pragma once

#include <optional>
#include <string>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {

class ReadingStandby {
 public:
  explicit ReadingStandby(const FreshDatabase& database) : database_(database) {
    sandbox::StandbyOptions options;
    options.name = "reader";
    options.settings = {"cluster_name = 'far'", "max_standby_streaming_delay = 1s"};
    standby_.emplace(SharedServer().MakeStandby(options));
  }

  [[nodiscard]] std::string conninfo() const { return standby_->conninfo(database_.name()); }
  void Stop() { standby_.reset(); }

  // Until the standby is where the primary is now.
  void AwaitReplayed() const {
    const std::string here = database_.Value("SELECT pg_current_wal_lsn()");
    Session there(standby_->conninfo());
    ASSERT_TRUE(Within(std::chrono::seconds(60), [&] {
      return there.Value("SELECT pg_last_wal_replay_lsn() >= '" + here + "'") == "t";
    }));
  }

  // A transaction that has read the table for more than a second.
  [[nodiscard]] Session Reader(const std::string& table) const {
    AwaitReplayed();
    Session reader(conninfo());
    reader.Exec("SET application_name = 'monthly report'; BEGIN; SELECT count(*) FROM " + table);
    reader.Exec("SELECT pg_sleep(1.1)");
    return reader;
  }

  // Somebody waits for a reader: a session of a run asks for one again and again.
  void AwaitAskedAgain() const {
    Session there(standby_->conninfo());
    std::string first;
    ASSERT_TRUE(Within(std::chrono::seconds(60), [&] {
      const std::string now = there.Value(
          "SELECT coalesce(max(query_start)::text, '') FROM pg_stat_activity WHERE "
          "application_name LIKE 'pgalter%' AND query LIKE '%has read%'");
      if (first.empty()) first = now;
      return now != first;
    }));
  }

  void ExpectCancelled(Session& reader) const {
    AwaitReplayed();
    EXPECT_THROW(reader.Exec("SELECT 1"), SqlError);
  }

 private:
  const FreshDatabase& database_;
  std::optional<sandbox::Sandbox> standby_;
};

}  // namespace pgalter::test
