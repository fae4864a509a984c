// What lint says of a script that is run on the database of tests/lint/base.sql.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/lint/linter.h"
#include "tests/support/lint_case.h"

namespace pgalter::test {

inline std::vector<lint::Finding> FindingsOn(std::string_view sql, lint::Options options = {},
                                             lint::Sending sending = lint::Sending::kOneByOne) {
  static const std::string base_text = ReadLintBase();
  lint::File base;
  base.name = "base.sql";
  base.text = base_text;
  base.judged = false;
  lint::File file;
  file.name = "script.sql";
  file.text = sql;
  file.parts = {{{0, sql.size()}, sending}};
  return lint::Lint({base, file}, options).findings;
}

// "error", "warning", "note"; empty: it says nothing.
inline std::string VerdictOf(const std::vector<lint::Finding>& findings, std::string_view rule) {
  for (const lint::Finding& finding : findings)
    if (finding.rule == rule) return std::string(lint::Name(finding.severity));
  return {};
}

// Of errors and warnings, one a line.
inline std::string Complaints(const std::vector<lint::Finding>& findings) {
  std::string text;
  for (const lint::Finding& finding : findings)
    if (finding.severity != lint::Severity::kNote)
      text.append(finding.rule).append(": ").append(finding.message).append("\n");
  return text;
}

// The script after the fixes of that rule.
inline std::string Fixed(std::string_view sql, std::string_view rule) {
  std::string text(sql);
  const auto findings = FindingsOn(sql);
  for (auto finding = findings.rbegin(); finding != findings.rend(); ++finding) {
    if (finding->rule != rule) continue;
    for (auto edit = finding->fix.rbegin(); edit != finding->fix.rend(); ++edit)
      text.replace(edit->span.begin, edit->span.end - edit->span.begin, edit->text);
  }
  return text;
}

struct FoundCase {
  std::string name;
  std::string sql;
  std::string rule;
  std::string severity;
  int server_version = 15;
};

struct SilentCase {
  std::string name;
  std::string sql;
  int server_version = 15;
};

template <class Case>
std::string CaseName(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

inline lint::Options ForVersion(int server_version) {
  lint::Options options;
  options.server_version = server_version;
  return options;
}

}  // namespace pgalter::test
