#include <algorithm>
#include <set>
#include <utility>

#include "planner/sql/ast/names.h"
#include "planner/sql/ast/read_command.h"
#include "planner/sql/ast/read_expression.h"

namespace pgalter::sql::ast {
namespace {

using tree::AnyMessage;

void SetColumns(Modify& modify, const Nodes& targets) {
  std::set<std::string> whole;
  for (const auto& node : targets) {
    const auto& target = node.res_target();
    modify.set_columns.push_back(target.name());
    // a.x = 1, a.y = 2 and a[1] = 1, a[2] = 2 are assignments to two parts of one column.
    if (target.indirection_size() == 0)
      modify.duplicate_column |= !whole.insert(target.name()).second;
  }
}

bool IsNull(const pg_query::Node& value) { return LiteralText(value) == "NULL"; }

void SetNulls(Modify& modify, const pg_query::SelectStmt& values) {
  for (const auto& row : values.values_lists()) {
    const auto& items = Items(row);
    for (int i = 0; i < items.size(); ++i) {
      if (!IsNull(items[i])) continue;
      const auto place = static_cast<std::size_t>(i);
      if (modify.set_columns.empty()) {
        AddOnce(modify.null_places, place);
      } else if (place < modify.set_columns.size()) {
        AddOnce(modify.null_columns, modify.set_columns[place]);
      }
    }
  }
}

// Where the condition of this statement stands is only known if it is all of the text.
void SetWhere(Modify& modify, const pg_query::Node& where, bool is_root, Source& source) {
  Extent extent;
  if (is_root) {
    extent = source.After(source.All(), pg_query::WHERE);
    extent.last = source.Find(extent, pg_query::RETURNING);
  }
  modify.where = ReadExpression(where, extent, source);
  modify.where_has_subquery = modify.where->facts.has_subquery;
}

void ReadParts(Modify& modify, AnyMessage statement, bool is_root, Source& source) {
  if (const auto* insert = statement.As<pg_query::InsertStmt>()) {
    modify.verb = Modify::Verb::kInsert;
    modify.table = ReadName(insert->relation());
    SetColumns(modify, insert->cols());
    const auto& select = insert->select_stmt().select_stmt();
    modify.upserts = insert->on_conflict_clause().action() == pg_query::ONCONFLICT_UPDATE;
    SetNulls(modify, select);
    modify.from_query = insert->has_select_stmt() && select.values_lists_size() == 0;
    if (select.has_where_clause()) SetWhere(modify, select.where_clause(), false, source);
  } else if (const auto* update = statement.As<pg_query::UpdateStmt>()) {
    modify.verb = Modify::Verb::kUpdate;
    modify.table = ReadName(update->relation());
    SetColumns(modify, update->target_list());
    for (const auto& node : update->target_list())
      if (node.res_target().indirection_size() == 0 && IsNull(node.res_target().val()))
        AddOnce(modify.null_columns, std::string(node.res_target().name()));
    if (update->has_where_clause()) SetWhere(modify, update->where_clause(), is_root, source);
  } else if (const auto* erase = statement.As<pg_query::DeleteStmt>()) {
    modify.verb = Modify::Verb::kDelete;
    modify.table = ReadName(erase->relation());
    if (erase->has_where_clause()) SetWhere(modify, erase->where_clause(), is_root, source);
  } else if (const auto* merge = statement.As<pg_query::MergeStmt>()) {
    modify.verb = Modify::Verb::kMerge;
    modify.table = ReadName(merge->relation());
    for (const auto& when : merge->merge_when_clauses()) {
      const auto& clause = when.merge_when_clause();
      if (clause.command_type() == pg_query::CMD_UPDATE) SetColumns(modify, clause.target_list());
      if (clause.command_type() == pg_query::CMD_DELETE) modify.merge_deletes = true;
    }
  }
}

Modify ReadOne(AnyMessage statement, TreeFacts facts, bool is_root, Source& source) {
  Modify modify;
  ReadParts(modify, statement, is_root, source);
  modify.reads = ReadTables(facts.tables);
  modify.has_limit = facts.has_limit;
  modify.literals = std::move(facts.literals);
  return modify;
}

std::vector<Modify> ReadWithin(const TreeFacts& facts, AnyMessage root, Source& source) {
  std::vector<Modify> within;
  for (const AnyMessage write : facts.writes) {
    if (write != root) within.push_back(ReadOne(write, Collect(write), false, source));
  }
  return within;
}

}  // namespace

Modify ReadModify(AnyMessage statement, Source& source) {
  TreeFacts facts = Collect(statement);
  std::vector<Modify> within = ReadWithin(facts, statement, source);
  Modify modify = ReadOne(statement, std::move(facts), true, source);
  modify.within = std::move(within);
  return modify;
}

Select ReadSelect(const pg_query::SelectStmt& statement, Source& source) {
  TreeFacts facts = Collect(statement);
  Select select;
  select.within = ReadWithin(facts, statement, source);
  select.reads = ReadTables(facts.tables);
  select.locks_rows = facts.locks_rows;
  select.has_limit = facts.has_limit;
  select.functions = std::move(facts.expression.functions);
  select.literals = std::move(facts.literals);
  return select;
}

}  // namespace pgalter::sql::ast
