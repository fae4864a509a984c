// What `pgalter serve` keeps partitioned, and when it looks again. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/async/task.h"

namespace pgalter::cli::serve {

// One --maintain.
struct MaintainWish {
  std::string table;               // as the user writes it; empty: all there are
  std::vector<std::string> words;  // options of `partition maintain`: "--premake", "6"
  std::string time_zone;           // which the server has to know; empty: none is given
};

// "TABLE", or "TABLE,premake=6,time-zone=Europe/Berlin"; "all" instead of a table. Throws Rejected
// (usage).
MaintainWish ReadMaintainWish(std::string_view text);

// Throws Rejected (usage): one table is written twice in the same way, or all are.
void RefuseTwice(const std::vector<MaintainWish>& wishes);

// "1h"; at least a second. Throws Rejected (usage).
async::Milliseconds ReadMaintainEvery(const std::string& text);

enum class MaintainOutcome {
  kNone,       // it has not been looked at
  kNothing,    // nothing had to be made
  kMade,       // partitions were made, or rows moved
  kElsewhere,  // somebody else was at it
  kFailed,
};
std::string_view Name(MaintainOutcome outcome);

// What one call of `partition maintain --output json` came to.
struct MaintainReport {
  MaintainOutcome outcome = MaintainOutcome::kFailed;
  std::string table;  // quoted, with its schema; empty: it does not say
  std::string until;  // a literal: where the partitions end
  std::int64_t made = 0;
  std::vector<std::string> runs;
  std::vector<std::string> remarks;
  std::string problem;  // why it has failed, and what to do next
};
MaintainReport ReadMaintainReport(int code, std::string_view out, std::string_view err);

// A table, and what was done for it.
struct Maintained {
  MaintainWish wish;
  std::string table;  // as the command says it, once it has; before: as the user does
  bool working = false;
  MaintainReport last;
  MaintainOutcome outcome = MaintainOutcome::kNone;
  std::string begun_at;  // UTC, ISO 8601; empty: never
  std::string ended_at;
  std::optional<std::int64_t> succeeded;  // seconds since 1970
  std::int64_t failures = 0;              // in all
  int failing = 0;                        // since the last success
  std::int64_t made = 0;                  // in all
  async::Clock::time_point next;
};

// `now`: seconds since 1970. Where somebody else was at it, nothing is known of how that ends.
void Take(Maintained& table, const MaintainReport& report, std::int64_t now);

// `chance`: from 0 to 1. The first look comes soon, not at the same moment as those of others; a
// failure is tried again sooner than after the whole time, and ever later.
async::Milliseconds FirstPause(async::Milliseconds every, double chance);
async::Milliseconds NextPause(const Maintained& table, async::Milliseconds every, double chance);

boost::json::object ToJson(const Maintained& table);

}  // namespace pgalter::cli::serve
