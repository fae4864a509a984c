#include "cli/commands.h"

#include <algorithm>
#include <array>

namespace pgalter::cli {

// The bodies are defined in cli/commands/, one file each.
// NOLINTBEGIN(readability-identifier-naming)
#define PGALTER_COMMAND(symbol, name, group, summary, usage) \
  extern const CommandBody k##symbol##Command;
#include "cli/commands.def"
#undef PGALTER_COMMAND
// NOLINTEND(readability-identifier-naming)

namespace {

constexpr std::array kCommands{
#define PGALTER_COMMAND(symbol, name, group, summary, usage) \
  Command{name, group, summary, usage, &k##symbol##Command},
#include "cli/commands.def"
#undef PGALTER_COMMAND
};

}  // namespace

std::span<const Command> AllCommands() { return kCommands; }

const Command* FindCommand(std::string_view name) {
  const auto* found = std::find_if(kCommands.begin(), kCommands.end(),
                                   [&](const Command& command) { return command.name == name; });
  return found == kCommands.end() ? nullptr : found;
}

std::vector<std::string_view> Groups() {
  std::vector<std::string_view> groups;
  for (const Command& command : kCommands)
    if (std::find(groups.begin(), groups.end(), command.group) == groups.end())
      groups.push_back(command.group);
  return groups;
}

}  // namespace pgalter::cli
