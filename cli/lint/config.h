// [lint] of pgalter.toml:
//
//   [lint]
//   paths = ["migrations"]              # beside this file
//   ignore = ["migrations/2019*"]       # history: it builds the schema and is not judged
//   format = "flyway"
//   server_version = 15
//   transaction = "by-format"           # or always, never
//   assume_lock_timeout = "2s"          # the role, the database or the runner sets it
//   assume_statement_timeout = "1min"
//   fail_on = "error"                   # or warning, note, never
//   baseline = "lint-baseline.json"
//   small_rows = 10000
//   required_columns = ["created_at"]
//   [lint.rules]
//   drop-column = "note"                # error, warning, note, on, off
//   [lint.naming]
//   index = "^ix_"
#pragma once

#include <string>

#include "cli/lint/settings.h"

namespace pgalter::cli {

// Throws Rejected (usage).
void ReadLintConfig(const std::string& file, LintSettings& settings);

// What a flag and the file have in common. Each throws Rejected (usage); `where` says where the
// text stands.
void SetServerVersion(LintSettings& settings, const std::string& where, std::int64_t version);
void SetFormat(LintSettings& settings, const std::string& where, const std::string& name);
void SetFailOn(LintSettings& settings, const std::string& where, const std::string& text);
void SetRunner(LintSettings& settings, const std::string& where, const std::string& text);
// on, off, error, warning or note. "all" stands for every rule.
void SetRule(LintSettings& settings, const std::string& where, const std::string& rule,
             const std::string& level);
std::chrono::milliseconds ReadTimeout(const std::string& where, const std::string& text);

}  // namespace pgalter::cli
