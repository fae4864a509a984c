// Attempts of the ladder, for people.
#pragma once

#include <string>

namespace pgalter::lock {

// "1 attempt", "12 attempts".
[[nodiscard]] inline std::string HumanAttempts(int attempts) {
  return std::to_string(attempts) + (attempts == 1 ? " attempt" : " attempts");
}

}  // namespace pgalter::lock
