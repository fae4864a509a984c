// What all ways of comparing share; for the files of this folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batcher/capture/compare_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/verify/compare.h"
#include "batcher/verify/rows_policy.h"

namespace pgalter::verify {

struct Comparison {
  const capture::Flow& flow;
  throttle::Throttle& throttle;
  async::Stopper& stopper;
  const CompareOptions& options;
  std::vector<Difference> differences;
  bool moved = false;  // rows have other places than those that were read: nothing found counts

  [[nodiscard]] bool over() const { return moved || differences.size() >= options.most; }
};

// Throttled, in a transaction of its own. How long it took. `check`, when the tables are locked:
// one boolean, false when they have moved. `tables`: what to lock, as SQL; empty: both tables.
Task<async::Clock::duration> CompareWindow(Comparison& comparison, Session& session,
                                           std::string statement, pg::Params params,
                                           std::optional<pg::Statement> check,
                                           std::string tables = "");

// All rows, whatever the way, but for that of leaves.
Task<> CompareRows(Comparison& comparison, std::vector<Session>& sessions);

// Rows in windows of blocks of these parts, each looked up in the whole other table.
Task<> CompareByBlocks(Comparison& comparison, Session& session,
                       const std::vector<capture::Part>& from, const std::vector<capture::Part>& to,
                       capture::Lookup lookup);

// Whether the tables still have these parts, by oid, in these files; else they have moved.
Task<> CheckParts(Comparison& comparison, Session& session, const std::vector<capture::Part>& from,
                  const std::vector<capture::Part>& to);

// As the planner has it.
struct Size {
  double rows = 0;
  double blocks = 0;
  bool in_blocks = false;  // all of it: no foreign table, and PostgreSQL's own access method
};
Task<Size> EstimateSize(Session& session, pg::Oid table);
Task<Size> EstimateSizeOf(Session& session, std::vector<std::int64_t> tables);  // together

}  // namespace pgalter::verify
