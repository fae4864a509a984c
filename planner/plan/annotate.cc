#include "planner/plan/annotate.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "planner/locks/effects.h"
#include "planner/plan/estimate.h"
#include "planner/plan/steps.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/newer_syntax.h"

namespace pgalter::plan {

namespace {

using locks::Effects;
using locks::LockMode;
using locks::Work;

// How many modes it excludes: of two locks on one table the one that is shown.
int Weight(LockMode mode) {
  return static_cast<int>(std::ranges::count_if(
      locks::kAllLockModes, [&](LockMode other) { return locks::Conflicts(mode, other); }));
}

std::optional<sql::ast::Statement> Read(const std::string& text) {
  auto read = sql::ast::ReadStatement(text);
  if (read) return *std::move(read);
  auto newer = sql::RecogniseNewer(text);
  return newer ? std::move(newer->statement) : std::nullopt;
}

std::string WorkName(const Work& work) {
  switch (work.kind) {
    case Work::Kind::kRewrite:
      return "is written anew";
    case Work::Kind::kScan:
      return "is read whole";
    case Work::Kind::kBuild:
      return "has an index built";
  }
  return "";
}

class Annotator {
 public:
  Annotator(Plan& plan, catalog::Schema& schema) : plan_(plan), schema_(schema) {}

  void Run() {
    for (Step& step : plan_.steps) Take(step);
    plan_.relations = {relations_.begin(), relations_.end()};
  }

 private:
  struct ByText {
    bool operator()(const sql::QualifiedName& a, const sql::QualifiedName& b) const {
      return sql::ToString(a) < sql::ToString(b);
    }
  };

  void Take(Step& step);
  void TakeLocks(Step& step, const Effects& effects);
  void TakeWorks(Step& step, const Effects& effects);
  void Remark(const Step& step, std::string text);

  Plan& plan_;
  catalog::Schema& schema_;
  std::set<sql::QualifiedName, ByText> relations_;
};

void Annotator::Take(Step& step) {
  Estimate estimate(schema_);
  for (const std::string& text : step.sql) {
    const auto statement = Read(text);
    if (!statement) continue;
    const Effects effects = locks::EffectsOf(*statement, schema_, plan_.server_version);
    TakeLocks(step, effects);
    TakeWorks(step, effects);
    estimate.Add(step, effects);
    schema_.Apply(*statement);
  }
  step.duration = estimate.Total(step);
}

void Annotator::TakeLocks(Step& step, const Effects& effects) {
  for (const locks::Lock& lock : effects.locks) {
    if (lock.index || schema_.IsNew(lock.relation)) continue;
    relations_.insert(lock.relation);
    const auto known = std::ranges::find(step.locks, lock.relation, &StepLock::relation);
    if (known == step.locks.end()) {
      step.locks.push_back({lock.relation, lock.mode});
    } else if (Weight(lock.mode) > Weight(known->mode)) {
      known->mode = lock.mode;
    }
  }
}

void Annotator::TakeWorks(Step& step, const Effects& effects) {
  for (const Work& work : effects.works) {
    if (schema_.IsNew(work.relation)) continue;
    const bool certain = work.certainty == locks::Certainty::kCertain;
    step.table_rewrite = step.table_rewrite || work.kind == Work::Kind::kRewrite;
    step.table_scan = step.table_scan || work.kind != Work::Kind::kRewrite;
    // A chunk holds its rows for a moment; a rebuild copies beside the table.
    if (step.kind == StepKind::kBackfill || step.kind == StepKind::kRebuild) continue;
    const auto lock = std::ranges::find_if(effects.locks, [&](const locks::Lock& taken) {
      return !taken.index && taken.relation == work.relation;
    });
    if (!certain && !work.unknown.empty() && work.reason != locks::Reason::kRows)
      Remark(step, fmt::format("not known: {}; if so, {} {}", work.unknown, Show(work.relation),
                               WorkName(work)));
    if (lock == effects.locks.end() || !locks::BlocksWrites(lock->mode)) continue;
    if (!certain) continue;
    const bool reads = locks::BlocksReads(lock->mode);
    Remark(step, fmt::format("{} {} while {} wait", Show(work.relation), WorkName(work),
                             reads ? "readers and writers" : "writers"));
    auto& statement = plan_.statements.at(static_cast<std::size_t>(step.statement));
    if (statement.answer == Answer::kAsIs) statement.answer = Answer::kLeastBad;
  }
}

void Annotator::Remark(const Step& step, std::string text) {
  auto& remarks = plan_.statements.at(static_cast<std::size_t>(step.statement)).remarks;
  if (std::ranges::find(remarks, text) == remarks.end()) remarks.push_back(std::move(text));
}

}  // namespace

void Annotate(Plan& plan, catalog::Schema schema) { Annotator(plan, schema).Run(); }

}  // namespace pgalter::plan
