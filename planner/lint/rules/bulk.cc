#include "planner/lint/rules/bulk.h"

#include <algorithm>
#include <set>

namespace pgalter::lint {

using sql::ast::Comparison;
using sql::ast::Expression;
using sql::ast::Modify;
using Visit = std::function<void(const Modify&)>;

namespace {

void Walk(const Modify& modify, const Visit& visit) {
  visit(modify);
  for (const Modify& inner : modify.within) Walk(inner, visit);
}

// Keeps hardly a row out: id > 0, state <> 'x'.
bool LetsNearlyAllIn(const Comparison& comparison) {
  if (comparison.op == "<>") return true;
  const bool from_below = comparison.op == ">" || comparison.op == ">=";
  return from_below &&
         (comparison.literal == "0" || comparison.literal == "1" || comparison.literal == "-1");
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool SaysDistinct(std::string_view text) {
  constexpr std::string_view kWords = "IS DISTINCT FROM";
  const auto same = [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 32) : a) == b;
  };
  return std::search(text.begin(), text.end(), kWords.begin(), kWords.end(), same) != text.end();
}

// What the condition mentions beside columns that are compared with NULL or let nearly all rows in.
std::vector<sql::ColumnUse> DecidingColumns(const Expression& where) {
  std::vector<sql::ColumnUse> deciding;
  for (const sql::ColumnUse& use : where.facts.columns) {
    const bool weak = Contains(where.null_columns, use.name) ||
                      Contains(where.not_null_columns, use.name) ||
                      std::ranges::find(where.comparisons, use.name, &Comparison::column) !=
                          where.comparisons.end();
    if (!weak) deciding.push_back(use);
  }
  return deciding;
}

// a.id = b.a_id and nothing else.
bool IsMereJoin(const Modify& modify, const std::vector<sql::ColumnUse>& deciding) {
  if (modify.reads.empty() || deciding.size() != 2) return false;
  return !deciding[0].qualifier.empty() && !deciding[1].qualifier.empty() &&
         deciding[0].qualifier != deciding[1].qualifier;
}

}  // namespace

Extent ExtentOf(const Modify& modify) {
  // Every row that has a partner: VALUES have none to offer but what is written.
  if (modify.verb == Modify::Verb::kMerge) {
    const bool changes = !modify.set_columns.empty() || modify.merge_deletes;
    return changes && !modify.reads.empty() && !modify.has_limit ? Extent::kNearly : Extent::kPart;
  }
  // INSERT … SELECT of the table's own rows, each of which is there already.
  const bool own_rows = modify.verb == Modify::Verb::kInsert && modify.upserts &&
                        modify.reads.size() == 1 && modify.reads.front() == modify.table;
  if (own_rows && !modify.where && !modify.has_limit) return Extent::kNearly;
  if (modify.verb != Modify::Verb::kUpdate && modify.verb != Modify::Verb::kDelete)
    return Extent::kPart;
  if (modify.has_limit) return Extent::kPart;
  if (!modify.where || modify.where->is_true) return Extent::kAll;
  const Expression& where = *modify.where;
  if (modify.where_has_subquery || !where.facts.functions.empty() ||
      !where.facts.parameters.empty())
    return Extent::kPart;
  if (!std::ranges::all_of(where.comparisons, LetsNearlyAllIn)) return Extent::kPart;
  const auto deciding = DecidingColumns(where);
  const bool weak =
      !where.null_columns.empty() || !where.not_null_columns.empty() || !where.comparisons.empty();
  if (deciding.empty()) return weak ? Extent::kNearly : Extent::kPart;
  if (IsMereJoin(modify, deciding)) return Extent::kNearly;
  if (!weak && deciding.size() <= 2 && SaysDistinct(where.text)) return Extent::kNearly;
  return Extent::kPart;
}

void ForEachModify(const sql::ast::Statement& statement, const Visit& visit) {
  if (const auto* modify = statement.As<Modify>()) Walk(*modify, visit);
  if (const auto* select = statement.As<sql::ast::Select>())
    for (const Modify& inner : select->within) Walk(inner, visit);
}

std::optional<Remark> OnRows(const Context& context, const Modify& modify, std::string message) {
  if (!InUse(context, modify.table)) return std::nullopt;
  // What the same migration has put together beside it says which rows are meant.
  const bool listed = ExtentOf(modify) == Extent::kNearly && !modify.reads.empty() &&
                      std::ranges::all_of(modify.reads, [&](const catalog::QualifiedName& name) {
                        return !context.Existing(name);
                      });
  if (listed) return std::nullopt;
  Remark remark;
  remark.message = std::move(message);
  remark.lock = LockOn(context, modify.table);
  remark.table_scan = true;
  if (context.Small(modify.table)) remark.severity = Severity::kNote;
  return remark;
}

}  // namespace pgalter::lint
