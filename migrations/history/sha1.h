#pragma once

// SHA-1 (FIPS 180-4) of a text that is there as a whole: the name that sqitch gives to what it
// plans. Nothing is kept safe by it here. Pure.

#include <string>
#include <string_view>

namespace pgalter::history {

// 40 lower-case hexadecimal digits.
[[nodiscard]] std::string Sha1(std::string_view bytes);

}  // namespace pgalter::history
