// The commands that restore a dump, for the operator to run: each with the program that its format
// needs, and into a database of its own, never into the one in use. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/backup/dump_format.h"

namespace pgalter::backup {

struct RestorePlan {
  std::vector<std::string> commands;  // for a shell, in their order; each ends with 0 or stops them
  std::vector<std::string> notes;     // what they do not do
};

// `head`: how the file begins. `database`: to be made, and restored into.
RestorePlan PlanRestore(const std::string& path, DumpFormat format, std::string_view head,
                        const std::string& database);

// In '...', whatever is in it.
std::string ShellQuoted(std::string_view text);

}  // namespace pgalter::backup
