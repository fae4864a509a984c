#pragma once

// sqitch.plan as values. Lenient: a line without a time or a planner is read as far as it goes, and
// says so. Pure.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::formats {

struct SqitchDependency {
  std::string project;  // empty: the plan's own
  std::string change;
  std::string tag;  // without its @
  std::string id;   // instead of a name
  bool conflict = false;
  std::string text;  // as sqitch keeps it

  bool operator==(const SqitchDependency&) const = default;
};

// Of a change or a tag: when and by whom it was planned, and what was said about it.
struct SqitchPlanned {
  std::string at;  // "2026-01-02T03:04:05Z"; empty: the line lacks it
  std::string name;
  std::string email;
  std::string note;

  bool operator==(const SqitchPlanned&) const = default;
};

struct SqitchTag {
  std::string name;  // without its @
  SqitchPlanned planned;
};

struct SqitchChange {
  std::string name;
  std::string script;  // of its files, without .sql: "users", or "users@v1" once it was reworked
  std::vector<SqitchDependency> dependencies;  // what it requires, then what it conflicts with
  SqitchPlanned planned;
  std::vector<SqitchTag> tags;
  int line = 1;
};

struct SqitchPlan {
  std::string project;
  std::string uri;
  std::vector<SqitchChange> changes;
};

[[nodiscard]] SqitchPlan ReadSqitchPlan(std::string_view text);

}  // namespace pgalter::formats
