// Reports of lint made by hand, for the tests of its formats.
#pragma once

#include <array>
#include <boost/json/value.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "planner/lint/render/report.h"

namespace pgalter::test {

inline constexpr lint::Rule kIndexRule{
    .id = "create-index-non-concurrent",
    .title = "Index built without CONCURRENTLY",
    .category = lint::Category::kScan,
    .severity = lint::Severity::kError,
    .effect = "SHARE on the table for the whole build.",
    .remedy = "CREATE INDEX CONCURRENTLY.",
};
inline constexpr lint::Rule kParseErrorRule{
    .id = "parse-error",
    .title = "Not read",
    .category = lint::Category::kFailure,
    .severity = lint::Severity::kWarning,
    .effect = "What is not understood is not judged.",
    .remedy = "Look at it.",
};
inline constexpr std::array<const lint::Rule*, 2> kSomeRules = {&kIndexRule, &kParseErrorRule};

// One file without findings. `text` has to outlive the report.
inline lint::Report MakeReport(const std::string& name, std::string_view text) {
  lint::Report report;
  report.files = {{name, name, text, true}};
  report.rules = kSomeRules;
  report.program_version = "1.2.3";
  return report;
}

// An error on the first place where `part` stands in the first file.
inline lint::Finding FindingAt(const lint::Report& report, std::string_view part) {
  const std::size_t begin = report.files.front().text.find(part);
  if (begin == std::string_view::npos) throw std::invalid_argument(std::string(part));
  lint::Finding finding;
  finding.rule = kIndexRule.id;
  finding.severity = lint::Severity::kError;
  finding.category = lint::Category::kScan;
  finding.span = {begin, begin + part.size()};
  finding.message = "writes wait for the build";
  finding.remedy = kIndexRule.remedy;
  finding.lock = lint::LockTaken{locks::LockMode::kShare, "orders"};
  finding.table_scan = true;
  finding.fingerprint = "0123456789abcdef" + std::to_string(begin);
  return finding;
}

// By JSON pointer.
inline boost::json::value At(const boost::json::value& document, std::string_view pointer) {
  return document.at_pointer(pointer);
}

}  // namespace pgalter::test
