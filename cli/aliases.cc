#include "cli/aliases.h"

#include <algorithm>
#include <array>

namespace pgalter::cli {

namespace {

constexpr std::array kAliases{
    Alias{"migrate", "up"},
    Alias{"upgrade", "up"},
    Alias{"deploy", "up"},
    Alias{"rollback", "down"},
    Alias{"downgrade", "down"},
    Alias{"current", "status", "--migrations"},
    Alias{"info", "status", "--migrations"},
    Alias{"stamp", "baseline"},
    Alias{"resolve", "repair"},
    Alias{"log", "history"},
    Alias{"rehearse --locks", "trace"},
};

}  // namespace

std::span<const Alias> AllAliases() { return kAliases; }

const Alias* FindAlias(std::string_view name) {
  const auto* found = std::ranges::find(kAliases, name, &Alias::name);
  return found == kAliases.end() ? nullptr : found;
}

}  // namespace pgalter::cli
