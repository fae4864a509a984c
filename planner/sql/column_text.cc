#include "planner/sql/column_text.h"

#include <algorithm>

#include "planner/sql/grammar.h"
#include "planner/sql/words.h"

namespace pgalter::sql {

namespace {

bool IsAttribute(pg_query::ConstrType type) {
  switch (type) {
    case pg_query::CONSTR_ATTR_DEFERRABLE:
    case pg_query::CONSTR_ATTR_NOT_DEFERRABLE:
    case pg_query::CONSTR_ATTR_DEFERRED:
    case pg_query::CONSTR_ATTR_IMMEDIATE:
      return true;
    default:
      return false;
  }
}

enum class PartKind { kConstraint, kAttribute, kCollation };

struct Part {
  std::size_t begin = 0;
  PartKind kind = PartKind::kConstraint;
};

void Append(std::string& text, const std::string& more) {
  if (!text.empty()) text += ' ';
  text += more;
}

}  // namespace

Result<ColumnText> CutAddColumn(std::string_view command) {
  const std::string text = "ALTER TABLE t " + std::string(command);
  auto tree = grammar::ParseTree(text);
  if (!tree) return tree.error();
  auto words = Words::Read(text);
  if (!words) return words.error();
  if (tree->root->stmts_size() != 1 || !tree->root->stmts(0).stmt().has_alter_table_stmt())
    return Error("this adds no column", 0);
  const auto& alter = tree->root->stmts(0).stmt().alter_table_stmt();
  if (alter.cmds_size() != 1 || !alter.cmds(0).alter_table_cmd().def().has_column_def())
    return Error("this adds no column", 0);
  const auto& column = alter.cmds(0).alter_table_cmd().def().column_def();

  std::vector<Part> parts;
  for (const auto& node : column.constraints()) {
    const auto& constraint = node.constraint();
    parts.push_back(
        {static_cast<std::size_t>(constraint.location()),
         IsAttribute(constraint.contype()) ? PartKind::kAttribute : PartKind::kConstraint});
  }
  if (column.has_coll_clause())
    parts.push_back(
        {static_cast<std::size_t>(column.coll_clause().location()), PartKind::kCollation});
  std::ranges::sort(parts, {}, &Part::begin);

  const auto word_at = [&](std::size_t byte) {
    std::size_t at = 0;
    while (at < words->size() && words->Place(at).begin < byte) ++at;
    return at;
  };
  ColumnText cut;
  const std::size_t name = word_at(static_cast<std::size_t>(column.location()));
  cut.definition = words->Cut(name, parts.empty() ? words->size() : word_at(parts.front().begin));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t next = i + 1 < parts.size() ? word_at(parts[i + 1].begin) : words->size();
    std::string piece = words->Cut(word_at(parts[i].begin), next);
    if (parts[i].kind == PartKind::kCollation) {
      Append(cut.definition, piece);
    } else if (parts[i].kind == PartKind::kAttribute && !cut.constraints.empty()) {
      Append(cut.constraints.back(), piece);
    } else {
      cut.constraints.push_back(std::move(piece));
    }
  }
  return cut;
}

}  // namespace pgalter::sql
