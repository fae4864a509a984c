// Way out: the command that does in use what a revert of a split or of a merge would do while users
// wait. Pure.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/repart.h"

namespace pgalter::partition {

// "… TO ('x')" -> "'x'"
[[nodiscard]] std::string EndOf(const std::string& bound);

// `from` become `targets`, one of them or one of these alone. `whole`, `from`: quoted, with their
// schema. Empty: no command does that, as rows do not go back into a default partition.
[[nodiscard]] std::string CommandFor(const std::string& whole, const std::vector<std::string>& from,
                                     const std::vector<Target>& targets);

}  // namespace pgalter::partition
