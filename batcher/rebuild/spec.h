// Spec: what a rebuild was asked for, as it is kept with the run.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "batcher/dependants/obstacles.h"
#include "batcher/rebuild/going_keys.h"

namespace pgalter::rebuild {

// One more table, which changes places in the same moment as the first.
struct Companion {
  std::string table;
  std::string alter;
  std::vector<std::string> maps;
  std::string definition;
  std::string order_by;     // of its own
  std::uint32_t relid = 0;  // settled when the run is made
};

// With neither `alter` nor `definition` the table is made anew as it is.
struct Spec {
  std::string table;  // as the user wrote it
  std::string alter;  // the actions of an ALTER TABLE
  // The whole new definition, instead: CREATE TABLE under the table's own name, and as it likes its
  // partitions (CREATE TABLE … PARTITION OF) and indexes (CREATE INDEX).
  std::string definition;
  // Of several tables, as it was given: definitions of as many of them as one likes. Prepare gives
  // each its own, and leaves nothing here.
  std::string definitions;
  std::string order_by;  // as behind ORDER BY: rows are copied in this order. Empty: as they lie
  // A unique key of the table may go, or become one together with more columns.
  bool allow_weaker_keys = false;
  // Materialized views that read the table are made anew over the new one.
  bool rebuild_matviews = false;
  // The new table is kept up to date, and not put in place before `pgalter cutover`.
  bool waits_at_cutover = false;
  std::vector<std::string> maps;  // 'column = expression', one or more each
  // How long changes are logged while no runner is there: for the copy, and after the cut-over for
  // the way back; and up to which size of the log. 0 bytes: as large as the table.
  std::chrono::seconds unattended{std::chrono::hours(72)};
  std::chrono::seconds revert_window{std::chrono::hours(24)};
  std::int64_t log_limit = 0;
  int workers = 1;
  std::chrono::milliseconds chunk_time{500};
  std::map<std::string, std::string> throttle;  // as for `throttle --set`
  // The role's settings that decide what an expression means, as they were when the run was made.
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<Companion> companions;
  GoingKeys going;  // of the first table
};

// What is asked of one of its tables, the first being number 1.
Spec OfTable(const Spec& spec, int number);
[[nodiscard]] inline dependants::Matviews MatviewsOf(const Spec& spec) {
  return spec.rebuild_matviews ? dependants::Matviews::kFollow : dependants::Matviews::kInTheWay;
}
[[nodiscard]] inline int CountTables(const Spec& spec) {
  return 1 + static_cast<int>(spec.companions.size());
}

boost::json::object ToJson(const Spec& spec);
Spec FromJson(const boost::json::object& json);

}  // namespace pgalter::rebuild
