// Counts of rows for people.
#pragma once

#include <cstdint>
#include <string>

#include "cli/human.h"

namespace pgalter::cli {

// "1,234,567 rows", "1 row".
inline std::string HumanRows(std::int64_t count) {
  return HumanCount(count) + (count == 1 ? " row" : " rows");
}

}  // namespace pgalter::cli
