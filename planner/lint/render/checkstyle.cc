// Checkstyle's XML, which many viewers read. What comments and the baseline silence is left out.
#include <fmt/format.h>

#include "planner/lint/render/format.h"
#include "planner/lint/render/places.h"
#include "planner/lint/render/xml.h"

namespace pgalter::lint {

namespace {

std::string_view SeverityOf(const Finding& finding) {
  return finding.severity == Severity::kNote ? "info" : Name(finding.severity);
}

std::string Error(const Finding& finding, const Region& region) {
  std::string message = finding.message;
  if (!finding.remedy.empty()) message += ". Instead: " + finding.remedy;
  return fmt::format(
      "    <error line=\"{}\" column=\"{}\" severity=\"{}\" message=\"{}\""
      " source=\"pgalter.{}\"/>\n",
      region.begin.line, region.begin.column, SeverityOf(finding), XmlEscape(message),
      XmlEscape(finding.rule));
}

}  // namespace

std::string RenderCheckstyle(const Report& report) {
  Places places(report);
  std::vector<std::string> errors(report.files.size());
  for (const Finding& finding : report.result.findings)
    if (StandingOf(report, finding) == Standing::kCounts)
      errors.at(static_cast<std::size_t>(finding.file)) += Error(finding, places.Of(finding));
  std::string xml = fmt::format("{}<checkstyle version=\"8.0\">\n", kXmlDeclaration);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (!report.files[i].judged) continue;
    xml += fmt::format("  <file name=\"{}\">\n{}  </file>\n", XmlEscape(report.files[i].name),
                       errors[i]);
  }
  return xml + "</checkstyle>\n";
}

}  // namespace pgalter::lint
