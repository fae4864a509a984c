#include "batcher/backfill/wish.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/watch/unit.h"

namespace pgalter::backfill {

namespace {

Wish ReadChunkTime(std::string_view value) {
  constexpr double kLeast = 0.005;
  constexpr double kMost = 10;
  Wish wish;
  const auto seconds = watch::Parse(value, watch::Unit::kSeconds);
  if (seconds && *seconds >= kLeast && *seconds <= kMost) {
    wish.chunk_time = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
  } else {
    wish.refusal = fmt::format("chunk-time is 5ms to 10s: not \"{}\"", value);
  }
  return wish;
}

Wish ReadWorkers(std::string_view value) {
  constexpr int kMost = 64;
  Wish wish;
  int workers = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), workers);
  const bool number = error == std::errc() && end == value.data() + value.size();
  if (number && workers >= 1 && workers <= kMost) {
    wish.workers = workers;
  } else {
    wish.refusal = fmt::format("workers is a number from 1 to 64: not \"{}\"", value);
  }
  return wish;
}

}  // namespace

std::optional<Wish> ReadWish(std::string_view key, std::string_view value) {
  if (key == "chunk-time") return ReadChunkTime(value);
  if (key == "workers") return ReadWorkers(value);
  return std::nullopt;
}

}  // namespace pgalter::backfill
