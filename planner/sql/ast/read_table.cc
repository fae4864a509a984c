#include "planner/sql/ast/read_table.h"

#include <algorithm>
#include <optional>

#include "planner/sql/ast/read_expression.h"
#include "planner/sql/ast/versions.h"

namespace pgalter::sql::ast {
namespace {

// Bits of TableLikeClause.options, as in PostgreSQL's parsenodes.h: the tree has the plain number.
enum LikeOption : unsigned {
  kLikeConstraints = 1U << 2U,
  kLikeDefaults = 1U << 3U,
  kLikeGenerated = 1U << 4U,
  kLikeIdentity = 1U << 5U,
  kLikeIndexes = 1U << 6U,
};

void AddLike(CreateTable& table, const pg_query::TableLikeClause& like) {
  table.like.push_back(ReadName(like.relation()));
  const auto has = [&](LikeOption option) { return (like.options() & option) != 0; };
  table.like_constraints |= has(kLikeConstraints);
  table.like_defaults |= has(kLikeDefaults);
  table.like_generated |= has(kLikeGenerated);
  table.like_identity |= has(kLikeIdentity);
  table.like_indexes |= has(kLikeIndexes);
}

PartitionBy ReadPartitionBy(const pg_query::PartitionSpec& spec, Source& source) {
  PartitionBy by;
  by.strategy = PartitionStrategyOf(spec);
  for (const auto& node : spec.part_params()) {
    const auto& element = node.partition_elem();
    by.columns.push_back(element.name());
    if (!element.has_expr()) continue;
    const Extent rest = source.From(element.location());
    Extent extent{rest.first, source.Closed(source.Find(rest, pg_query::ASCII_40))};
    by.expressions.push_back(ReadExpression(element.expr(), extent, source));
  }
  return by;
}

std::vector<std::string> ReadBoundValues(const Nodes& values, Extent list, Source& source) {
  std::vector<std::string> read;
  const auto parts = source.Parts(list);
  for (int i = 0; i < values.size(); ++i) {
    const auto& datum = values[i].partition_range_datum();
    const bool is_range = values[i].has_partition_range_datum();
    if (is_range && datum.kind() == pg_query::PARTITION_RANGE_DATUM_MINVALUE) {
      read.emplace_back("MINVALUE");
      continue;
    }
    if (is_range && datum.kind() == pg_query::PARTITION_RANGE_DATUM_MAXVALUE) {
      read.emplace_back("MAXVALUE");
      continue;
    }
    const auto& value = is_range ? datum.value() : values[i];
    std::string text = LiteralText(value);
    // MINVALUE and MAXVALUE are columns until the server looks at them.
    if (value.has_column_ref() && value.column_ref().fields_size() == 1) {
      const std::string& word = value.column_ref().fields(0).string().sval();
      if (word == "minvalue") text = "MINVALUE";
      if (word == "maxvalue") text = "MAXVALUE";
    }
    const auto place = static_cast<std::size_t>(i);
    if (text.empty() && place < parts.size()) text = source.Cut(parts[place]);
    read.push_back(std::move(text));
  }
  return read;
}

}  // namespace

ColumnDefinition ReadColumnDefinition(const pg_query::ColumnDef& column, Source& source) {
  ColumnDefinition definition;
  definition.name = column.colname();
  definition.type = ReadType(column.type_name());
  if (column.has_coll_clause())
    definition.collation = ReadName(column.coll_clause().collname()).name;
  definition.constraints = ReadConstraints(column.constraints(), source);
  return definition;
}

PartitionBound ReadBound(const pg_query::PartitionBoundSpec& bound, Source& source) {
  PartitionBound read;
  read.is_default = bound.is_default();
  read.modulus = bound.modulus();
  read.remainder = bound.remainder();
  if (bound.listdatums_size() == 0 && bound.lowerdatums_size() == 0) return read;
  const Extent from = source.From(bound.location());
  const Extent first = source.InBrackets(from);
  read.values = ReadBoundValues(bound.listdatums(), first, source);
  read.from = ReadBoundValues(bound.lowerdatums(), first, source);
  const Extent second = source.InBrackets({std::min(first.last + 1, from.last), from.last});
  read.to = ReadBoundValues(bound.upperdatums(), second, source);
  return read;
}

CreateTable ReadCreateTable(const pg_query::CreateStmt& statement, Source& source) {
  CreateTable table;
  table.name = ReadName(statement.relation());
  table.persistence = ReadPersistence(statement.relation());
  table.if_not_exists = statement.if_not_exists();
  for (const auto& element : statement.table_elts()) {
    if (element.has_column_def())
      table.columns.push_back(ReadColumnDefinition(element.column_def(), source));
    if (element.has_constraint())
      table.constraints.push_back(ReadConstraint(element.constraint(), source));
    if (element.has_table_like_clause()) AddLike(table, element.table_like_clause());
  }
  auto parents = ReadNames(statement.inh_relations());
  if (statement.has_partbound()) {
    if (!parents.empty()) table.partition_of = parents.front();
    table.bound = ReadBound(statement.partbound(), source);
  } else {
    table.inherits = std::move(parents);
  }
  if (statement.has_partspec()) table.partition_by = ReadPartitionBy(statement.partspec(), source);
  if (statement.has_of_typename()) table.of_type = ToString(ReadType(statement.of_typename()));
  table.options = ReadOptions(statement.options());
  return table;
}

CreateTableAs ReadCreateTableAs(const pg_query::CreateTableAsStmt& statement) {
  CreateTableAs table;
  table.name = ReadName(statement.into().rel());
  table.persistence = ReadPersistence(statement.into().rel());
  table.materialized_view = ReadKind(statement.objtype()) == ObjectKind::kMaterializedView;
  table.if_not_exists = statement.if_not_exists();
  table.with_data = !statement.into().skip_data();
  TreeFacts facts = Collect(statement.query());
  table.reads = ReadTables(facts.tables);
  table.columns = std::move(facts.expression.columns);
  table.literals = std::move(facts.literals);
  return table;
}

CreateTableAs ReadSelectInto(const pg_query::SelectStmt& statement,
                             const pg_query::IntoClause& into) {
  CreateTableAs table;
  table.name = ReadName(into.rel());
  table.persistence = ReadPersistence(into.rel());
  TreeFacts facts = Collect(statement);
  table.reads = ReadTables(facts.tables);
  table.columns = std::move(facts.expression.columns);
  table.literals = std::move(facts.literals);
  return table;
}

}  // namespace pgalter::sql::ast
