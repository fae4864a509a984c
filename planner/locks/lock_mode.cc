#include "planner/locks/lock_mode.h"

#include <algorithm>

namespace pgalter::locks {
namespace {

struct Names {
  std::string_view sql;
  std::string_view server;
};

// In the order of LockMode.
constexpr std::array<Names, kAllLockModes.size()> kNames = {{
    {"ACCESS SHARE", "AccessShareLock"},
    {"ROW SHARE", "RowShareLock"},
    {"ROW EXCLUSIVE", "RowExclusiveLock"},
    {"SHARE UPDATE EXCLUSIVE", "ShareUpdateExclusiveLock"},
    {"SHARE", "ShareLock"},
    {"SHARE ROW EXCLUSIVE", "ShareRowExclusiveLock"},
    {"EXCLUSIVE", "ExclusiveLock"},
    {"ACCESS EXCLUSIVE", "AccessExclusiveLock"},
}};

const Names& NamesOf(LockMode mode) { return kNames[static_cast<std::size_t>(mode)]; }

std::optional<LockMode> Find(std::string_view name, std::string_view Names::*member) {
  const auto found = std::ranges::find(kNames, name, member);
  if (found == kNames.end()) return std::nullopt;
  return kAllLockModes[static_cast<std::size_t>(found - kNames.begin())];
}

}  // namespace

std::string_view Name(LockMode mode) { return NamesOf(mode).sql; }

std::optional<LockMode> FromName(std::string_view name) { return Find(name, &Names::sql); }

std::string_view ServerName(LockMode mode) { return NamesOf(mode).server; }

std::optional<LockMode> FromServerName(std::string_view name) { return Find(name, &Names::server); }

}  // namespace pgalter::locks
