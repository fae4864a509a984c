// CREATE TABLE and CREATE INDEX.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;
using sql::ast::Persistence;

bool HasIndex(ConstraintKind kind) {
  return kind == ConstraintKind::kPrimaryKey || kind == ConstraintKind::kUnique ||
         kind == ConstraintKind::kExclude;
}

std::vector<QualifiedName> ParentNames(const Table& table) {
  std::vector<QualifiedName> parents = table.inherits;
  if (table.parent) parents.push_back(*table.parent);
  return parents;
}

// "schema.name" or "name", as the grammar's reader writes a type.
sql::ast::TypeName Split(const std::string& type) {
  const auto dot = type.find('.');
  if (dot == std::string::npos) return {"", type, {}, 0};
  return {type.substr(0, dot), type.substr(dot + 1), {}, 0};
}

// A parent's column may be written again, and so may a typed table's, without its type.
void Merge(Table& table, Column column) {
  const auto inherited = std::ranges::find(table.columns, column.name, &Column::name);
  if (inherited == table.columns.end()) {
    table.columns.push_back(std::move(column));
    return;
  }
  column.not_null = column.not_null || inherited->not_null;
  if (!column.has_default) {
    column.has_default = inherited->has_default;
    column.default_value = inherited->default_value;
  }
  if (column.type.name.empty()) column.type = inherited->type;
  if (inherited->generated && !column.generated) {
    column.generated = true;
    column.generated_virtual = inherited->generated_virtual;
    column.generated_from = inherited->generated_from;
  }
  column.local = !table.parent;
  *inherited = std::move(column);
}

// Those at the columns, then those of the table.
std::vector<sql::ast::Constraint> WrittenConstraints(const sql::ast::CreateTable& statement) {
  std::vector<sql::ast::Constraint> constraints;
  for (const sql::ast::ColumnDefinition& column : statement.columns)
    for (const sql::ast::Constraint& constraint : column.constraints) {
      constraints.push_back(constraint);
      if (constraint.columns.empty() && constraint.kind != ConstraintKind::kCheck)
        constraints.back().columns.push_back(column.name);
    }
  constraints.insert(constraints.end(), statement.constraints.begin(), statement.constraints.end());
  return constraints;
}

// What LIKE takes over of a table's columns.
void CopyColumns(Table& table, const Table& source, const sql::ast::CreateTable& statement) {
  for (Column column : source.columns) {
    if (!statement.like_defaults) column.SetDefault(std::nullopt);
    if (!statement.like_generated) {
      column.generated = false;
      column.generated_virtual = false;
      column.generated_from.clear();
    }
    if (!statement.like_identity) column.identity = false;
    column.origin = table.origin;
    column.local = true;
    table.columns.push_back(std::move(column));
  }
}

}  // namespace

void Change::operator()(const sql::ast::CreateTable& statement) {
  const bool temporary = statement.persistence == Persistence::kTemporary;
  QualifiedName name = statement.name;
  if (temporary) name.schema = "pg_temp";
  Table made;
  made.name = schema_.Placed(name);
  if (statement.if_not_exists && RelationExists(*made.name.schema, made.name.name)) return;

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
  std::vector<const Table*> parents;
  for (const QualifiedName& parent : made.inherits) parents.push_back(schema_.Get(Key(parent)));
  if (made.parent) parents.push_back(schema_.Get(Key(*made.parent)));
  for (const Table* parent : parents) {
    made.complete = made.complete && parent != nullptr && parent->complete;
    if (parent != nullptr) InheritColumns(made, *parent, made.parent.has_value());
  }
  if (!statement.of_type.empty()) {
    const Type* type = schema_.FindType(Split(statement.of_type));
    made.of_type = type == nullptr ? statement.of_type : Key(type->name);
    made.complete = type != nullptr;
    if (type != nullptr) made.columns = type->attributes;
    for (Column& column : made.columns) column.origin = made.origin;
  }
  for (const QualifiedName& like : statement.like) {
    const Table* source = Find(like);
    made.complete = made.complete && source != nullptr && source->complete;
    if (source != nullptr) CopyColumns(made, *source, statement);
  }
  for (const sql::ast::ColumnDefinition& column : statement.columns)
    if (made.columns.size() < kMostColumns) Merge(made, MakeColumn(column));

  const std::string key = Key(made.name);
  Insert(std::move(made));
  Table& table = schema_.tables_.find(key)->second;
  for (const sql::ast::ColumnDefinition& column : statement.columns)
    if (sql::ast::IsSerial(column.type) || column.Find(ConstraintKind::kIdentity) != nullptr)
      AddIdentitySequence(table, column);
  const std::vector<sql::ast::Constraint> constraints = WrittenConstraints(statement);
  const auto add = [&](const auto& wanted) {
    for (const sql::ast::Constraint& constraint : constraints)
      if (wanted(constraint.kind)) AddConstraintDown(table, constraint, false);
  };
  // The server's order, which the names that it makes depend on.
  add([](ConstraintKind kind) { return !HasIndex(kind) && kind != ConstraintKind::kForeignKey; });
  for (const QualifiedName& parent : ParentNames(table)) {
    const Table* found = schema_.Get(Key(parent));
    if (found != nullptr && found != &table) Inherit(table, *found);
  }
  for (const QualifiedName& like : statement.like) {
    const Table* source = schema_.FindTable(like);
    if (source != nullptr && source != &table) CopyLike(table, *source, statement);
  }
  add([](ConstraintKind kind) { return kind == ConstraintKind::kPrimaryKey; });
  add([](ConstraintKind kind) { return HasIndex(kind) && kind != ConstraintKind::kPrimaryKey; });
  add([](ConstraintKind kind) { return kind == ConstraintKind::kForeignKey; });
}

void Change::CopyLike(Table& table, const Table& source, const sql::ast::CreateTable& statement) {
  if (statement.like_identity) {
    for (const Column& column : source.columns) {
      if (!column.identity) continue;
      sql::ast::ColumnDefinition definition;
      definition.name = column.name;
      AddIdentitySequence(table, definition);
    }
  }
  for (const Constraint& constraint : source.constraints) {
    const bool has_index = HasIndex(constraint.definition.kind);
    if (has_index
            ? !statement.like_indexes
            : !(constraint.definition.kind == ConstraintKind::kCheck && statement.like_constraints))
      continue;
    sql::ast::Constraint copy = constraint.definition;
    copy.using_index.clear();
    copy.not_valid = false;  // a new table has nothing that could break it
    copy.name = has_index ? std::string() : constraint.name;
    AddConstraint(table, std::move(copy));
  }
  for (const Index& index : source.indexes) {
    if (index.constraint || !statement.like_indexes) continue;
    Index copy = index;
    copy.name = {table.name.schema, IndexName(table, index.columns, index.included)};
    copy.parent.reset();
    copy.valid = true;
    copy.origin = table.origin;
    AddIndex(table, std::move(copy));
  }
}

void Change::operator()(const sql::ast::CreateTableAs& statement) {
  QualifiedName name = statement.name;
  if (statement.persistence == Persistence::kTemporary) name.schema = "pg_temp";
  Table table;
  table.name = schema_.Placed(name);
  if (statement.if_not_exists && RelationExists(*table.name.schema, table.name.name)) return;
  table.kind = statement.materialized_view ? TableKind::kMaterializedView : TableKind::kTable;
  table.persistence = statement.persistence;
  table.origin = NewOrigin();
  if (statement.materialized_view)
    for (const QualifiedName& source : statement.reads) table.reads.push_back(Target(source));
  if (statement.materialized_view)
    table.view_columns = ResolveUses(statement.reads, statement.columns);
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
  index.nulls_not_distinct = statement.nulls_not_distinct;
  index.tablespace = statement.tablespace;
  index.options = statement.options;
  index.method = statement.method;
  index.columns = statement.columns;
  index.included = statement.included;
  index.where = statement.where;
  index.origin = NewOrigin();
  // ON ONLY: not valid before every partition has its part.
  index.valid = !(partitioned && statement.only && !schema_.Partitions(table.name).empty());
  AddIndex(table, index);
  if (!partitioned || statement.only) return;
  for (const QualifiedName& partition : NamesOf(schema_.Partitions(table.name)))
    InheritIndex(*Find(partition), table, index, 0);
}

}  // namespace pgalter::catalog
