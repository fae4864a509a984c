// What one verb of `pgalter partition` does. One file a verb, one line in verbs.def.
#pragma once

#include <string_view>

#include "cli/command.h"

namespace pgalter::cli {

struct PartitionVerb {
  std::string_view name;
  std::string_view operand;  // what stands behind it: "TABLE"
  bool many = false;         // of them
  std::string_view options;  // that it takes, with blanks between; all others are refused
  bool copies = false;       // and those of copy_options.h
  Task<ExitCode> (*run)(Context& context) = nullptr;
};

}  // namespace pgalter::cli
