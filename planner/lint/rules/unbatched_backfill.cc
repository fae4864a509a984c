#include <algorithm>

#include "planner/lint/rules/bulk.h"

namespace pgalter::lint {

namespace {

bool Commits(const ScriptStatement& item) {
  const auto* verb = item.statement.As<sql::ast::Transaction>();
  return verb != nullptr && verb->verb == sql::ast::Transaction::Verb::kCommit;
}

// A few rows at a time, again and again, and no COMMIT between.
bool LoopsInOneTransaction(const Context& context, const sql::ast::Modify& modify) {
  const bool changes = modify.verb == sql::ast::Modify::Verb::kUpdate ||
                       modify.verb == sql::ast::Modify::Verb::kDelete;
  return context.in_loop && changes && modify.has_limit &&
         std::ranges::none_of(context.before, Commits) &&
         std::ranges::none_of(context.after, Commits);
}

// state = 'open', where that is the default of the column: what most rows were made with.
bool PicksTheDefault(const Context& context, const sql::ast::Modify& modify) {
  const bool changes = modify.verb == sql::ast::Modify::Verb::kUpdate ||
                       modify.verb == sql::ast::Modify::Verb::kDelete;
  if (!changes || !modify.where || modify.has_limit || modify.where_has_subquery) return false;
  const sql::ast::Expression& where = *modify.where;
  if (where.comparisons.size() != 1 || where.facts.columns.size() != 1 ||
      !where.facts.functions.empty() || !where.facts.parameters.empty())
    return false;
  const sql::ast::Comparison& only = where.comparisons.front();
  const catalog::Table* table = context.schema.FindTable(modify.table);
  const catalog::Column* column = table == nullptr ? nullptr : table->FindColumn(only.column);
  if (column == nullptr || only.op != "=" || column->default_value.empty()) return false;
  return column->default_value == only.literal ||
         column->default_value.starts_with(only.literal + "::");
}

void Check(const Context& context, const Reporter& report) {
  ForEachModify(context.statement, [&](const sql::ast::Modify& modify) {
    if (LoopsInOneTransaction(context, modify)) {
      auto looped = OnRows(context, modify,
                           fmt::format("{} is changed by parts, but all of them in one transaction",
                                       Context::Show(modify.table)));
      if (looped) report(std::move(*looped));
      return;
    }
    if (PicksTheDefault(context, modify)) {
      auto picked = OnRows(
          context, modify,
          fmt::format("this condition holds for every row of {} that has kept the default of "
                      "the column, and they are changed in one statement",
                      Context::Show(modify.table)));
      if (picked) report(std::move(*picked));
      return;
    }
    if (ExtentOf(modify) != Extent::kNearly) return;
    auto remark = OnRows(
        context, modify,
        fmt::format(
            "this condition holds for most rows of {}, and they are changed in one statement",
            Context::Show(modify.table)));
    if (remark) report(std::move(*remark));
  });
}

}  // namespace

constinit const Rule kUnbatchedBackfill{
    .id = "unbatched-backfill",
    .title = "Whole table changed in one statement",
    .category = Category::kData,
    .severity = Severity::kWarning,
    .effect =
        "The rows stay locked until the last one is done: each writer of one of them waits. Dead "
        "rows pile up and standbys fall behind.",
    .remedy =
        "Go by parts of the primary key, with a COMMIT after each: `pgalter backfill` does it.",
    .check = &Check};

}  // namespace pgalter::lint
