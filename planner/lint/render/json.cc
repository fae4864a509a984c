// Our own JSON; docs/schemas/lint.json describes it. Columns count characters.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "planner/lint/render/format.h"
#include "planner/lint/render/lock_json.h"
#include "planner/lint/render/places.h"
#include "planner/lint/render/unicode.h"

namespace pgalter::lint {

namespace json = boost::json;

namespace {

json::value SuppressedJson(const Report& report, const Finding& finding) {
  switch (StandingOf(report, finding)) {
    case Standing::kIgnored:
      return json::object{{"by", "comment"}, {"reason", ValidUtf8(finding.suppressed)}};
    case Standing::kInBaseline:
      return json::object{{"by", "baseline"}, {"reason", nullptr}};
    case Standing::kCounts:
      break;
  }
  return nullptr;
}

json::array FixJson(const Finding& finding, Places& places) {
  json::array edits;
  for (const Edit& edit : finding.fix) {
    const Region region = places.Of(finding.file, edit.span);
    edits.push_back(json::object{{"line", region.begin.line},
                                 {"column", region.begin.column},
                                 {"end_line", region.end.line},
                                 {"end_column", region.end.column},
                                 {"begin", edit.span.begin},
                                 {"end", edit.span.end},
                                 {"text", ValidUtf8(edit.text)}});
  }
  return edits;
}

json::object FindingJson(const Report& report, const Finding& finding, Places& places) {
  const Region region = places.Of(finding);
  const Source& file = report.files.at(static_cast<std::size_t>(finding.file));
  return {{"rule", ValidUtf8(finding.rule)},
          {"severity", Name(finding.severity)},
          {"category", Name(finding.category)},
          {"file", ValidUtf8(file.name)},
          {"line", region.begin.line},
          {"column", region.begin.column},
          {"end_line", region.end.line},
          {"end_column", region.end.column},
          {"message", ValidUtf8(finding.message)},
          {"remedy", ValidUtf8(finding.remedy)},
          {"lock", LockJson(finding)},
          {"table_rewrite", finding.table_rewrite},
          {"table_scan", finding.table_scan},
          {"suppressed", SuppressedJson(report, finding)},
          {"fingerprint", finding.fingerprint},
          {"fix", FixJson(finding, places)}};
}

}  // namespace

std::string RenderJson(const Report& report) {
  Places places(report);
  json::array findings;
  for (const Finding& finding : report.result.findings)
    findings.push_back(FindingJson(report, finding, places));
  const Tally tally = TallyOf(report);
  const json::object summary{{"files", tally.files},
                             {"statements", report.result.statements},
                             {"errors", tally.errors},
                             {"warnings", tally.warnings},
                             {"notes", tally.notes},
                             {"ignored", tally.ignored},
                             {"in_baseline", tally.in_baseline},
                             {"failed", tally.fails}};
  const json::object document{
      {"version", 1}, {"findings", std::move(findings)}, {"summary", summary}};
  return json::serialize(document) + "\n";
}

}  // namespace pgalter::lint
