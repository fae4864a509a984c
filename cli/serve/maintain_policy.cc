#include "cli/serve/maintain_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <charconv>
#include <set>

#include "batcher/partition/period.h"
#include "cli/rejected.h"
#include "engine/watch/unit.h"

namespace pgalter::cli::serve {

namespace json = boost::json;

using async::Milliseconds;

namespace {

constexpr std::array<std::string_view, 4> kOptions{"premake", "every", "time-zone", "epoch"};
constexpr Milliseconds kLeast{1'000};
constexpr Milliseconds kMostFirst{60'000};
constexpr Milliseconds kFirstRetry{30'000};

// At commas, but for those in quoted names.
std::vector<std::string> Parts(std::string_view text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

[[noreturn]] void Refuse(std::string_view text, const std::string& why) {
  throw Rejected(run::ExitCode::kUsage, fmt::format("--maintain \"{}\": {}", text, why),
                 "--maintain events, --maintain 'events,premake=6,time-zone=Europe/Berlin', or "
                 "--maintain all; besides premake and time-zone there are every and epoch, as of "
                 "partition maintain");
}

// What the command would refuse at the first look, an hour later or in the night.
std::string WhyNot(std::string_view option, const std::string& value) {
  constexpr int kMostPremade = 1000;
  if (option == "premake") {
    int premake = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), premake);
    const bool whole = read.ec == std::errc() && read.ptr == value.data() + value.size();
    return whole && premake >= 1 && premake <= kMostPremade ? "" : "is no number from 1 to 1000";
  }
  if (option == "epoch")
    return value == "seconds" || value == "milliseconds" ? ""
                                                         : "is neither seconds nor milliseconds";
  if (option == "every")
    return partition::ParsePeriod(value) ? ""
                                         : "is no width: write '1 month' or, of numbers, 1000000";
  return value.empty() ? "names no time zone" : "";
}

std::vector<std::string> Texts(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return texts;
  for (const json::value& text : value->get_array())
    if (text.is_string()) texts.emplace_back(text.get_string());
  return texts;
}

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

// The last line that is an object with this key.
std::optional<json::object> LastWith(std::string_view lines, std::string_view key) {
  while (!lines.empty()) {
    if (lines.back() == '\n') lines.remove_suffix(1);
    const std::size_t before = lines.rfind('\n');
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    boost::system::error_code code;
    const std::string_view line = lines.substr(begin);
    const json::value value = json::parse({line.data(), line.size()}, code);
    if (!code && value.is_object() && value.get_object().contains({key.data(), key.size()}))
      return value.get_object();
    lines = lines.substr(0, begin);
  }
  return std::nullopt;
}

std::string ProblemOf(int code, std::string_view err) {
  constexpr int kKilled = 128;
  if (const auto said = LastWith(err, "error")) {
    const json::value& error = said->at("error");
    if (error.is_object()) {
      const std::string hint = Text(error.get_object(), "hint");
      const std::string what = Text(error.get_object(), "what");
      return hint.empty() ? what : fmt::format("{} ({})", what, hint);
    }
  }
  if (code > kKilled) return fmt::format("its process was ended by signal {}", code - kKilled);
  return fmt::format("it ended with exit code {}", code);
}

MaintainOutcome OutcomeOf(const json::object& said, const MaintainReport& report) {
  if (said.contains("elsewhere")) return MaintainOutcome::kElsewhere;
  const bool nothing = report.made == 0 && report.runs.empty();
  return nothing ? MaintainOutcome::kNothing : MaintainOutcome::kMade;
}

json::array Array(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::value OrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

}  // namespace

MaintainWish ReadMaintainWish(std::string_view text) {
  const std::vector<std::string> parts = Parts(text);
  MaintainWish wish;
  if (parts.front().empty()) Refuse(text, "which table?");
  if (parts.front() != "all") wish.table = parts.front();
  std::set<std::string> given;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equal = parts[i].find('=');
    const std::string option = parts[i].substr(0, equal);
    if (equal == std::string::npos || std::ranges::find(kOptions, option) == kOptions.end())
      Refuse(text, fmt::format("\"{}\" is not known", parts[i]));
    std::string value = parts[i].substr(equal + 1);
    const std::string why_not = WhyNot(option, value);
    if (!why_not.empty()) Refuse(text, fmt::format("{} \"{}\" {}", option, value, why_not));
    if (!given.insert(option).second) Refuse(text, fmt::format("{} is given twice", option));
    if (option == "time-zone") wish.time_zone = value;
    wish.words.push_back("--" + option);
    wish.words.push_back(std::move(value));
  }
  return wish;
}

void RefuseTwice(const std::vector<MaintainWish>& wishes) {
  std::set<std::string> tables;
  for (const MaintainWish& wish : wishes)
    if (!tables.insert(wish.table).second)
      throw Rejected(
          run::ExitCode::kUsage,
          fmt::format("--maintain names {} twice", wish.table.empty() ? "all" : wish.table),
          "one --maintain for each table, with all of its options");
}

Milliseconds ReadMaintainEvery(const std::string& text) {
  const auto seconds = watch::Parse(text, watch::Unit::kSeconds);
  const Milliseconds every(static_cast<std::int64_t>(seconds.value_or(0) * 1000));
  if (every < kLeast)
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("--maintain-every \"{}\" is no duration of a second or more", text),
                   "write 1h or 30min");
  return every;
}

std::string_view Name(MaintainOutcome outcome) {
  switch (outcome) {
    case MaintainOutcome::kNone:
      return "";
    case MaintainOutcome::kNothing:
      return "nothing to do";
    case MaintainOutcome::kMade:
      return "made";
    case MaintainOutcome::kElsewhere:
      return "elsewhere";
    case MaintainOutcome::kFailed:
      break;
  }
  return "failed";
}

MaintainReport ReadMaintainReport(int code, std::string_view out, std::string_view err) {
  MaintainReport report;
  const auto said = LastWith(out, "made");
  if (code != 0 || !said) {
    report.problem = ProblemOf(code, err);
    return report;
  }
  report.table = Text(*said, "table");
  report.until = Text(*said, "until");
  report.made = said->at("made").to_number<std::int64_t>();
  report.runs = Texts(*said, "runs");
  report.remarks = Texts(*said, "remarks");
  if (const std::string nothing = Text(*said, "nothing"); !nothing.empty())
    report.remarks.push_back(nothing);
  report.outcome = OutcomeOf(*said, report);
  return report;
}

void Take(Maintained& table, const MaintainReport& report, std::int64_t now) {
  table.working = false;
  table.outcome = report.outcome;
  table.last = report;
  if (!report.table.empty()) table.table = report.table;
  table.made += report.made;
  if (report.outcome == MaintainOutcome::kElsewhere) return;
  if (report.outcome == MaintainOutcome::kFailed) {
    ++table.failures;
    ++table.failing;
    return;
  }
  table.failing = 0;
  table.succeeded = now;
}

Milliseconds FirstPause(Milliseconds every, double chance) {
  const auto most = static_cast<double>(std::min(every, kMostFirst).count());
  return Milliseconds(static_cast<std::int64_t>(most * chance));
}

Milliseconds NextPause(const Maintained& table, Milliseconds every, double chance) {
  constexpr int kMostDoublings = 20;
  constexpr double kJitter = 0.1;
  Milliseconds pause = every;
  if (table.failing > 0)
    pause = std::min(every, kFirstRetry * (1 << std::min(table.failing - 1, kMostDoublings)));
  if (table.outcome == MaintainOutcome::kElsewhere) pause = std::min(every, kFirstRetry);
  const double share = 1 - kJitter * chance;
  return Milliseconds(static_cast<std::int64_t>(static_cast<double>(pause.count()) * share));
}

json::object ToJson(const Maintained& table) {
  json::object object{{"table", table.table},
                      {"working", table.working},
                      {"outcome", OrNull(std::string(Name(table.outcome)))},
                      {"made", table.last.made},
                      {"until", OrNull(table.last.until)},
                      {"runs", Array(table.last.runs)},
                      {"remarks", Array(table.last.remarks)},
                      {"problem", OrNull(table.last.problem)},
                      {"failing", table.failing},
                      {"begun_at", OrNull(table.begun_at)},
                      {"ended_at", OrNull(table.ended_at)}};
  return object;
}

}  // namespace pgalter::cli::serve
