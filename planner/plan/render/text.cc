#include <fmt/format.h>

#include "planner/plan/render/cells.h"
#include "planner/plan/render/format.h"

namespace pgalter::plan {

namespace {

// One step as a block: the SQL on lines of its own, since it is as wide as it is, then what it
// means on one line.
void AddStep(const Step& step, std::string& text) {
  text += fmt::format("  {:<9} {:<22}", Name(step.phase), step.id);
  std::string facts;
  const auto add = [&](const std::string& fact) {
    if (fact.empty()) return;
    if (!facts.empty()) facts += " | ";
    std::string joined;
    for (const char c : fact) joined += c == '\n' ? "; " : std::string(1, c);
    facts += OneLine(joined);
  };
  if (step.kind != StepKind::kGate) {
    const std::string locks = LockCell(step);
    add(locks.empty() ? "nobody waits" : locks);
    add(WorkCell(step));
  }
  add(TimeCell(step));
  add(CompatibleCell(step));
  text += facts + '\n';
  for (const std::string& line : RunsLines(step)) text += fmt::format("      {}\n", line);
  if (!step.explain.empty() && !step.gate) text += fmt::format("      -- {}\n", step.explain);
  if (step.kind != StepKind::kGate) text += fmt::format("      undo: {}\n", UndoCell(step));
}

void AddStatement(const Statement& statement, std::size_t number, std::string& text) {
  text += fmt::format("{}. {}\n   {}\n", number, OneLine(statement.sql), AnswerCell(statement));
  for (const std::string& remark : statement.remarks) text += fmt::format("   ! {}\n", remark);
}

}  // namespace

std::string RenderText(const Plan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.statements.size(); ++i)
    AddStatement(plan.statements[i], i + 1, text);
  if (plan.statements.empty()) text += "no statement\n";
  if (!plan.steps.empty()) text += "\nSteps\n";
  for (const Step& step : plan.steps) AddStep(step, text);
  text += '\n';
  switch (plan.knowledge) {
    case Knowledge::kNone:
      text += fmt::format(
          "For PostgreSQL {}. The database is not known: types, sizes, partitions and dependants "
          "come from these statements alone. Give --dsn, or --schema and a dump.\n",
          plan.server_version);
      break;
    case Knowledge::kDump:
      text += fmt::format(
          "For PostgreSQL {}, from a dump: sizes are not known, so there are no times. Give --dsn "
          "for them.\n",
          plan.server_version);
      break;
    case Knowledge::kLive:
      text += fmt::format(
          "For PostgreSQL {}, from the live database. Times are without the waiting for locks.\n",
          plan.server_version);
      break;
  }
  return text;
}

}  // namespace pgalter::plan
