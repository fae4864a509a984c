// GitLab's Code Quality report: a flat array. What comments and the baseline silence is left out.
// Two entries of one fingerprint would be one to GitLab.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "planner/lint/render/format.h"
#include "planner/lint/render/places.h"
#include "planner/lint/render/unicode.h"
#include "planner/lint/render/uri.h"

namespace pgalter::lint {

namespace json = boost::json;

namespace {

std::string_view SeverityOf(const Finding& finding) {
  switch (finding.severity) {
    case Severity::kError:
      return "critical";
    case Severity::kWarning:
      return "major";
    case Severity::kNote:
      break;
  }
  return "info";
}

std::string Description(const Finding& finding) {
  std::string text = ValidUtf8(finding.message);
  if (!finding.remedy.empty()) text += ". Instead: " + ValidUtf8(finding.remedy);
  return text;
}

}  // namespace

std::string RenderGitlab(const Report& report) {
  Places places(report);
  std::map<std::string, int> seen;
  json::array issues;
  for (const Finding& finding : report.result.findings) {
    if (StandingOf(report, finding) != Standing::kCounts) continue;
    const Region region = places.Of(finding);
    const Source& file = report.files.at(static_cast<std::size_t>(finding.file));
    const int before = seen[finding.fingerprint]++;
    issues.push_back(json::object{
        {"description", Description(finding)},
        {"check_name", ValidUtf8(finding.rule)},
        {"fingerprint",
         before == 0 ? finding.fingerprint : fmt::format("{}.{}", finding.fingerprint, before)},
        {"severity", SeverityOf(finding)},
        {"location",
         {{"path", HostPath(file.path)},
          {"lines", {{"begin", region.begin.line}, {"end", region.end.line}}}}}});
  }
  return json::serialize(issues) + "\n";
}

}  // namespace pgalter::lint
