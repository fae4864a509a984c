#pragma once

// SHA-256 of a text that is there as a whole. Pure.

#include <string>
#include <string_view>

namespace pgalter::history {

// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string Sha256(std::string_view bytes);
// 32 bytes.
[[nodiscard]] std::string Sha256Bytes(std::string_view bytes);
[[nodiscard]] std::string Hex(std::string_view bytes);

}  // namespace pgalter::history
