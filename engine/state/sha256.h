// SHA-256 (FIPS 180-4), as the bytes come. Pure. Of its own, so that a program that hashes nothing
// does not load a library for it at each start.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgalter::state {

class Sha256 {
 public:
  void Take(std::string_view bytes);
  // 32 bytes. It takes no more after that.
  [[nodiscard]] std::string Bytes();
  // 64 lower-case hexadecimal digits, in the same way.
  [[nodiscard]] std::string Hex();

 private:
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::uint64_t taken_ = 0;
  std::string rest_;  // less than a block
};

[[nodiscard]] std::string HexOf(std::string_view bytes);

}  // namespace pgalter::state
