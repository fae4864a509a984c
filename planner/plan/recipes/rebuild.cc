#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using locks::Reason;

// What else there is to do, besides a rebuild.
std::string Advice(const Situation& situation, const locks::Work& work) {
  constexpr int kVirtual = 18;
  switch (work.reason) {
    case Reason::kGeneratedColumn:
      return situation.version >= kVirtual
                 ? "a VIRTUAL column needs no rewrite; or a plain column, filled by a trigger and "
                   "a backfill"
                 : "a plain column, filled by a trigger and a backfill, needs no rewrite";
    case Reason::kConstrainedDomain:
      return "the domain's base type and a CHECK of the table need no rewrite";
    case Reason::kGenerationExpression:
      return "a new column beside it, and later the old one dropped, is as heavy but can wait";
    case Reason::kPersistence:
      return "a small table is through in a moment: look at its size";
    default:
      return "";
  }
}

const locks::Work* Rewriting(const locks::Effects& effects) {
  const auto found = std::ranges::find_if(effects.works, [](const locks::Work& work) {
    switch (work.reason) {
      case Reason::kGeneratedColumn:
      case Reason::kConstrainedDomain:
      case Reason::kGenerationExpression:
      case Reason::kPersistence:
      case Reason::kVacuumFull:
      case Reason::kCluster:
      case Reason::kTablespace:
      case Reason::kAccessMethod:
        return work.kind == locks::Work::Kind::kRewrite &&
               work.certainty == locks::Certainty::kCertain;
      default:
        return false;
    }
  });
  return found == effects.works.end() ? nullptr : &*found;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* alter = situation.statement.As<sql::ast::AlterTable>();
  if (alter != nullptr && alter->commands.size() > 1) return std::nullopt;
  const locks::Work* work = Rewriting(situation.effects);
  if (work == nullptr || situation.schema.IsNew(work->relation)) return std::nullopt;
  Proposal proposal;
  proposal.answer = Answer::kLeastBad;
  Step step;
  step.kind = StepKind::kRebuild;
  step.phase = Phase::kMigrate;
  step.transaction = Transaction::kNone;
  step.sql = {situation.text};
  step.explain = fmt::format(
      "{} has to be written anew: copied beside itself while it is used, and swapped. This version "
      "of pgalter cannot do that yet; run plainly, the statement holds its lock from beginning to "
      "end.",
      Show(work->relation));
  proposal.steps.push_back(std::move(step));
  if (const std::string advice = Advice(situation, *work); !advice.empty())
    proposal.remarks.push_back(advice);
  return proposal;
}

}  // namespace

const Recipe kRebuild{
    .name = "rebuild",
    .forms =
        "SET LOGGED, SET UNLOGGED, SET TABLESPACE, SET ACCESS METHOD, CLUSTER, VACUUM FULL, a "
        "stored generated column, a column of a constrained domain",
    .steps =
        "a copy of the table through a shadow table: planned, and not run yet; the plan says "
        "what else there is",
    .propose = &Propose};

}  // namespace pgalter::plan
