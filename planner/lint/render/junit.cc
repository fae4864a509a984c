// JUnit's XML: a suite a file, a test case a finding; it fails where the finding fails the run. A
// file without findings is one case that passes, so that the report shows that it was read.
#include <fmt/format.h>

#include "planner/lint/render/format.h"
#include "planner/lint/render/places.h"
#include "planner/lint/render/xml.h"

namespace pgalter::lint {

namespace {

struct Suite {
  std::string cases;
  int tests = 0;
  int failures = 0;
  int skipped = 0;
};

std::string Details(const Finding& finding) {
  std::string text = finding.message;
  if (const std::string lock = LockSentence(finding); !lock.empty()) text += "\nLock: " + lock;
  if (!finding.remedy.empty()) text += "\nInstead: " + finding.remedy;
  return XmlEscape(text);
}

std::string Outcome(const Report& report, const Finding& finding) {
  const Standing standing = StandingOf(report, finding);
  if (standing == Standing::kIgnored)
    return fmt::format("<skipped message=\"{}\"/>", XmlEscape(finding.suppressed));
  if (standing == Standing::kInBaseline) return "<skipped message=\"in the baseline\"/>";
  if (Fails(report, finding))
    return fmt::format("<failure message=\"{}\" type=\"{}\">{}</failure>",
                       XmlEscape(finding.message), Name(finding.severity), Details(finding));
  return fmt::format("<system-out>{}: {}</system-out>", Name(finding.severity), Details(finding));
}

void Add(Suite& suite, const Report& report, const Finding& finding, int line) {
  const Source& file = report.files.at(static_cast<std::size_t>(finding.file));
  ++suite.tests;
  suite.failures += Fails(report, finding) ? 1 : 0;
  suite.skipped += StandingOf(report, finding) != Standing::kCounts ? 1 : 0;
  suite.cases +=
      fmt::format("    <testcase classname=\"{}\" name=\"{}:{}\">\n      {}\n    </testcase>\n",
                  XmlEscape(file.name), XmlEscape(finding.rule), line, Outcome(report, finding));
}

}  // namespace

std::string RenderJunit(const Report& report) {
  Places places(report);
  std::vector<Suite> suites(report.files.size());
  for (const Finding& finding : report.result.findings)
    Add(suites.at(static_cast<std::size_t>(finding.file)), report, finding,
        places.Of(finding).begin.line);
  std::string body;
  int tests = 0;
  int failures = 0;
  for (std::size_t i = 0; i < suites.size(); ++i) {
    Suite& suite = suites[i];
    const std::string name = XmlEscape(report.files[i].name);
    if (!report.files[i].judged) continue;
    if (suite.tests == 0) {
      suite.tests = 1;
      suite.cases = fmt::format("    <testcase classname=\"{}\" name=\"no findings\"/>\n", name);
    }
    tests += suite.tests;
    failures += suite.failures;
    body += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n"
        "{}  </testsuite>\n",
        name, suite.tests, suite.failures, suite.skipped, suite.cases);
  }
  return fmt::format(
      "{}<testsuites name=\"pgalter lint\" tests=\"{}\" failures=\"{}\">\n{}</testsuites>\n",
      kXmlDeclaration, tests, failures, body);
}

}  // namespace pgalter::lint
