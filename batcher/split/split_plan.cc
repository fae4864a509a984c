#include "batcher/split/split_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "batcher/split/objects_sql.h"
#include "batcher/split/rows_sql.h"
#include "batcher/split/shape.h"
#include "engine/run/failure.h"
#include "planner/locks/effects.h"
#include "planner/plan/annotate.h"
#include "planner/plan/fingerprint.h"
#include "planner/plan/steps.h"

namespace pgalter::split {

namespace {

using plan::Phase;
using plan::Step;
using plan::StepKind;

// A default that is another one each time: an INSERT into the new table could not tell the row that
// nobody has given a value yet from one that somebody has.
void RefuseVolatileDefaults(const Source& source, const catalog::Schema& schema, int version) {
  for (const Column& column : source.moved) {
    if (column.default_value.empty()) continue;
    const auto add = sql::ast::ReadStatement(
        fmt::format("ALTER TABLE {} ADD COLUMN pgalter_default {} DEFAULT {}",
                    sql::ToString(source.name), column.type, column.default_value));
    if (add) {
      const locks::Effects effects = locks::EffectsOf(*add, schema, version);
      if (std::ranges::none_of(effects.works, [](const locks::Work& work) {
            return work.reason == locks::Reason::kVolatileDefault;
          }))
        continue;
    }
    throw run::Failure(
        run::ExitCode::kRefused,
        fmt::format("column {} cannot be moved: its default ({}) is another value each time, so "
                    "nobody could tell a row that was given none from one that was. Nothing was "
                    "changed. DROP DEFAULT first, or leave the column where it is",
                    column.name, column.default_value));
  }
}

void RefuseOther(plan::Split now, const plan::Split& before) {
  now.shape = before.shape;
  if (now == before) return;
  throw run::Failure(run::ExitCode::kRefused,
                     fmt::format("{} was changed while it was read. Nothing was written. Try again",
                                 before.source));
}

// NOT NULL is taken off, so that new programs can insert a row before they give it its columns;
// with the way back that the planner knows.
std::vector<Step> OpenColumns(const Source& source, const catalog::Schema& schema,
                              const plan::PlanOptions& options) {
  std::string script;
  for (const Column* column : Required(source))
    script += fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL;\n",
                          sql::ToString(source.name), column->name);
  if (script.empty()) return {};
  std::vector<Step> steps = plan::MakePlan(script, schema, options).steps;
  for (Step& step : steps) {
    step.statement = 0;
    step.explain =
        "New programs insert the row first and give it these columns then, through the new table's "
        "name.";
  }
  return steps;
}

Step CopyRows(const plan::Split& split) {
  Step step;
  step.phase = Phase::kMigrate;
  step.kind = StepKind::kSplitCopy;
  step.transaction = plan::Transaction::kNone;
  step.split = split;
  step.sql = {CopyStatement(*step.split, Ends::kNone)};
  step.explain =
      "Rows that were there before the triggers, in chunks, each under a lock on its rows; then "
      "both "
      "tables are compared.";
  return step;
}

std::vector<Step> BuildIndexes(const Source& source) {
  const Names names(source);
  std::vector<Step> steps;
  for (const Index& index : source.indexes) {
    if (index.unique) continue;
    steps.push_back(plan::BuildIndex(
        fmt::format("CREATE INDEX CONCURRENTLY {} ON {} {}", sql::QuoteIdentifier(index.name),
                    names.target, index.definition),
        {source.target.schema, index.name}, "As the one on the source."));
    steps.back().phase = Phase::kMigrate;
  }
  return steps;
}

Step SwapTables(const Source& source, const plan::Split& split) {
  Step step = plan::Ddl(Phase::kContract, Swap(source), {},
                        "After both tables were compared once more the new one takes the view's "
                        "place, and the columns go.");
  step.kind = StepKind::kSplitSwap;
  step.split = split;
  step.backward_compatible = false;
  step.point_of_no_return = true;
  return step;
}

std::vector<std::string> Remarks(const Source& source) {
  std::vector<std::string> remarks = source.remarks;
  remarks.push_back(
      fmt::format("until the gate is opened {} is a view: INSERT, UPDATE, DELETE, COPY FROM and "
                  "SELECT … FOR UPDATE go on through it; ON CONFLICT, TRUNCATE, foreign keys to "
                  "it and, before PostgreSQL 17, MERGE do not",
                  plan::Show(source.target)));
  if (Required(source).empty())
    remarks.push_back(fmt::format(
        "every row of {} has one in {}: a DELETE there sets the columns to their defaults until "
        "the gate is opened, and takes the row from then on",
        plan::Show(source.name), plan::Show(source.target)));
  return remarks;
}

void Number(std::vector<Step>& steps) {
  int n = 0;
  for (Step& step : steps) step.id = fmt::format("1.{}-{}", ++n, plan::Name(step.kind));
}

}  // namespace

Task<plan::Plan> MakeSplitPlan(guard::Session& session, const Wish& wish, catalog::Schema schema,
                               plan::PlanOptions options) {
  co_await ShowPlainly(session);
  plan::Split split = SplitOf(co_await ReadSource(session, wish));
  split.shape = co_await ReadShape(session, split);
  // After its shape: what somebody changes meanwhile is in the source then, and not in the shape.
  const Source source = co_await ReadSource(session, wish);
  RefuseOther(SplitOf(source), split);
  schema.BeginRun();
  RefuseVolatileDefaults(source, schema, options.server_version);
  plan::Plan plan;
  plan.server_version = options.server_version;
  plan.knowledge = options.knowledge;
  plan::Statement& statement = plan.statements.emplace_back();
  statement.sql = fmt::format("split {} ({}) INTO {}", sql::ToString(source.name),
                              fmt::join(wish.columns, ", "), plan::Show(source.target));
  statement.answer = plan::Answer::kRewritten;
  statement.recipe = "split";
  statement.remarks = Remarks(source);
  plan.steps = OpenColumns(source, schema, options);
  plan.steps.push_back(
      plan::Ddl(Phase::kExpand, MakeAll(source), DropAll(source),
                "The new table's name is a view of the columns, so old and new programs use the "
                "same rows; triggers keep the table up that takes its place."));
  plan.steps.push_back(CopyRows(split));
  for (Step& step : BuildIndexes(source)) plan.steps.push_back(std::move(step));
  plan.steps.push_back(
      plan::MakeGate(fmt::format("moved-{}", source.target.name),
                     fmt::format("every program reads and writes {} in {}, none in {}",
                                 fmt::join(wish.columns, ", "), plan::Show(source.target),
                                 plan::Show(source.name))));
  plan.steps.push_back(SwapTables(source, split));
  plan.steps.push_back(plan::Validate(source.target, NameWith(source.target.name, "_fkey")));
  plan.steps.back().phase = Phase::kContract;
  Number(plan.steps);
  plan::Annotate(plan, schema);
  if (options.knowledge == plan::Knowledge::kLive)
    plan.fingerprint = plan::FingerprintOf(schema, plan.relations);
  co_return plan;
}

}  // namespace pgalter::split
