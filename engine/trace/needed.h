// Which tables a script touches that are there before it: those that need rows. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/catalog/schema.h"

namespace pgalter::trace {

// As SQL, qualified. `server_version`: the major.
std::vector<std::string> TablesTouched(std::string_view script, catalog::Schema schema,
                                       int server_version);

}  // namespace pgalter::trace
