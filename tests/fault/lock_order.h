// In which order a cut-over locks a view and its table, while somebody holds the view.
#pragma once

#include <fmt/format.h>

#include <string>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {

// Waits until somebody waits for the view, not only to read it beside others: "t" if he has locked
// users out of the table by then, else "f".
inline std::string WaitsWithTheTable(const FreshDatabase& database, const std::string& view,
                                     const std::string& table) {
  const std::string sql = fmt::format(
      R"sql(
WITH held AS MATERIALIZED (
  SELECT pid, relation, mode, granted FROM pg_locks JOIN pg_database d ON d.oid = database
  WHERE d.datname = current_database() AND locktype = 'relation')
SELECT bool_or(EXISTS (SELECT FROM held h WHERE h.pid = w.pid AND h.granted AND
                       h.mode = 'AccessExclusiveLock' AND h.relation = '{}'::regclass))
FROM held w WHERE NOT w.granted AND w.relation = '{}'::regclass
  AND (w.mode = 'AccessExclusiveLock' OR EXISTS (
         SELECT FROM held h WHERE h.pid = w.pid AND h.granted AND h.mode = 'AccessExclusiveLock'
         AND h.relation = '{}'::regclass))
)sql",
      table, view, table);
  std::string found;
  const bool waits =
      Within(std::chrono::seconds(60), [&] { return (found = database.Value(sql)) != "NULL"; });
  EXPECT_TRUE(waits) << view;
  return found;
}

}  // namespace pgalter::test
