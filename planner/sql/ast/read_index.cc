#include "planner/sql/ast/read_index.h"

#include <algorithm>

#include "planner/sql/ast/names.h"
#include "planner/sql/ast/read_expression.h"

namespace pgalter::sql::ast {
namespace {

// An element's expression is in brackets or is a call; what follows is COLLATE, an operator class,
// an order.
Extent OfElement(Extent part, Source& source) {
  const std::size_t open = source.Find(part, pg_query::ASCII_40);
  return {part.first, std::min(source.Closed(open), part.last)};
}

IndexColumn ReadIndexColumn(const pg_query::IndexElem& element, Extent part, Source& source) {
  IndexColumn column;
  column.column = element.name();
  if (element.has_expr())
    column.expression = ReadExpression(element.expr(), OfElement(part, source), source);
  column.collation = ReadName(element.collation());
  column.operator_class = ReadName(element.opclass());
  column.operator_class_options = ReadOptions(element.opclassopts());
  column.descending = element.ordering() == pg_query::SORTBY_DESC;
  const auto nulls = element.nulls_ordering();
  column.nulls_first = nulls == pg_query::SORTBY_NULLS_FIRST ||
                       (column.descending && nulls != pg_query::SORTBY_NULLS_LAST);
  return column;
}

ReindexKind ReadReindexKind(pg_query::ReindexObjectType kind) {
  switch (kind) {
    case pg_query::REINDEX_OBJECT_TABLE:
      return ReindexKind::kTable;
    case pg_query::REINDEX_OBJECT_SCHEMA:
      return ReindexKind::kSchema;
    case pg_query::REINDEX_OBJECT_SYSTEM:
      return ReindexKind::kSystem;
    case pg_query::REINDEX_OBJECT_DATABASE:
      return ReindexKind::kDatabase;
    default:
      return ReindexKind::kIndex;
  }
}

}  // namespace

CreateIndex ReadCreateIndex(const pg_query::IndexStmt& statement, Source& source) {
  CreateIndex index;
  index.name = statement.idxname();
  index.table = ReadName(statement.relation());
  index.only = !statement.relation().inh();
  index.concurrently = statement.concurrent();
  index.if_not_exists = statement.if_not_exists();
  index.unique = statement.unique();
  index.nulls_not_distinct = statement.nulls_not_distinct();
  if (!statement.access_method().empty()) index.method = statement.access_method();
  index.tablespace = statement.table_space();
  index.options = ReadOptions(statement.options());

  const bool has_expression = std::ranges::any_of(
      statement.index_params(), [](const auto& node) { return node.index_elem().has_expr(); });
  std::vector<Extent> parts;
  if (has_expression)
    parts = source.Parts(source.InBrackets(source.From(statement.relation().location())));
  for (int i = 0; i < statement.index_params_size(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    const Extent part = place < parts.size() ? parts[place] : Extent{};
    index.columns.push_back(ReadIndexColumn(statement.index_params(i).index_elem(), part, source));
  }
  for (const auto& node : statement.index_including_params())
    index.included.push_back(node.index_elem().name());
  if (statement.has_where_clause())
    index.where = ReadExpression(statement.where_clause(),
                                 source.After(source.All(), pg_query::WHERE), source);
  return index;
}

Reindex ReadReindex(const pg_query::ReindexStmt& statement) {
  Reindex reindex;
  reindex.kind = ReadReindexKind(statement.kind());
  if (statement.has_relation()) reindex.name = ReadName(statement.relation());
  if (!statement.name().empty()) reindex.name.name = statement.name();
  reindex.concurrently = IsOn(statement.params(), "concurrently");
  reindex.moves_tablespace = FindOption(statement.params(), "tablespace") != nullptr;
  return reindex;
}

Cluster ReadCluster(const pg_query::ClusterStmt& statement) {
  Cluster cluster;
  if (statement.has_relation()) cluster.table = ReadName(statement.relation());
  cluster.index = statement.indexname();
  return cluster;
}

Vacuum ReadVacuum(const pg_query::VacuumStmt& statement) {
  Vacuum vacuum;
  vacuum.only_analyze = !statement.is_vacuumcmd();
  vacuum.full = IsOn(statement.options(), "full");
  vacuum.analyze = vacuum.only_analyze || IsOn(statement.options(), "analyze");
  for (const auto& node : statement.rels())
    vacuum.tables.push_back(ReadName(node.vacuum_relation().relation()));
  return vacuum;
}

RefreshMaterializedView ReadRefresh(const pg_query::RefreshMatViewStmt& statement) {
  return {ReadName(statement.relation()), statement.concurrent(), !statement.skip_data()};
}

}  // namespace pgalter::sql::ast
