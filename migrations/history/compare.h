#pragma once

// What the directory and the database say of the same migrations, and where they differ. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrations/history/collection.h"

namespace pgalter::history {

enum class State { kApplying, kUnverified, kApplied, kReverting, kBaseline };

// A migration as the database remembers it.
struct Applied {
  std::string version;
  std::string title;
  std::string file;
  std::string format;
  Checksums sums;
  State state = State::kApplied;
  std::string run;       // empty: none
  std::string down_run;  // empty: none
  std::string applied_by;
  std::string started_at;  // UTC, ISO 8601
  std::string ended_at;    // empty: not yet
  // Of the run at work; empty: none, or forgotten.
  std::string run_state;
  std::string run_phase;
  std::string header = "{}";  // JSON
  bool has_verify = false;
};

[[nodiscard]] std::string_view Name(State state);
[[nodiscard]] State ParseState(std::string_view name);

enum class Difference {
  kEdited,      // what was applied is not what the file says now
  kCosmetic,    // comments, the header, the way down or what verifies
  kLineEnds,    // or a byte order mark
  kRenamed,     // the file; its version and what it does are the same
  kRenumbered,  // the version; what it does is the same
  kDeleted,
  kDuplicate,   // two files of one version
  kOutOfOrder,  // not applied, and stands before one that is
  kFormat,      // read as another tool's than when it was applied
  kDependency,  // names a version that is not there, or comes later
  kConflict,    // excludes one that is applied, or would be; see exclusion.h
  kByHand,      // the database's row is not what the log of what was done leads to
};

struct Divergence {
  Difference difference = Difference::kEdited;
  std::string version;
  std::string what;  // a sentence without its end
  std::string next;  // the command, or what to do
};

enum class Order { kStrict, kAny };

// In the order of the directory; of both, those that are only in the database last.
[[nodiscard]] std::vector<Divergence> Compare(const std::vector<Migration>& migrations,
                                              const std::vector<Applied>& applied, Order order);

// Indexes of migrations that are not in the database, in their order.
[[nodiscard]] std::vector<std::size_t> PendingOf(const std::vector<Migration>& migrations,
                                                 const std::vector<Applied>& applied);

// Versions that no other depends on, if any header names dependencies; else the last one.
[[nodiscard]] std::vector<std::string> HeadsOf(const std::vector<Migration>& migrations);

}  // namespace pgalter::history
