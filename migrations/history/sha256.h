#pragma once

// SHA-256 (FIPS 180-4) of a text. Pure. Of its own, so that a program that hashes nothing does not
// load a library for it at each start.

#include <string>
#include <string_view>

namespace pgalter::history {

// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string Sha256(std::string_view bytes);
// 32 bytes.
[[nodiscard]] std::string Sha256Bytes(std::string_view bytes);
[[nodiscard]] std::string Hex(std::string_view bytes);

}  // namespace pgalter::history
