// The fail points that a run of RunWorld's plan passes, and at which of its passings the process
// dies.
#pragma once

#include <fmt/format.h>

#include "tests/support/program.h"

namespace pgalter::test {

inline Words Numbered(const char* point, int first, int last) {
  Words points;
  for (int i = first; i <= last; ++i) points.push_back(fmt::format("{}:{}", point, i));
  return points;
}

// Up to the gate; what is behind it begins at 1 again.
inline Words ForwardPoints() {
  Words points{"lease-taken",     "index-in-ledger", "index-built",      "index-recorded",
               "chunk-checked:2", "chunk-updated:2", "chunk-recorded:2", "chunk-committed:2",
               "group-done",      "scan-done",       "backfill-settled", "step-started:9"};
  for (const char* each : {"step-started", "step-done-unrecorded", "step-recorded"})
    for (const std::string& point : Numbered(each, 1, 8)) points.push_back(point);
  for (const char* each : {"ddl-unrecorded", "ddl-uncommitted", "ddl-committed"})
    for (const std::string& point : Numbered(each, 1, 6)) points.push_back(point);
  return points;
}

// Once the gate is open.
inline Words ContractPoints() {
  Words points{"lease-taken", "ddl-unrecorded", "ddl-uncommitted", "ddl-committed"};
  for (const char* each : {"step-started", "step-done-unrecorded", "step-recorded"})
    for (const std::string& point : Numbered(each, 1, 3)) points.push_back(point);
  return points;
}

// Of steps that the plan does not have: each in a test of its own.
inline Words OtherPoints() {
  return {"run-made", "at-canary", "autocommit-ran", "detach-pending", "old-table-dropped",
          "cutover-waits", "parent-made", "attached", "detached", "attach-committed", "key-back",
          "detach-committed", "contradicted", "contradicted-back", "key-adopted",
          // of an UPDATE in chunks
          "once-over", "once-released",
          // of a rebuild whose log is folded while it copies
          "log-folded",
          // of a table split in two
          "split-checked", "split-copied", "split-committed", "split-all-copied", "split-compared",
          // of partition split, merge and retain
          "parts-made", "swap-committed", "old-partition-dropped", "merged", "merge-committed",
          "regrouped-back", "returned", "return-forgotten", "proof-added", "proof-taken-away",
          "retired", "exported", "drop-checked", "partition-dropped"};
}

inline Words BackwardPoints() {
  Words points;
  for (const char* each : {"undo-unrecorded", "undo-recorded"})
    for (const std::string& point : Numbered(each, 1, 8)) points.push_back(point);
  for (const std::string& point : Numbered("ddl-uncommitted", 1, 4)) points.push_back(point);
  return points;
}

}  // namespace pgalter::test
