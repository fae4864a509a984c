#include "planner/plan/render/cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/estimate.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

constexpr double kInstant = 0.2;

// Of seconds that were measured: "40 ms", "1.2 s", "3 min".
std::string Measured(double seconds) {
  constexpr double kMilli = 1e3;
  constexpr double kLong = 120;
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * kMilli);
  return seconds < kLong ? fmt::format("{:.1f} s", seconds) : SecondsInWords(seconds);
}

}  // namespace

std::string Shortened(std::string line) {
  constexpr std::size_t kLongest = 240;
  if (line.size() <= kLongest) return line;
  std::size_t cut = kLongest;
  // Not through the middle of a character.
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) --cut;
  line.resize(cut);
  return line + " …";
}

std::string AnswerCell(const Statement& statement) {
  switch (statement.answer) {
    case Answer::kAsIs:
      return "runs as it is";
    case Answer::kRewritten:
      return fmt::format("rewritten: {}", statement.recipe);
    case Answer::kLeastBad:
      return statement.recipe.empty()
                 ? "NOT ONLINE: runs as it is"
                 : fmt::format("NOT ONLINE: {}, the least bad way", statement.recipe);
    case Answer::kRefused:
      return "REFUSED";
    case Answer::kFails:
      return "CANNOT BE DONE";
  }
  return "";
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool blank = byte <= 0x20 || byte == 0x7f;
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string LockCell(const Step& step) {
  std::string cell;
  for (const bool reads : {true, false}) {
    for (const StepLock& lock : step.locks) {
      if (!locks::BlocksWrites(lock.mode) || locks::BlocksReads(lock.mode) != reads) continue;
      if (!cell.empty()) cell += '\n';
      cell += fmt::format("{} {}: {} wait", Show(lock.relation), locks::Name(lock.mode),
                          reads ? "all" : "writers");
    }
  }
  return cell;
}

std::string WorkCell(const Step& step) {
  if (step.kind == StepKind::kBackfill || step.kind == StepKind::kSplitCopy)
    return "rows in chunks";
  if (step.kind == StepKind::kRebuild) return "copied beside itself";
  if (step.table_rewrite) return "TABLE REWRITE";
  return step.table_scan ? "scan" : "";
}

std::string TimeCell(const Step& step) {
  if (step.gate) {
    return step.gate->soak_s > 0
               ? fmt::format("at least {}", SecondsInWords(static_cast<double>(step.gate->soak_s)))
               : "until opened";
  }
  std::string cell = "?";
  if (step.duration) cell = InWords(*step.duration);
  if (step.duration && step.duration->high_s <= kInstant) cell = "instant";
  if (!step.rehearsed) return cell;
  return fmt::format("{}; rehearsed {} on {:.10}: {}", cell,
                     step.rehearsed->rows > 0 ? fmt::format("with {} rows", step.rehearsed->rows)
                                              : std::string("without rows"),
                     step.rehearsed->at, Measured(step.rehearsed->seconds));
}

std::string CompatibleCell(const Step& step) {
  if (step.kind == StepKind::kGate) return "";
  return step.backward_compatible ? "old + new" : "NEW ONLY";
}

std::string UndoCell(const Step& step) {
  if (step.point_of_no_return) return "NO WAY BACK";
  if (step.undo.empty() && step.kind == StepKind::kDropIndex) return "built anew";
  if (step.kind == StepKind::kRebuild) return "the old table, with what users wrote since";
  if (!step.undo.empty())
    return Shortened(OneLine(step.undo.front())) + (step.undo.size() > 1 ? " …" : "");
  return step.kind == StepKind::kGate ? "" : "nothing to undo";
}

std::vector<std::string> RunsLines(const Step& step) {
  std::vector<std::string> lines;
  if (step.gate) lines.push_back(fmt::format("GATE {}: {}", step.gate->name, step.gate->reason));
  for (const std::string& sql : step.sql) lines.push_back(Shortened(OneLine(sql)));
  return lines;
}

}  // namespace pgalter::plan
