// What an operator may change while a run goes on: `pgalter throttle RUN --set KEY=VALUE`.
//
//   ratio            0 to 1: never faster than this; 0 stops; auto leaves it to the signals
//   SIGNAL           a limit ("10s", "64MB", "20"); off: not read; default
//   expect-standbys  how many must be connected; any
//   ignore-standbys  names, with commas between
//   standby-limits   NAME=LIMIT, with commas between: of these standbys instead of
//                    replay-lag-seconds
//   replicas         conninfo of standbys to ask directly, with ; between
//   query            SQL whose number the signal throttle-query reads; empty: none
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/watch/signal.h"

namespace pgalter::throttle {

struct Settings {
  watch::WatchOptions watch;
  std::optional<double> ceiling;
};

// The error text, which lists the keys where the key is at fault; nullopt: it is set.
[[nodiscard]] std::optional<std::string> Change(Settings& settings, std::string_view key,
                                                std::string_view value);

}  // namespace pgalter::throttle
