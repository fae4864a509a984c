#include "migrations/history/replay.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <utility>

namespace pgalter::history {

namespace {

namespace json = boost::json;

// A row as the log leads to it.
struct Expected {
  std::string state;  // empty: applied or unverified, which the log does not say
  json::object about;
};
using ByVersion = std::map<std::string, Expected>;

json::object Payload(const Event& event) {
  boost::system::error_code error;
  const json::value value = json::parse(event.payload, error);
  return error || !value.is_object() ? json::object() : value.get_object();
}

std::string Text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::string StateAfterApplying(const json::object& about) {
  const auto* verify = about.if_contains("has_verify");
  if (verify == nullptr || !verify->is_bool()) return "";
  return std::string(Name(verify->get_bool() ? State::kUnverified : State::kApplied));
}

class Replay {
 public:
  void Take(const Event& event);
  [[nodiscard]] ByVersion Rows() { return std::move(rows_); }

 private:
  void Add(const Event& event, std::string state);
  void Repair(const Event& event);

  ByVersion rows_;
};

void Replay::Add(const Event& event, std::string state) {
  Expected row{std::move(state), Payload(event)};
  row.about["applied_by"] = event.user;
  row.about["down_run"] = "";
  rows_[event.version] = std::move(row);
}

void Replay::Repair(const Event& event) {
  const json::object about = Payload(event);
  Expected row = rows_[event.version];
  rows_.erase(event.version);
  for (const auto& [key, value] : about) row.about[key] = value;
  row.about["down_run"] = "";
  if (about.contains("state")) {
    row.state = Text(about, "state");
  } else if (row.state == Name(State::kApplying)) {
    row.state = Name(State::kApplied);
  }
  const std::string now = Text(about, "version_now");
  rows_[now.empty() ? event.version : now] = std::move(row);
}

void Replay::Take(const Event& event) {
  if (!event.event.starts_with(kMigrationEvent)) return;
  const std::string_view what = std::string_view(event.event).substr(kMigrationEvent.size());
  const auto found = rows_.find(event.version);
  if (what == "begin") {
    Add(event, std::string(Name(State::kApplying)));
  } else if (what == "baseline" || what == "imported") {
    Add(event, std::string(Name(State::kBaseline)));
  } else if (what == "applied" && found == rows_.end()) {
    Add(event, StateAfterApplying(Payload(event)));
  } else if (what == "down" || what == "taken-back" || what == "forgotten") {
    rows_.erase(event.version);
  } else if (what == "repaired") {
    Repair(event);
  } else if (found == rows_.end()) {
    return;
  } else if (what == "applied") {
    found->second.state = StateAfterApplying(found->second.about);
  } else if (what == "verified" || what == "down-given-up") {
    found->second.state = Name(State::kApplied);
    found->second.about["down_run"] = "";
  } else if (what == "down-begin") {
    found->second.state = Name(State::kReverting);
    found->second.about["down_run"] = Text(Payload(event), "run");
  }
}

class Comparing {
 public:
  explicit Comparing(const Applied& row) : row_(row) {}

  std::vector<std::string> Compare(const Expected& expected) {
    const std::string state(Name(row_.state));
    const bool either = expected.state.empty() &&
                        (row_.state == State::kApplied || row_.state == State::kUnverified);
    if (!either && state != expected.state)
      Differs("state", state, expected.state.empty() ? "applied" : expected.state);
    Check(expected, "title", row_.title);
    Check(expected, "file", row_.file);
    Check(expected, "format", row_.format);
    Check(expected, "sha256", row_.sums.bytes);
    Check(expected, "text_sha256", row_.sums.text);
    Check(expected, "statements_sha256", row_.sums.statements);
    Check(expected, "run", row_.run);
    Check(expected, "down_run", row_.down_run);
    Check(expected, "applied_by", row_.applied_by);
    CheckJson(expected, "header", row_.header);
    CheckJson(expected, "has_verify", row_.has_verify ? "true" : "false");
    return std::move(found_);
  }

 private:
  void Differs(std::string_view what, std::string_view is, std::string_view was) {
    found_.push_back(fmt::format("{} is {}, and the log says {}", what, is.empty() ? "empty" : is,
                                 was.empty() ? "empty" : was));
  }
  void Check(const Expected& expected, std::string_view key, const std::string& is) {
    if (!expected.about.contains(key)) return;
    const std::string was = Text(expected.about, key);
    if (was != is) Differs(key, is, was);
  }
  void CheckJson(const Expected& expected, std::string_view key, const std::string& is) {
    const auto* was = expected.about.if_contains(key);
    if (was != nullptr && json::parse(is) != *was) Differs(key, is, json::serialize(*was));
  }

  const Applied& row_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<Divergence> CompareWithLog(const std::vector<Event>& events,
                                       const std::vector<Applied>& applied) {
  Replay replay;
  for (const Event& event : events) replay.Take(event);
  ByVersion expected = replay.Rows();
  std::vector<Divergence> found;
  const auto add = [&](const std::string& version, std::string what, std::string next) {
    found.push_back({Difference::kByHand, version, std::move(what), std::move(next)});
  };
  for (const Applied& row : applied) {
    const auto known = expected.find(row.version);
    if (known == expected.end()) {
      add(row.version,
          fmt::format("{} is a row of pgalter.migration that the audit log does not know: it was "
                      "put in by hand",
                      row.version),
          fmt::format("if it is applied: pgalter repair {} --yes; if it is not: pgalter repair {} "
                      "--forget --yes",
                      row.version, row.version));
      continue;
    }
    const auto differences = Comparing(row).Compare(known->second);
    expected.erase(known);
    if (differences.empty()) continue;
    add(row.version,
        fmt::format("the row of {} in pgalter.migration was changed by hand: {}", row.version,
                    fmt::join(differences, "; ")),
        fmt::format("set it back to what the log says (pgalter history); or take it as it is now: "
                    "pgalter repair {} --yes",
                    row.version));
  }
  for (const auto& [version, row] : expected)
    add(version,
        fmt::format("{} ({}) is in the audit log, and its row of pgalter.migration is not there: "
                    "it was deleted by hand",
                    version, Text(row.about, "file")),
        fmt::format("if it is applied: pgalter baseline {} --yes; if it is not: pgalter repair {} "
                    "--forget --yes",
                    version, version));
  return found;
}

}  // namespace pgalter::history
