// What `pgalter throttle --set` may ask of a backfill beyond the throttle's own keys:
//
//   chunk-time  how long a chunk may hold its rows: 5ms to 10s
//   workers     1 to 64; more start at once, fewer once they have ended their windows
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace pgalter::backfill {

struct Wish {
  std::optional<std::chrono::milliseconds> chunk_time;
  std::optional<int> workers;
  std::string refusal;  // why the value cannot be; empty: it can
};

// nullopt: the key is not one of these.
std::optional<Wish> ReadWish(std::string_view key, std::string_view value);

}  // namespace pgalter::backfill
