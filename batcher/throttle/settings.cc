#include "batcher/throttle/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <vector>

#include "engine/pg/conninfo.h"
#include "engine/pg/error.h"
#include "engine/watch/signals.h"

namespace pgalter::throttle {

namespace {

using Problem = std::optional<std::string>;

std::string KnownKeys() {
  std::string keys = "ratio, expect-standbys, ignore-standbys, standby-limits, replicas, query";
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

// The words between separators, without blanks around them.
std::vector<std::string> Split(std::string_view value, char separator) {
  std::vector<std::string> words;
  while (!value.empty()) {
    const auto end = value.find(separator);
    std::string_view word = value.substr(0, end);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (!word.empty()) words.emplace_back(word);
    value = end == std::string_view::npos ? std::string_view() : value.substr(end + 1);
  }
  return words;
}

Problem ChangeIgnored(Settings& settings, std::string_view value) {
  settings.watch.ignore_standbys.clear();
  for (std::string& name : Split(value, ','))
    settings.watch.ignore_standbys.insert(std::move(name));
  return std::nullopt;
}

Problem ChangeStandbyLimits(Settings& settings, std::string_view value) {
  std::map<std::string, double, std::less<>> limits;
  for (const std::string& word : Split(value, ',')) {
    const auto at = word.rfind('=');
    std::optional<double> limit;
    if (at != std::string::npos && at > 0)
      limit = watch::Parse(word.substr(at + 1), watch::Unit::kSeconds);
    if (!limit || *limit <= 0)
      return fmt::format("standby-limits is NAME=LIMIT, such as reporting=10min: not \"{}\"", word);
    limits[word.substr(0, at)] = *limit;
  }
  settings.watch.standby_limits = std::move(limits);
  return std::nullopt;
}

// They are kept with the run, where others may read them.
Problem ChangeReplicas(Settings& settings, std::string_view value) {
  std::set<std::string, std::less<>> replicas;
  for (std::string& dsn : Split(value, ';')) {
    try {
      const pg::Conninfo parsed = pg::Conninfo::Parse(dsn);
      if (parsed.Get("password") || parsed.Get("sslpassword"))
        return "a standby's connection is kept with the run, and holds a password: leave it to "
               ".pgpass, or to a service file (service=NAME)";
    } catch (const pg::PgError& error) {
      return fmt::format("a standby's connection is not understood: {}", error.what());
    }
    replicas.insert(std::move(dsn));
  }
  settings.watch.replicas = std::move(replicas);
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
  if (key == "standby-limits") return ChangeStandbyLimits(settings, value);
  if (key == "replicas") return ChangeReplicas(settings, value);
  if (key == "query") {
    settings.watch.throttle_query = value;
    return std::nullopt;
  }
  if (const watch::Signal* signal = watch::FindSignal(key))
    return ChangeSignal(settings, *signal, value);
  return fmt::format("there is no throttle setting \"{}\"; the settings are: {}", key, KnownKeys());
}

}  // namespace pgalter::throttle
