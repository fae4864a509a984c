#include "planner/plan/annotate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "planner/locks/effects.h"
#include "planner/plan/estimate.h"
#include "planner/plan/firing.h"
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
      return work.reason == locks::Reason::kTruncate ? "is emptied" : "is written anew";
    case Work::Kind::kScan:
      return "is read whole";
    case Work::Kind::kBuild:
      return "has an index built";
  }
  return "";
}

struct ByText {
  bool operator()(const sql::QualifiedName& a, const sql::QualifiedName& b) const {
    return sql::ToString(a) < sql::ToString(b);
  }
};

// What relations that have been renamed since some moment were called then.
class FormerNames {
 public:
  void Note(const sql::QualifiedName& from, const sql::QualifiedName& to) {
    former_[to] = Of(from);
    former_.erase(from);
  }
  [[nodiscard]] const sql::QualifiedName& Of(const sql::QualifiedName& name) const {
    const auto found = former_.find(name);
    return found == former_.end() ? name : found->second;
  }

 private:
  std::map<sql::QualifiedName, sql::QualifiedName, ByText> former_;
};

// The server's own, which the plan's queries read.
bool IsCatalog(const sql::QualifiedName& relation) {
  return relation.schema == "pg_catalog" || relation.schema == "information_schema";
}

bool IsRelation(sql::ast::ObjectKind kind) {
  return kind == sql::ast::ObjectKind::kTable || kind == sql::ast::ObjectKind::kView;
}

// Code that somebody wrote, and statements that are not understood: what they lock and how long
// they take is not told by their text. The blocks that a plan makes itself are no such code.
bool IsOpaque(const sql::ast::Statement& statement, std::string_view text) {
  if (statement.As<sql::ast::DoBlock>() != nullptr) return !text.starts_with("DO $pgalter$");
  return statement.As<sql::ast::Call>() != nullptr || statement.As<sql::ast::Other>() != nullptr ||
         statement.As<sql::ast::Extension>() != nullptr ||
         statement.As<sql::ast::MoveTablespace>() != nullptr;
}

class Annotator {
 public:
  Annotator(Plan& plan, catalog::Schema& schema, const Firing& firing)
      : plan_(plan), schema_(schema), before_(schema), firing_(firing) {}

  void Run() {
    for (Step& step : plan_.steps) Take(step);
    plan_.relations = {relations_.begin(), relations_.end()};
  }

 private:
  void Take(Step& step);
  void FollowNames(const sql::ast::Statement& statement);
  // Made by the plan, under a name that nobody uses yet: a view that has a table's name is used.
  [[nodiscard]] bool IsNobodys(const sql::QualifiedName& relation) const {
    return IsCatalog(relation) ||
           (schema_.IsNew(relation) && before_.FindTable(relation) == nullptr);
  }
  void TakeLocks(Step& step, const Effects& effects);
  void TakeWorks(Step& step, const Effects& effects);
  void TakeTriggers(const Step& step);
  void Remark(const Step& step, std::string text);

  Plan& plan_;
  catalog::Schema& schema_;
  const catalog::Schema before_;
  const Firing& firing_;  // the whole plan
  FormerNames in_step_;
  FormerNames in_plan_;
  std::set<sql::QualifiedName, ByText> relations_;
};

void Annotator::Take(Step& step) {
  Estimate estimate(schema_);
  in_step_ = FormerNames();
  TakeTriggers(step);
  bool opaque = false;
  for (const std::string& text : step.sql) {
    const auto statement = Read(text);
    if (!statement || IsOpaque(*statement, text)) {
      opaque = true;
      Remark(step, "what it locks, and for how long, is not known here: try it on a copy");
    }
    if (!statement) continue;
    const Effects effects = locks::EffectsOf(*statement, schema_, plan_.server_version);
    TakeLocks(step, effects);
    TakeWorks(step, effects);
    estimate.Add(step, effects);
    FollowNames(*statement);
    schema_.Apply(*statement);
  }
  if (!opaque) step.duration = estimate.Total(step);
}

void Annotator::FollowNames(const sql::ast::Statement& statement) {
  sql::QualifiedName from;
  sql::QualifiedName to;
  if (const auto* rename = statement.As<sql::ast::Rename>()) {
    if (!IsRelation(rename->kind)) return;
    from = schema_.Resolve(rename->name);
    to = Beside(from, rename->new_name);
  } else if (const auto* move = statement.As<sql::ast::SetSchema>()) {
    if (!IsRelation(move->kind)) return;
    from = schema_.Resolve(move->name);
    to = {move->new_schema, from.name};
  } else {
    return;
  }
  in_step_.Note(from, to);
  in_plan_.Note(from, to);
}

void Annotator::TakeLocks(Step& step, const Effects& effects) {
  for (const locks::Lock& lock : effects.locks) {
    if (lock.index || IsNobodys(lock.relation)) continue;
    relations_.insert(in_plan_.Of(lock.relation));
    const sql::QualifiedName& relation = in_step_.Of(lock.relation);
    const auto known = std::ranges::find(step.locks, relation, &StepLock::relation);
    if (known == step.locks.end()) {
      step.locks.push_back({relation, lock.mode});
    } else if (Weight(lock.mode) > Weight(known->mode)) {
      known->mode = lock.mode;
    }
  }
}

void Annotator::TakeWorks(Step& step, const Effects& effects) {
  for (const Work& work : effects.works) {
    if (IsNobodys(work.relation)) continue;
    const bool certain = work.certainty == locks::Certainty::kCertain;
    // The copy is no rewrite under a lock: the rows are read while everybody works.
    const bool rewrite = work.kind == Work::Kind::kRewrite && step.kind != StepKind::kRebuild;
    step.table_rewrite = step.table_rewrite || rewrite;
    step.table_scan = step.table_scan || !rewrite;
    // A chunk holds its rows for a moment; a rebuild copies beside the table.
    if (step.kind == StepKind::kBackfill || step.kind == StepKind::kRebuild ||
        step.kind == StepKind::kSplitCopy)
      continue;
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

void Annotator::TakeTriggers(const Step& step) {
  const Statement& statement = plan_.statements.at(static_cast<std::size_t>(step.statement));
  if (step.kind != StepKind::kBackfill || !step.backfill || statement.recipe == "update-rows")
    return;
  std::string about = AboutTriggers(schema_, *step.backfill, firing_);
  if (!about.empty()) Remark(step, std::move(about));
}

void Annotator::Remark(const Step& step, std::string text) {
  auto& remarks = plan_.statements.at(static_cast<std::size_t>(step.statement)).remarks;
  if (std::ranges::find(remarks, text) == remarks.end()) remarks.push_back(std::move(text));
}

}  // namespace

void Annotate(Plan& plan, catalog::Schema schema, const Firing& firing) {
  Annotator(plan, schema, firing).Run();
}

}  // namespace pgalter::plan
