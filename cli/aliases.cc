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

constexpr std::array kOptions{
    OptionAlias{"serve", "--port", "--listen 127.0.0.1:PORT"},
    OptionAlias{"serve", "--bind", "--listen ADDRESS:PORT"},
    OptionAlias{"serve", "--address", "--listen ADDRESS:PORT"},
};

}  // namespace

std::span<const Alias> AllAliases() { return kAliases; }

const Alias* FindAlias(std::string_view name) {
  const auto* found = std::ranges::find(kAliases, name, &Alias::name);
  return found == kAliases.end() ? nullptr : found;
}

const OptionAlias* FindOptionAlias(std::string_view command, std::string_view name) {
  const auto* found = std::ranges::find_if(kOptions, [&](const OptionAlias& alias) {
    return alias.command == command && alias.name == name;
  });
  return found == kOptions.end() ? nullptr : found;
}

}  // namespace pgalter::cli
