#pragma once

// What decides how Lint judges. Comes from pgalter.toml's [lint] and the command line; nothing here
// reads either.

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "planner/lint/finding.h"

namespace pgalter::lint {

enum class Runner {
  kByFormat,     // what the migration tool is known to do
  kTransaction,  // every file in one
  kAutocommit,   // only what the file itself begins
};

struct Options {
  int server_version = 15;  // major
  Runner runner = Runner::kByFormat;
  // The runner, the role or the database sets them: then no rule asks for them.
  std::optional<std::chrono::milliseconds> assumed_lock_timeout;
  std::optional<std::chrono::milliseconds> assumed_statement_timeout;
  std::set<std::string, std::less<>> off;                   // rule ids
  std::set<std::string, std::less<>> on;                    // of those that are off by default
  std::map<std::string, Severity, std::less<>> severities;  // by rule id
  std::map<std::string, std::string, std::less<>> naming;   // object kind -> regular expression
  std::set<std::string, std::less<>> required_columns;      // of new tables
  // What is smaller is a note: nobody notices.
  std::int64_t small_rows = 10'000;
};

}  // namespace pgalter::lint
