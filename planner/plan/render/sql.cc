#include <fmt/format.h>

#include "planner/plan/render/cells.h"
#include "planner/plan/render/format.h"

namespace pgalter::plan {

namespace {

// For psql. Below deadlock_timeout, so that nobody is kept waiting for long.
constexpr std::string_view kLockTimeout = "SET LOCAL lock_timeout = '500ms';\n";

std::string Commented(std::string_view text) { return fmt::format("-- {}\n", OneLine(text)); }

// As a shell reads it.
std::string Word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

std::string RebuildCommand(const Rebuild& rebuild) {
  std::string command = "pgalter rebuild " + Word(rebuild.table);
  for (const Rebuild::Companion& other : rebuild.companions) command += ' ' + Word(other.table);
  const auto alter = [&](const std::string& table, const std::string& actions) {
    if (actions.empty()) return;
    command += " --alter ";
    command += Word(rebuild.companions.empty() ? actions : table + ": " + actions);
  };
  alter(rebuild.table, rebuild.alter);
  for (const Rebuild::Companion& other : rebuild.companions) alter(other.table, other.alter);
  for (const std::string& map : rebuild.maps) command += " --map " + Word(map);
  if (!rebuild.order_by.empty()) command += " --order-by " + Word(rebuild.order_by);
  if (rebuild.rebuild_matviews) command += " --rebuild-matviews";
  return command;
}

std::string StepSql(const Step& step) {
  std::string text = fmt::format("-- step {} ({})\n", step.id, Name(step.phase));
  if (!step.explain.empty()) text += Commented(step.explain);
  if (step.rebuild) {
    text += "-- A rebuild: no SQL of a few statements does it without an outage.\n";
    for (const std::string& sql : step.sql) text += Commented(sql);
    return text + Commented(RebuildCommand(*step.rebuild)) + '\n';
  }
  if (step.backfill && step.kind == StepKind::kRelease)
    return text + "-- pgalter drops it; these statements alone have made none.\n\n";
  if (step.backfill)
    text += "-- In chunks: pgalter backfill. As one statement it holds every row to its end.\n";
  if (step.kind == StepKind::kSplitCopy)
    text +=
        "-- In chunks, and compared: pgalter run. As one statement it locks every row to its "
        "end.\n";
  if (step.kind == StepKind::kSplitSwap)
    text +=
        "-- pgalter run compares both tables before this, and looks under the lock whether anybody "
        "has\n-- changed the source or the triggers since. These statements alone do not.\n";
  const bool own = step.transaction == Transaction::kOwn && step.kind != StepKind::kGate;
  if (own) text += "BEGIN;\n";
  if (own && step.kind != StepKind::kValidate) text += kLockTimeout;
  for (const std::string& sql : step.sql) text += sql + ";\n";
  if (own) text += "COMMIT;\n";
  if (step.point_of_no_return) text += "-- From here on there is no way back.\n";
  for (const std::string& sql : step.undo) text += Commented("undo: " + sql + ";");
  return text + '\n';
}

}  // namespace

std::string RenderSql(const Plan& plan) {
  std::string text = fmt::format(
      "-- For PostgreSQL {}, run by psql without --single-transaction. Where a lock is not\n"
      "-- obtained, run that transaction again; pgalter run does this by itself.\n\n",
      plan.server_version);
  for (const Statement& statement : plan.statements) {
    text += Commented(statement.sql) + Commented("  " + AnswerCell(statement));
    for (const std::string& remark : statement.remarks) text += Commented("  ! " + remark);
  }
  text += '\n';
  for (const Step& step : plan.steps) text += StepSql(step);
  return text;
}

}  // namespace pgalter::plan
