#pragma once

// Migrations that exclude each other: `conflicts_with` in the header of either means both. They are
// never both applied. Pure.

#include <string>
#include <vector>

#include "migrations/history/collection.h"
#include "migrations/history/compare.h"

namespace pgalter::history {

struct Exclusion {
  const Migration* earlier = nullptr;  // in the order of the directory
  const Migration* later = nullptr;
  const Migration* by = nullptr;  // whose header says so
};

// Each pair once. The migrations have to outlive it.
[[nodiscard]] std::vector<Exclusion> ExclusionsOf(const std::vector<Migration>& migrations);

// What headers say that cannot be: a version that is not there, itself, one that it depends on.
[[nodiscard]] std::vector<Fault> FaultsOfExclusions(const std::vector<Migration>& migrations);

// Pairs that would both be applied if `wanted` were, and those that are already.
[[nodiscard]] std::vector<Divergence> CompareExclusions(
    const std::vector<Migration>& migrations, const std::vector<Applied>& applied,
    const std::vector<const Migration*>& wanted);

// Pairs that would both stand below one that depends on `versions`.
[[nodiscard]] std::vector<Exclusion> ExclusionsBelow(const std::vector<Migration>& migrations,
                                                     const std::vector<std::string>& versions);

}  // namespace pgalter::history
