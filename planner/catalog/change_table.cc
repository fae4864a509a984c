// CREATE TABLE and CREATE INDEX.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;
using sql::ast::Persistence;

// What LIKE takes over of a table's columns.
void CopyColumns(Table& table, const Table& source, const sql::ast::CreateTable& statement) {
  for (Column column : source.columns) {
    if (!statement.like_defaults) column.has_default = false;
    if (!statement.like_generated) {
      column.generated = false;
      column.generated_virtual = false;
      column.generated_from.clear();
    }
    if (!statement.like_identity) column.identity = false;
    column.origin = table.origin;
    table.columns.push_back(std::move(column));
  }
}

}  // namespace

void Change::operator()(const sql::ast::CreateTable& statement) {
  const bool temporary = statement.persistence == Persistence::kTemporary;
  QualifiedName name = statement.name;
  if (temporary) name.schema = "pg_temp";
  if (statement.if_not_exists && Find(name) != nullptr) return;

  Table made;
  made.name = schema_.Placed(name);
  made.kind = statement.foreign ? TableKind::kForeign : TableKind::kTable;
  if (statement.partition_by) made.kind = TableKind::kPartitioned;
  made.persistence = statement.persistence;
  made.origin = NewOrigin();
  made.complete = true;
  made.partition_by = statement.partition_by;
  made.bound = statement.bound;
  if (statement.partition_of) made.parent = Target(*statement.partition_of);
  if (made.parent && Circular(made.name, *made.parent)) made.parent.reset();
  for (const QualifiedName& parent : statement.inherits)
    if (!Circular(made.name, Target(parent))) made.inherits.push_back(Target(parent));
  if (!statement.of_type.empty()) {
    const Type* type = schema_.FindType({"", statement.of_type, {}, 0});
    made.of_type = type == nullptr ? statement.of_type : Key(type->name);
    made.complete = type != nullptr;
    if (type != nullptr) made.columns = type->attributes;
  }
  for (const QualifiedName& like : statement.like) {
    const Table* source = Find(like);
    made.complete = made.complete && source != nullptr && source->complete;
    if (source != nullptr) CopyColumns(made, *source, statement);
  }
  for (const sql::ast::ColumnDefinition& column : statement.columns)
    made.columns.push_back(MakeColumn(column));

  const std::string key = Key(made.name);
  Insert(std::move(made));
  Table& table = schema_.tables_.find(key)->second;
  for (const sql::ast::ColumnDefinition& column : statement.columns)
    AddColumnConstraints(table, column);
  for (const sql::ast::Constraint& constraint : statement.constraints)
    AddConstraint(table, constraint, "");
  for (const QualifiedName& like : statement.like) {
    const Table* source = Find(like);
    if (source == nullptr) continue;
    for (const Constraint& constraint : source->constraints) {
      const ConstraintKind kind = constraint.definition.kind;
      const bool key_of_index = kind == ConstraintKind::kPrimaryKey ||
                                kind == ConstraintKind::kUnique || kind == ConstraintKind::kExclude;
      if (key_of_index ? !statement.like_indexes
                       : !(kind == ConstraintKind::kCheck && statement.like_constraints))
        continue;
      sql::ast::Constraint copy = constraint.definition;
      copy.using_index.clear();
      copy.name = key_of_index ? std::string() : constraint.name;
      AddConstraint(table, std::move(copy), "");
    }
    for (const Index& index : source->indexes) {
      if (index.constraint || !statement.like_indexes) continue;
      Index copy = index;
      copy.name = {table.name.schema, IndexName(table, index.columns, index.included)};
      copy.parent.reset();
      copy.origin = table.origin;
      AddIndex(table, std::move(copy));
    }
  }
  std::vector<QualifiedName> parents = table.inherits;
  if (table.parent) parents.push_back(*table.parent);
  for (const QualifiedName& parent : parents) {
    const Table* found = Find(parent);
    table.complete = table.complete && found != nullptr && found->complete;
    if (found != nullptr) Inherit(table, *found);
  }
}

void Change::operator()(const sql::ast::CreateTableAs& statement) {
  QualifiedName name = statement.name;
  if (statement.persistence == Persistence::kTemporary) name.schema = "pg_temp";
  if (statement.if_not_exists && Find(name) != nullptr) return;
  Table table;
  table.name = schema_.Placed(name);
  table.kind = statement.materialized_view ? TableKind::kMaterializedView : TableKind::kTable;
  table.persistence = statement.persistence;
  table.origin = NewOrigin();
  if (statement.materialized_view)
    for (const QualifiedName& source : statement.reads) table.reads.push_back(Target(source));
  Insert(std::move(table));
}

void Change::operator()(const sql::ast::CreateIndex& statement) {
  Table& table = Open(statement.table);
  if (statement.if_not_exists && !statement.name.empty() &&
      RelationExists(*table.name.schema, statement.name))
    return;
  const bool partitioned = table.kind == TableKind::kPartitioned;
  Index index;
  index.name = {table.name.schema, statement.name.empty()
                                       ? IndexName(table, statement.columns, statement.included)
                                       : statement.name};
  index.unique = statement.unique;
  index.method = statement.method;
  index.columns = statement.columns;
  index.included = statement.included;
  index.where = statement.where;
  index.origin = NewOrigin();
  // ON ONLY: not valid before every partition has its part.
  index.valid = !(partitioned && statement.only && !schema_.Partitions(table.name).empty());
  AddIndex(table, index);
  if (!partitioned || statement.only) return;
  for (const Table* partition : schema_.Partitions(table.name)) {
    Table* child = Find(partition->name);
    const auto fitting = std::ranges::find_if(child->indexes, [&](const Index& own) {
      return !own.parent && own.valid && own.unique == index.unique &&
             own.columns.size() == index.columns.size() && !own.where && !index.where &&
             std::ranges::equal(own.columns, index.columns, {}, &sql::ast::IndexColumn::column,
                                &sql::ast::IndexColumn::column);
    });
    if (fitting != child->indexes.end() && !fitting->columns.front().column.empty()) {
      fitting->parent = index.name;
      continue;
    }
    sql::ast::CreateIndex part = statement;
    part.table = child->name;
    part.name.clear();
    (*this)(part);
    if (!child->indexes.empty()) child->indexes.back().parent = index.name;
  }
}

}  // namespace pgalter::catalog
