// What one verb of `pgalter partition` does. One file a verb, one line in verbs.def.
#pragma once

#include <string_view>

#include "cli/command.h"

namespace pgalter::cli {

struct PartitionVerb {
  std::string_view name;
  std::size_t most_operands = 1;  // after the verb
  Task<ExitCode> (*run)(Context& context) = nullptr;
};

}  // namespace pgalter::cli
