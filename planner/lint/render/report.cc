#include "planner/lint/render/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pgalter::lint {

namespace {

std::string Counted(int count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

Standing StandingOf(const Report& report, const Finding& finding) {
  if (!finding.suppressed.empty()) return Standing::kIgnored;
  return report.baseline.contains(finding.fingerprint) ? Standing::kInBaseline : Standing::kCounts;
}

bool Fails(const Report& report, const Finding& finding) {
  return report.fail_on && finding.severity >= *report.fail_on &&
         StandingOf(report, finding) == Standing::kCounts;
}

Tally TallyOf(const Report& report) {
  Tally tally;
  tally.files = static_cast<int>(std::ranges::count_if(report.files, &Source::judged));
  std::set<int> files;
  for (const Finding& finding : report.result.findings) {
    const Standing standing = StandingOf(report, finding);
    tally.ignored += standing == Standing::kIgnored ? 1 : 0;
    tally.in_baseline += standing == Standing::kInBaseline ? 1 : 0;
    if (standing != Standing::kCounts) continue;
    files.insert(finding.file);
    tally.errors += finding.severity == Severity::kError ? 1 : 0;
    tally.warnings += finding.severity == Severity::kWarning ? 1 : 0;
    tally.notes += finding.severity == Severity::kNote ? 1 : 0;
    tally.fails = tally.fails || Fails(report, finding);
  }
  tally.files_with_findings = static_cast<int>(files.size());
  return tally;
}

std::string SummaryLine(const Tally& tally) {
  std::vector<std::string> kinds;
  if (tally.errors > 0) kinds.push_back(Counted(tally.errors, "error"));
  if (tally.warnings > 0) kinds.push_back(Counted(tally.warnings, "warning"));
  if (tally.notes > 0) kinds.push_back(Counted(tally.notes, "note"));
  std::vector<std::string> silent;
  if (tally.ignored > 0) silent.push_back(fmt::format("{} ignored by comments", tally.ignored));
  if (tally.in_baseline > 0) silent.push_back(fmt::format("{} in the baseline", tally.in_baseline));
  std::string line;
  if (kinds.empty()) {
    line = fmt::format("no findings in {}", Counted(tally.files, "file"));
  } else {
    line = fmt::format(
        "{} in {} of {}: {}", Counted(tally.errors + tally.warnings + tally.notes, "finding"),
        tally.files_with_findings, Counted(tally.files, "file"), fmt::join(kinds, ", "));
  }
  if (!silent.empty()) line += fmt::format("; {}", fmt::join(silent, ", "));
  return line;
}

std::string LockSentence(const Finding& finding) {
  if (!finding.lock) return {};
  const locks::LockMode mode = finding.lock->mode;
  std::string_view waiting = "reads and writes go on";
  if (locks::BlocksReads(mode)) {
    waiting = "reads and writes wait";
  } else if (locks::BlocksWrites(mode)) {
    waiting = "writes wait";
  }
  return fmt::format("{} on {}: {}", locks::Name(mode), finding.lock->relation, waiting);
}

const Rule* RuleOf(const Report& report, std::string_view id) {
  for (const Rule* rule : report.rules)
    if (rule->id == id) return rule;
  return nullptr;
}

}  // namespace pgalter::lint
