// The question before something is changed for good.
#pragma once

#include <string>

#include "cli/context.h"

namespace pgalter::cli {

// Returns when the user agrees: --yes, or "y" on a terminal. Throws Rejected (usage) otherwise.
void Confirm(const Context& context, const std::string& question);

}  // namespace pgalter::cli
