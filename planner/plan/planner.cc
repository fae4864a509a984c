#include "planner/plan/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "planner/plan/annotate.h"
#include "planner/plan/arrange.h"
#include "planner/plan/fingerprint.h"
#include "planner/plan/firing.h"
#include "planner/plan/inverse.h"
#include "planner/plan/join_rebuilds.h"
#include "planner/plan/order.h"
#include "planner/plan/recipe.h"
#include "planner/plan/recipes/carry.h"
#include "planner/plan/split.h"
#include "planner/plan/steps.h"
#include "planner/sql/line_index.h"
#include "planner/sql/newer_syntax.h"
#include "planner/sql/script.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using sql::Piece;
using sql::PieceKind;

// What a recipe may make a way around; any other refusal of the server ends the matter.
bool HasWayAround(locks::Refusal refusal) {
  using enum locks::Refusal;
  return refusal == kConcurrentOnPartitioned || refusal == kNotValidOnPartitioned ||
         refusal == kColumnInUse || refusal == kDetachWithDefault || refusal == kInTransaction;
}

// Views, policies and triggers are made anew around a change, what a materialized view keeps is
// not: of several that use a column it is the one to name.
bool IsNeverCarried(const locks::Failure& failure) {
  return failure.detail.starts_with("materialized view ");
}

const locks::Failure* CertainFailure(const locks::Effects& effects, bool any) {
  const locks::Failure* first = nullptr;
  for (const locks::Failure& failure : effects.failures) {
    if (failure.certainty != locks::Certainty::kCertain) continue;
    if (!any && HasWayAround(failure.refusal)) continue;
    if (IsNeverCarried(failure)) return &failure;
    if (first == nullptr) first = &failure;
  }
  return first;
}

// Gives a step that is the statement itself its way back, or says that there is none.
void GiveWayBack(const Situation& situation, Step& step, std::vector<std::string>& remarks) {
  auto inverse = InverseOf(situation);
  if (!inverse) {
    step.point_of_no_return = true;
    return;
  }
  if (!inverse->stays.empty())
    remarks.push_back(
        fmt::format("what was there before is not known here: to take the plan back leaves {} as "
                    "it is then",
                    inverse->stays));
  // What was done last is taken back first.
  step.undo.insert(step.undo.begin(), inverse->sql.begin(), inverse->sql.end());
  if (inverse->transaction == Transaction::kNone) step.undo_transaction = Transaction::kNone;
}

Proposal Failing(const locks::Failure& failure) {
  Proposal proposal;
  proposal.answer = Answer::kFails;
  proposal.remarks.push_back(fmt::format(
      "the server refuses it: {}", failure.detail.empty() ? failure.subject : failure.detail));
  if (IsOfPartitionKey(failure.detail))
    proposal.remarks.emplace_back(
        "a copy may be partitioned by another type: pgalter rebuild TABLE --definition FILE, with "
        "the whole new table and its partitions in the file");
  else if (failure.refusal == locks::Refusal::kColumnInUse && IsNeverCarried(failure))
    proposal.remarks.emplace_back(
        "it goes in a statement before, and comes back in one after where it is wanted; or it is "
        "made anew over a copy of the table: --rebuild-matviews");
  else if (failure.refusal == locks::Refusal::kColumnInUse ||
           failure.refusal == locks::Refusal::kDependants)
    proposal.remarks.emplace_back(
        "what uses it goes in a statement before, and comes back in one after where it is wanted");
  return proposal;
}

// Two plain actions of one ALTER TABLE: one step, taken back in the other order.
void Join(Proposal& first, Proposal second) {
  Step& step = first.steps.front();
  const Step& next = second.steps.front();
  step.undo.insert(step.undo.begin(), next.undo.begin(), next.undo.end());
  step.point_of_no_return = step.point_of_no_return || next.point_of_no_return;
  if (next.undo_transaction == Transaction::kNone) step.undo_transaction = Transaction::kNone;
  std::ranges::move(second.remarks, std::back_inserter(first.remarks));
}

// What a key is to old programs besides a rule for rows.
void WarnOfConflicts(const Situation& situation, std::vector<std::string>& remarks) {
  const auto* drop = situation.Command(ast::TableChange::kDropConstraint);
  const catalog::Table* table = drop == nullptr ? nullptr : situation.Table();
  const catalog::Constraint* key = table == nullptr ? nullptr : table->FindConstraint(drop->name);
  if (key == nullptr || key->definition.deferrable || situation.schema.IsNew(table->name)) return;
  if (key->definition.kind == ast::ConstraintKind::kPrimaryKey ||
      key->definition.kind == ast::ConstraintKind::kUnique)
    remarks.push_back(fmt::format(
        "programs that say ON CONFLICT ({}) fail from this step on (42P10), unless another unique "
        "index is of the same columns",
        List(key->definition.columns)));
}

class Planner {
 public:
  Planner(catalog::Schema& schema, const PlanOptions& options)
      : schema_(schema), options_(options) {}

  // `next`: what stands behind it in the script.
  void Take(const Piece& piece, int line, const Piece* next);
  std::vector<StatementSteps> TakeSteps() { return std::move(steps_); }
  std::vector<Statement> TakeStatements() { return std::move(statements_); }

 private:
  void TakeStatement(const ast::Statement& read, const std::string& text);
  // A view that is dropped and made again is gone for nobody: both in one transaction. Whether it
  // is one.
  bool TakeReplacedView(const ast::Statement& read, const std::string& text);
  // Of a session: what a plan has its own of. Whether it was one of these.
  bool TakeSessionStatement(const ast::Statement& read);
  // The name of the recipe that answers; empty: none does.
  static std::string_view Ask(const Situation& situation, Proposal& proposal);
  // The same, or as it is, or why it cannot be.
  std::string_view Propose(const Situation& situation, Proposal& proposal) const;
  [[nodiscard]] Planned PlanAction(const Action& action, const catalog::Schema& schema) const;
  void TakeAlterTable(const ast::Statement& read, const std::string& text);
  void KeepInOrder(std::vector<Planned> actions);
  void Keep(std::string_view recipe, Proposal proposal);
  void Touch(const locks::Effects& effects, const ast::Statement& read);

  catalog::Schema& schema_;
  const PlanOptions& options_;
  std::vector<Statement> statements_;
  std::vector<StatementSteps> steps_;
  const Piece* next_ = nullptr;
  bool joins_ = false;  // the statement that comes next
};

void Planner::Take(const Piece& piece, int line, const Piece* next) {
  if (piece.kind == PieceKind::kComments) return;
  next_ = next;
  Statement& statement = statements_.emplace_back();
  steps_.emplace_back();
  statement.sql = piece.sql;
  statement.line = line;
  if (piece.kind != PieceKind::kStatement) {
    statement.answer = Answer::kFails;
    statement.remarks.emplace_back(piece.kind == PieceKind::kMeta
                                       ? "a command of psql, which no server knows: left out"
                                       : "this is not a whole statement: left out");
    return;
  }
  if (piece.has_placeholder) {
    statement.answer = Answer::kFails;
    statement.remarks.emplace_back("a placeholder stands in it: give the finished SQL");
    return;
  }
  if (auto read = ast::ReadStatement(piece.sql)) return TakeStatement(*read, piece.sql);
  const auto newer = sql::RecogniseNewer(piece.sql);
  if (newer && newer->major > options_.server_version) {
    statement.answer = Answer::kFails;
    statement.remarks.push_back(fmt::format("{} needs PostgreSQL {}", newer->what, newer->major));
  } else if (newer && newer->statement) {
    TakeStatement(*newer->statement, piece.sql);
  } else if (newer) {
    steps_.back().anything = true;
    statement.remarks.push_back(
        fmt::format("{}: what it does is not known here; it runs as it is", newer->what));
    steps_.back().steps.push_back(Ddl(Phase::kExpand, {piece.sql}, {}, ""));
    steps_.back().steps.back().point_of_no_return = true;
  } else {
    statement.answer = Answer::kFails;
    statement.remarks.emplace_back("this is not read as SQL");
  }
}

bool Planner::TakeSessionStatement(const ast::Statement& read) {
  Statement& statement = statements_.back();
  if (const auto* set = read.As<ast::Set>()) {
    if (set->name == "search_path") {
      statement.answer = Answer::kFails;
      statement.remarks.emplace_back(
          "steps have sessions of their own: write names with their schema instead");
    } else {
      statement.remarks.emplace_back("left out: steps have settings of their own");
    }
    return true;
  }
  if (read.As<ast::Transaction>() == nullptr) return false;
  statement.remarks.emplace_back("left out: steps have transactions of their own");
  return true;
}

std::string_view Planner::Ask(const Situation& situation, Proposal& proposal) {
  for (const Recipe* recipe : AllRecipes()) {
    auto proposed = recipe->propose(situation);
    if (!proposed) continue;
    proposal = *std::move(proposed);
    SettleTriggers(situation, proposal);
    return recipe->name;
  }
  return "";
}

std::string_view Planner::Propose(const Situation& situation, Proposal& proposal) const {
  if (const auto* failure = CertainFailure(situation.effects, false)) {
    proposal = Failing(*failure);
    return "";
  }
  if (const auto recipe = Ask(situation, proposal); !recipe.empty()) return recipe;
  if (const auto* failure = CertainFailure(situation.effects, true)) {
    const bool alone = failure->refusal == locks::Refusal::kInTransaction;
    if (!alone) {
      proposal = Failing(*failure);
      return "";
    }
  }
  proposal.answer = Answer::kAsIs;
  proposal.steps.push_back(situation.effects.outside_transaction
                               ? Alone(Phase::kExpand, StepKind::kAutocommit, situation.text, "")
                               : Ddl(Phase::kExpand, {situation.text}, {}, ""));
  GiveWayBack(situation, proposal.steps.back(), proposal.remarks);
  WarnOfConflicts(situation, proposal.remarks);
  return "";
}

void Planner::Touch(const locks::Effects& effects, const ast::Statement& read) {
  StatementSteps& steps = steps_.back();
  for (const locks::Lock& lock : effects.locks) steps.relations.push_back(lock.relation);
  steps.anything = steps.anything || (read.As<ast::AlterTable>() == nullptr &&
                                      read.As<ast::CreateIndex>() == nullptr);
}

void Planner::Keep(std::string_view recipe, Proposal proposal) {
  Statement& statement = statements_.back();
  // The worst answer of several actions is the statement's.
  statement.answer = std::max(statement.answer, proposal.answer);
  if (statement.recipe.empty()) {
    statement.recipe = recipe;
  } else if (!recipe.empty() && statement.recipe.find(recipe) == std::string::npos) {
    statement.recipe += fmt::format(", {}", recipe);
  }
  // Why it is not done is the first to be said.
  const auto at = HasSteps(proposal.answer) ? statement.remarks.end() : statement.remarks.begin();
  statement.remarks.insert(at, std::make_move_iterator(proposal.remarks.begin()),
                           std::make_move_iterator(proposal.remarks.end()));
  std::vector<Step>& steps = steps_.back().steps;
  for (Step& step : proposal.steps) {
    step.statement = static_cast<int>(statements_.size()) - 1;
    for (const StepLock& lock : step.locks) steps_.back().relations.push_back(lock.relation);
    steps.push_back(std::move(step));
  }
}

void Planner::TakeStatement(const ast::Statement& read, const std::string& text) {
  if (TakeSessionStatement(read)) return;
  const auto* alter = read.As<ast::AlterTable>();
  const bool joins = std::exchange(joins_, false);
  if (alter != nullptr && alter->kind == ast::RelationKind::kTable) {
    TakeAlterTable(read, text);
  } else if (!TakeReplacedView(read, text)) {
    const locks::Effects effects = locks::EffectsOf(read, schema_, options_.server_version);
    Touch(effects, read);
    Proposal proposal;
    const auto recipe = Propose({read, text, schema_, effects, options_.server_version, "", "",
                                 options_.prefer, options_.matviews, &options_.firing},
                                proposal);
    if (joins && proposal.steps.size() == 1)
      proposal.steps.front().transaction = Transaction::kShared;
    Keep(recipe, std::move(proposal));
  }
  if (statements_.back().answer != Answer::kFails) schema_.Apply(read);
}

bool Planner::TakeReplacedView(const ast::Statement& read, const std::string& text) {
  const auto* drop = read.As<ast::Drop>();
  const bool one = drop != nullptr && drop->kind == ast::ObjectKind::kView && !drop->cascade &&
                   drop->names.size() == 1;
  if (!one || next_ == nullptr || schema_.IsNew(drop->names.front())) return false;
  const auto next = ast::ReadStatement(next_->sql);
  const auto* made = next ? next->As<ast::CreateView>() : nullptr;
  if (made == nullptr || made->temporary ||
      schema_.Placed(made->name) != schema_.Resolve(drop->names.front()))
    return false;
  const locks::Effects effects = locks::EffectsOf(read, schema_, options_.server_version);
  if (CertainFailure(effects, true) != nullptr) return false;
  Touch(effects, read);
  Proposal proposal;
  proposal.answer = Answer::kRewritten;
  proposal.steps.push_back(Ddl(Phase::kExpand, {text}, {},
                               "In one transaction with the view that takes its place: no program "
                               "misses it."));
  proposal.steps.front().point_of_no_return = true;
  proposal.remarks.emplace_back(
      "the view's rights go with it: grant them again; programs find the columns of the new one");
  joins_ = true;
  Keep("drop-object", std::move(proposal));
  return true;
}

Planned Planner::PlanAction(const Action& action, const catalog::Schema& schema) const {
  const locks::Effects effects =
      locks::EffectsOf(action.statement, schema, options_.server_version);
  Planned planned{action, "", {}};
  planned.recipe =
      Propose({action.statement, action.text, schema, effects, options_.server_version, action.head,
               action.command, options_.prefer, options_.matviews, &options_.firing},
              planned.proposal);
  planned.joins = planned.recipe.empty() && planned.proposal.answer == Answer::kAsIs &&
                  !effects.outside_transaction;
  return planned;
}

void Planner::KeepInOrder(std::vector<Planned> actions) {
  std::vector<std::string> joined;
  Proposal together;
  const auto flush = [&](const std::string& head) {
    if (joined.empty()) return;
    together.answer = Answer::kAsIs;
    together.steps.front().sql = {fmt::format("{} {}", head, fmt::join(joined, ", "))};
    Keep("", std::exchange(together, {}));
    joined.clear();
  };
  for (Planned& planned : actions) {
    if (!planned.joins) {
      flush(planned.action.head);
      Keep(planned.recipe, std::move(planned.proposal));
      continue;
    }
    joined.push_back(planned.action.command);
    if (together.steps.empty()) {
      together = std::move(planned.proposal);
    } else {
      Join(together, std::move(planned.proposal));
    }
  }
  if (!actions.empty()) flush(actions.front().action.head);
}

// Action by action; neighbours without a risk stay one statement.
void Planner::TakeAlterTable(const ast::Statement& read, const std::string& text) {
  const locks::Effects whole = locks::EffectsOf(read, schema_, options_.server_version);
  Touch(whole, read);
  std::vector<Action> actions = SplitAlterTable(read, text);
  if (actions.size() > 1 && CertainFailure(whole, true) == nullptr) {
    // Actions that belong together.
    Proposal proposal;
    const auto recipe =
        Ask({read, text, schema_, whole, options_.server_version, actions.front().head, "",
             options_.prefer, options_.matviews, &options_.firing},
            proposal);
    if (!recipe.empty()) return Keep(recipe, std::move(proposal));
  }
  ActionOrder order(schema_, options_.server_version);
  for (const Action& action : ArrangeDrops(JoinKeys(std::move(actions), schema_))) {
    bool first = order.MayComeFirst(action);
    Planned planned = PlanAction(action, order.Before(first));
    if (first && Contracts(planned.proposal) && !order.IsApart(action)) {
      first = false;
      planned = PlanAction(action, order.Before(first));
    }
    order.Add(std::move(planned), first);
  }
  KeepInOrder(std::move(order).Take());
  if (!HasSteps(statements_.back().answer)) steps_.back().steps.clear();
}

}  // namespace

Plan MakePlan(std::string_view script, catalog::Schema schema, const PlanOptions& options) {
  schema.BeginRun();
  const catalog::Schema before = schema;
  Planner planner(schema, options);
  const sql::LineIndex lines(script);
  const std::vector<Piece> pieces = sql::SplitScript(script);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::size_t next = i + 1;
    while (next < pieces.size() && pieces[next].kind == PieceKind::kComments) ++next;
    planner.Take(pieces[i], lines.At(pieces[i].span.begin).line,
                 next < pieces.size() ? &pieces[next] : nullptr);
  }
  Plan plan;
  plan.server_version = options.server_version;
  plan.knowledge = options.knowledge;
  std::vector<StatementSteps> steps = planner.TakeSteps();
  plan.statements = planner.TakeStatements();
  if (options.prefer == Preference::kRebuild) JoinRebuilds(before, steps, plan.statements);
  plan.steps = Arrange(std::move(steps));
  Annotate(plan, before, options.firing);
  if (options.knowledge == Knowledge::kLive)
    plan.fingerprint = FingerprintOf(before, plan.relations);
  return plan;
}

}  // namespace pgalter::plan
