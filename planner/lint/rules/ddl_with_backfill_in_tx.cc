#include <algorithm>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using sql::ast::Modify;
using Verb = Modify::Verb;

bool IsKey(const catalog::Table& table, const std::string& column) {
  return std::ranges::any_of(table.indexes, [&](const catalog::Index& index) {
    return index.unique && !index.where && index.columns.size() == 1 &&
           index.columns.front().column == column;
  });
}

// The condition finds one row: by a key, or by what is a key everywhere.
bool OneRow(const Context& context, const Modify& modify) {
  if (!modify.where) return false;
  const catalog::Table* table = context.schema.FindTable(modify.table);
  return std::ranges::any_of(modify.where->comparisons, [&](const auto& comparison) {
    if (comparison.op != "=") return false;
    return (table != nullptr && IsKey(*table, comparison.column)) || comparison.column == "id";
  });
}

std::optional<Severity> Judge(const Context& context, const Modify& modify) {
  const auto existing = [&](const catalog::QualifiedName& name) { return context.Existing(name); };
  if (modify.verb == Verb::kInsert) {
    if (!modify.from_query || std::ranges::none_of(modify.reads, existing)) return std::nullopt;
    return Severity::kError;
  }
  if (!existing(modify.table) || OneRow(context, modify)) return std::nullopt;
  if (context.Small(modify.table)) return Severity::kNote;
  const bool all = !modify.where || modify.where->is_true || !modify.where->null_columns.empty();
  return all ? Severity::kError : Severity::kWarning;
}

bool Sleeps(const sql::ast::Statement& statement) {
  const auto* select = statement.As<sql::ast::Select>();
  return select != nullptr && std::ranges::any_of(select->functions, [](const auto& use) {
           return !use.name.empty() && use.name.back().starts_with("pg_sleep");
         });
}

void Check(const Context& context, const Reporter& report) {
  const Held* held = context.transaction.StrongestBlocking();
  const auto* modify = context.statement.As<Modify>();
  if (held != nullptr && Sleeps(context.statement)) {
    Remark remark;
    remark.message = fmt::format("it sleeps while the transaction holds {} on {}",
                                 locks::Name(held->mode), Context::Show(held->relation));
    remark.remedy = "Commit first.";
    remark.lock = LockTaken{held->mode, Context::Show(held->relation)};
    report(std::move(remark));
  }
  if (held == nullptr || modify == nullptr) return;
  const auto severity = Judge(context, *modify);
  if (!severity) return;
  Remark remark;
  remark.severity = severity;
  remark.message = fmt::format("rows of {} are written while the transaction holds {} on {}",
                               Context::Show(modify->table), locks::Name(held->mode),
                               Context::Show(held->relation));
  remark.lock = LockTaken{held->mode, Context::Show(held->relation)};
  remark.table_scan = true;
  report(std::move(remark));
}

}  // namespace

constinit const Rule kDdlWithBackfillInTx{
    .id = "ddl-with-backfill-in-tx",
    .title = "Many rows changed while the transaction holds a strong lock",
    .category = Category::kTransaction,
    .severity = Severity::kError,
    .effect =
        "The lock of the ALTER TABLE is kept until every row has been written: nobody uses the "
        "table for as long as that takes.",
    .remedy =
        "Commit after the ALTER TABLE, and change the rows afterwards: in batches, each its own "
        "transaction, as `pgalter backfill` does.",
    .check = &Check};

}  // namespace pgalter::lint
