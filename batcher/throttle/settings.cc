#include "batcher/throttle/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "engine/watch/signals.h"

namespace pgalter::throttle {

namespace {

using Problem = std::optional<std::string>;

std::string KnownKeys() {
  std::string keys = "ratio, expect-standbys, ignore-standbys, query";
  for (const watch::Signal* signal : watch::AllSignals()) keys += fmt::format(", {}", signal->id);
  return keys;
}

Problem ChangeRatio(Settings& settings, std::string_view value) {
  if (value == "auto") {
    settings.ceiling.reset();
    return std::nullopt;
  }
  const auto ratio = watch::Parse(value, watch::Unit::kNumber);
  if (!ratio || *ratio > 1)
    return fmt::format("ratio is a number from 0 (stop) to 1 (full speed), or auto: not \"{}\"",
                       value);
  settings.ceiling = *ratio;
  return std::nullopt;
}

Problem ChangeExpected(Settings& settings, std::string_view value) {
  if (value == "any") {
    settings.watch.expect_standbys.reset();
    return std::nullopt;
  }
  int count = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
  if (error != std::errc() || end != value.data() + value.size() || count < 0)
    return fmt::format("expect-standbys is a number of standbys, or any: not \"{}\"", value);
  settings.watch.expect_standbys = count;
  return std::nullopt;
}

Problem ChangeIgnored(Settings& settings, std::string_view value) {
  settings.watch.ignore_standbys.clear();
  while (!value.empty()) {
    const auto comma = value.find(',');
    std::string_view name = value.substr(0, comma);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (!name.empty()) settings.watch.ignore_standbys.emplace(name);
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
  }
  return std::nullopt;
}

Problem ChangeSignal(Settings& settings, const watch::Signal& signal, std::string_view value) {
  const std::string id(signal.id);
  if (value == "off") {
    settings.watch.without.insert(id);
    return std::nullopt;
  }
  if (value == "default") {
    settings.watch.without.erase(id);
    settings.watch.limits.erase(id);
    return std::nullopt;
  }
  const auto limit = watch::Parse(value, signal.unit);
  if (!limit || *limit <= 0)
    return fmt::format(
        "{} ({}) takes a limit above 0, such as \"{}\", or off, or default: not \"{}\"", signal.id,
        signal.summary,
        watch::Format(signal.default_limit > 0 ? signal.default_limit : 1e9, signal.unit), value);
  settings.watch.without.erase(id);
  settings.watch.limits[id] = *limit;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> Change(Settings& settings, std::string_view key,
                                  std::string_view value) {
  if (key == "ratio") return ChangeRatio(settings, value);
  if (key == "expect-standbys") return ChangeExpected(settings, value);
  if (key == "ignore-standbys") return ChangeIgnored(settings, value);
  if (key == "query") {
    settings.watch.throttle_query = value;
    return std::nullopt;
  }
  if (const watch::Signal* signal = watch::FindSignal(key))
    return ChangeSignal(settings, *signal, value);
  return fmt::format("there is no throttle setting \"{}\"; the settings are: {}", key, KnownKeys());
}

}  // namespace pgalter::throttle
