#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/render/cells.h"
#include "planner/plan/render/format.h"

namespace pgalter::plan {

namespace {

// For a table's cell: what would end it, and what would be read as HTML.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') {
      cell += "\\|";
    } else if (c == '\n') {
      cell += "<br>";
    } else if (c == '<') {
      cell += "&lt;";
    } else {
      cell += c;
    }
  }
  return cell;
}

// Longer than any run of backticks in it.
std::string Code(const std::string& text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string marks(longest + 1, '`');
  std::string code = marks + (longest > 0 ? " " : "");
  for (const char c : text) code += c == '|' ? std::string("\\|") : std::string(1, c);
  return code + (longest > 0 ? " " : "") + marks;
}

std::string Runs(const Step& step) {
  if (step.gate) return fmt::format("**gate** {}: {}", step.gate->name, Cell(step.gate->reason));
  std::string runs;
  for (const std::string& line : RunsLines(step)) {
    if (!runs.empty()) runs += "<br>";
    runs += Code(line);
  }
  if (!step.explain.empty()) runs += "<br>" + Cell(step.explain);
  return runs;
}

}  // namespace

std::string RenderMarkdown(const Plan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.statements.size(); ++i) {
    const Statement& statement = plan.statements[i];
    text +=
        fmt::format("{}. {}: **{}**\n", i + 1, Code(OneLine(statement.sql)), AnswerCell(statement));
    for (const std::string& remark : statement.remarks) text += fmt::format("   - {}\n", remark);
  }
  text +=
      "\n| step | phase | what runs | who waits | work | time | works with | undo |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const Step& step : plan.steps) {
    const std::string locks = LockCell(step);
    const std::string undo = UndoCell(step);
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", step.id, Name(step.phase),
                        Runs(step), step.gate ? "" : Cell(locks.empty() ? "nobody" : locks),
                        WorkCell(step), TimeCell(step), CompatibleCell(step),
                        step.undo.empty() ? undo : Code(undo));
  }
  return text;
}

}  // namespace pgalter::plan
