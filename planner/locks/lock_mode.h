#pragma once

// PostgreSQL's table-level lock modes and which of them exclude each other: the table in
// section 13.3.1 of its documentation, alike in every supported version. Pure; anyone may call.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgalter::locks {

// In the server's order. It is no order of strength: SHARE UPDATE EXCLUSIVE excludes itself, SHARE
// does not.
enum class LockMode : std::uint8_t {
  kAccessShare,
  kRowShare,
  kRowExclusive,
  kShareUpdateExclusive,
  kShare,
  kShareRowExclusive,
  kExclusive,
  kAccessExclusive,
};

inline constexpr std::array kAllLockModes = {
    LockMode::kAccessShare,  LockMode::kRowShare,
    LockMode::kRowExclusive, LockMode::kShareUpdateExclusive,
    LockMode::kShare,        LockMode::kShareRowExclusive,
    LockMode::kExclusive,    LockMode::kAccessExclusive,
};

// As in LOCK TABLE … IN … MODE: "ACCESS EXCLUSIVE".
[[nodiscard]] std::string_view Name(LockMode mode);
[[nodiscard]] std::optional<LockMode> FromName(std::string_view name);

// As in pg_locks.mode: "AccessExclusiveLock".
[[nodiscard]] std::string_view ServerName(LockMode mode);
[[nodiscard]] std::optional<LockMode> FromServerName(std::string_view name);

// Whether two transactions cannot hold the two modes on one table at the same time.
[[nodiscard]] constexpr bool Conflicts(LockMode a, LockMode b) {
  constexpr auto bits = [](auto... modes) {
    return static_cast<std::uint8_t>(((1U << static_cast<unsigned>(modes)) | ...));
  };
  using enum LockMode;
  constexpr std::array<std::uint8_t, kAllLockModes.size()> excluded = {
      bits(kAccessExclusive),
      bits(kExclusive, kAccessExclusive),
      bits(kShare, kShareRowExclusive, kExclusive, kAccessExclusive),
      bits(kShareUpdateExclusive, kShare, kShareRowExclusive, kExclusive, kAccessExclusive),
      bits(kRowExclusive, kShareUpdateExclusive, kShareRowExclusive, kExclusive, kAccessExclusive),
      bits(kRowExclusive, kShareUpdateExclusive, kShare, kShareRowExclusive, kExclusive,
           kAccessExclusive),
      bits(kRowShare, kRowExclusive, kShareUpdateExclusive, kShare, kShareRowExclusive, kExclusive,
           kAccessExclusive),
      bits(kAccessShare, kRowShare, kRowExclusive, kShareUpdateExclusive, kShare,
           kShareRowExclusive, kExclusive, kAccessExclusive),
  };
  return ((excluded[static_cast<std::size_t>(a)] >> static_cast<unsigned>(b)) & 1U) != 0;
}

// SELECT takes ACCESS SHARE. (SELECT … FOR UPDATE takes ROW SHARE, which EXCLUSIVE stops as well.)
[[nodiscard]] constexpr bool BlocksReads(LockMode mode) {
  return Conflicts(mode, LockMode::kAccessShare);
}

// INSERT, UPDATE, DELETE and MERGE take ROW EXCLUSIVE.
[[nodiscard]] constexpr bool BlocksWrites(LockMode mode) {
  return Conflicts(mode, LockMode::kRowExclusive);
}

}  // namespace pgalter::locks
