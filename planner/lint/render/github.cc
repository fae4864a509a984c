// GitHub's workflow commands: annotations at the lines of a pull request, printed into the log of a
// step. GitHub shows ten of a level a step.
#include <fmt/format.h>

#include "planner/lint/render/format.h"
#include "planner/lint/render/places.h"
#include "planner/lint/render/unicode.h"
#include "planner/lint/render/uri.h"

namespace pgalter::lint {

namespace {

enum class Where { kMessage, kProperty };

std::string Escaped(std::string_view text, Where where) {
  std::string escaped;
  for (const char c : ValidUtf8(text)) {
    const bool separator = where == Where::kProperty && (c == ':' || c == ',');
    if (c == '%' || c == '\r' || c == '\n' || separator) {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string_view Level(Severity severity) {
  return severity == Severity::kNote ? "notice" : Name(severity);
}

// Columns only within one line: GitHub refuses an annotation that has them over several.
std::string Columns(const Region& region) {
  if (region.begin.line != region.end.line) return {};
  return fmt::format(",col={},endColumn={}", region.begin.column, region.end.column);
}

}  // namespace

std::string RenderGithub(const Report& report) {
  Places places(report);
  std::string text;
  for (const Finding& finding : report.result.findings) {
    if (StandingOf(report, finding) != Standing::kCounts) continue;
    const Region region = places.Of(finding);
    const Source& file = report.files.at(static_cast<std::size_t>(finding.file));
    std::string message = finding.message;
    if (const std::string lock = LockSentence(finding); !lock.empty()) message += "\nLock: " + lock;
    if (!finding.remedy.empty()) message += "\nInstead: " + finding.remedy;
    text += fmt::format("::{} file={},line={},endLine={}{},title={}::{}\n", Level(finding.severity),
                        Escaped(HostPath(file.path), Where::kProperty), region.begin.line,
                        region.end.line, Columns(region), Escaped(finding.rule, Where::kProperty),
                        Escaped(message, Where::kMessage));
  }
  return text + SummaryLine(TallyOf(report)) + "\n";
}

}  // namespace pgalter::lint
