#include "migrations/history/sha1.h"

#include <array>
#include <bit>
#include <cstdint>

#include "migrations/history/sha256.h"

namespace pgalter::history {

namespace {

constexpr std::size_t kBlock = 64;
using State = std::array<std::uint32_t, 5>;

struct Round {
  std::uint32_t mixed;
  std::uint32_t constant;
};

constexpr Round RoundOf(std::size_t i, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  if (i < 20) return {(b & c) | (~b & d), 0x5a827999};
  if (i < 40) return {b ^ c ^ d, 0x6ed9eba1};
  if (i < 60) return {(b & c) | (b & d) | (c & d), 0x8f1bbcdc};
  return {b ^ c ^ d, 0xca62c1d6};
}

void TakeBlock(State& state, std::string_view block) {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t i = 0; i < kBlock; ++i)
    w.at(i / 4) = (w.at(i / 4) << 8U) | static_cast<unsigned char>(block[i]);
  for (std::size_t i = 16; i < w.size(); ++i)
    w.at(i) = std::rotl(w.at(i - 3) ^ w.at(i - 8) ^ w.at(i - 14) ^ w.at(i - 16), 1);
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const Round round = RoundOf(i, b, c, d);
    const std::uint32_t next = std::rotl(a, 5) + round.mixed + e + round.constant + w.at(i);
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const State sum{a, b, c, d, e};
  for (std::size_t i = 0; i < state.size(); ++i) state.at(i) += sum.at(i);
}

std::string Padded(std::string_view bytes) {
  std::string padded(bytes);
  padded += '\x80';
  while (padded.size() % kBlock != kBlock - 8) padded += '\0';
  const std::uint64_t bits = static_cast<std::uint64_t>(bytes.size()) * 8;
  for (unsigned shift = 64; shift > 0; shift -= 8)
    padded += static_cast<char>((bits >> (shift - 8)) & 0xffU);
  return padded;
}

}  // namespace

std::string Sha1(std::string_view bytes) {
  State state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const std::string padded = Padded(bytes);
  for (std::size_t at = 0; at < padded.size(); at += kBlock)
    TakeBlock(state, std::string_view(padded).substr(at, kBlock));
  std::string digest;
  for (const std::uint32_t word : state)
    for (unsigned shift = 32; shift > 0; shift -= 8)
      digest += static_cast<char>((word >> (shift - 8)) & 0xffU);
  return Hex(digest);
}

}  // namespace pgalter::history
