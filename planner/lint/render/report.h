#pragma once

// Report: what was found, with everything that a renderer needs to show it. Values; the text of the
// files has to outlive it.

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "planner/lint/linter.h"
#include "planner/lint/rule.h"

namespace pgalter::lint {

enum class Paint { kPlain, kColor };

struct Source {
  std::string name;  // as the user gave it
  std::string path;  // from the root of the repository, where there is one: what a code host knows
  std::string_view text;
  bool judged = true;
};

struct Report {
  std::vector<Source> files;  // in the order of what was given to Lint
  Result result;
  std::span<const Rule* const> rules;
  std::set<std::string, std::less<>> baseline;         // fingerprints of what is known and accepted
  std::optional<Severity> fail_on = Severity::kError;  // nullopt: nothing fails
  std::string program_version;
  Paint paint = Paint::kPlain;
};

enum class Standing {
  kCounts,
  kIgnored,     // by a comment in the file
  kInBaseline,  // known before, and accepted
};

[[nodiscard]] Standing StandingOf(const Report& report, const Finding& finding);

// It counts, and is at or above fail_on.
[[nodiscard]] bool Fails(const Report& report, const Finding& finding);

struct Tally {
  int files = 0;  // that were judged
  int files_with_findings = 0;
  int errors = 0;
  int warnings = 0;
  int notes = 0;
  int ignored = 0;
  int in_baseline = 0;
  bool fails = false;
};

[[nodiscard]] Tally TallyOf(const Report& report);

// "3 findings in 2 of 7 files: 1 error, 2 notes; 4 ignored by comments, 1 in the baseline"
[[nodiscard]] std::string SummaryLine(const Tally& tally);

// "ACCESS EXCLUSIVE on orders: reads and writes wait"; empty without a lock.
[[nodiscard]] std::string LockSentence(const Finding& finding);

[[nodiscard]] const Rule* RuleOf(const Report& report, std::string_view id);  // nullptr: none

}  // namespace pgalter::lint
