#pragma once

// Finding: one thing that a rule says of one statement. Pure values; how they are shown is
// render's affair.

#include <optional>
#include <string>
#include <vector>

#include "planner/locks/lock_mode.h"
#include "planner/sql/script.h"

namespace pgalter::lint {

// error: an outage, a failure or lost data; warning: it may be, by what is not known here, or it is
// small; note: style.
enum class Severity { kNote, kWarning, kError };

enum class Category { kRewrite, kScan, kLock, kTransaction, kFailure, kData, kClient, kStyle };

[[nodiscard]] std::string_view Name(Severity severity);
[[nodiscard]] std::optional<Severity> SeverityFromName(std::string_view name);
[[nodiscard]] std::string_view Name(Category category);

struct LockTaken {
  locks::LockMode mode = locks::LockMode::kAccessExclusive;
  std::string relation;
};

// Bytes of the file that a fix replaces; an empty span inserts.
struct Edit {
  sql::Span span;
  std::string text;
};

struct Finding {
  std::string rule;
  Severity severity = Severity::kWarning;
  Category category = Category::kStyle;
  int file = 0;    // index in what was given to Lint
  sql::Span span;  // of the file's bytes
  std::string message;
  std::string remedy;
  std::optional<LockTaken> lock;
  bool table_rewrite = false;
  bool table_scan = false;
  std::vector<Edit> fix;    // all or none; empty: no single safe form
  std::string suppressed;   // the reason that an ignore comment gives; empty: not suppressed
  std::string fingerprint;  // the same when lines move: of path, rule, statement, occurrence
};

}  // namespace pgalter::lint
