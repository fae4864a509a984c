#include "planner/sql/ast/names.h"
#include "planner/sql/ast/read_expression.h"
#include "planner/sql/ast/read_object.h"
#include "planner/sql/ast/read_table.h"

namespace pgalter::sql::ast {
namespace {

// The letters are those of PostgreSQL's own tree.
AlterDomain::Change ReadDomainChange(const pg_query::AlterDomainStmt& statement) {
  switch (statement.subtype().empty() ? '\0' : statement.subtype()[0]) {
    case 'N':
      return AlterDomain::Change::kDropNotNull;
    case 'O':
      return AlterDomain::Change::kSetNotNull;
    case 'C':
      return AlterDomain::Change::kAddConstraint;
    case 'X':
      return AlterDomain::Change::kDropConstraint;
    case 'V':
      return AlterDomain::Change::kValidateConstraint;
    default:
      return statement.has_def() ? AlterDomain::Change::kSetDefault
                                 : AlterDomain::Change::kDropDefault;
  }
}

}  // namespace

CreateType ReadCreateType(const pg_query::CreateEnumStmt& statement) {
  CreateType type;
  type.name = ReadName(statement.type_name());
  type.values = Strings(statement.vals());
  return type;
}

CreateType ReadCreateType(const pg_query::CompositeTypeStmt& statement, Source& source) {
  CreateType type;
  type.name = ReadName(statement.typevar());
  type.shape = CreateType::Shape::kComposite;
  for (const auto& attribute : statement.coldeflist())
    type.attributes.push_back(ReadColumnDefinition(attribute.column_def(), source));
  return type;
}

CreateType ReadCreateType(const pg_query::CreateRangeStmt& statement) {
  CreateType type;
  type.name = ReadName(statement.type_name());
  type.shape = CreateType::Shape::kRange;
  return type;
}

CreateType ReadCreateType(const pg_query::DefineStmt& statement) {
  CreateType type;
  type.name = ReadName(statement.defnames());
  type.shape =
      statement.definition_size() > 0 ? CreateType::Shape::kBase : CreateType::Shape::kShell;
  return type;
}

AlterEnum ReadAlterEnum(const pg_query::AlterEnumStmt& statement) {
  AlterEnum alter;
  alter.name = ReadName(statement.type_name());
  alter.new_value = statement.new_val();
  alter.old_value = statement.old_val();
  alter.neighbour = statement.new_val_neighbor();
  alter.after = statement.new_val_is_after() && !alter.neighbour.empty();
  alter.if_not_exists = statement.skip_if_new_val_exists();
  return alter;
}

AlterComposite ReadAlterComposite(const pg_query::AlterTableStmt& statement, Source& source) {
  AlterComposite alter;
  alter.name = ReadName(statement.relation());
  alter.commands = ReadTableCommands(statement, source);
  for (const auto& command : alter.commands) alter.cascade |= command.cascade;
  return alter;
}

CreateDomain ReadCreateDomain(const pg_query::CreateDomainStmt& statement, Source& source) {
  CreateDomain domain;
  domain.name = ReadName(statement.domainname());
  domain.type = ReadType(statement.type_name());
  domain.constraints = ReadConstraints(statement.constraints(), source);
  return domain;
}

AlterDomain ReadAlterDomain(const pg_query::AlterDomainStmt& statement, Source& source) {
  AlterDomain alter;
  alter.name = ReadName(statement.type_name());
  alter.change = ReadDomainChange(statement);
  alter.constraint_name = statement.name();
  const auto& definition = statement.def();
  if (alter.change == AlterDomain::Change::kAddConstraint && definition.has_constraint()) {
    alter.constraint = ReadConstraint(definition.constraint(), source);
    alter.constraint_name = alter.constraint->name;
  } else if (alter.change == AlterDomain::Change::kSetDefault) {
    alter.constraint.emplace();
    alter.constraint->kind = ConstraintKind::kDefault;
    const Extent value = source.After(source.All(), pg_query::DEFAULT);
    alter.constraint->expression = ReadExpression(definition, value, source);
  }
  return alter;
}

}  // namespace pgalter::sql::ast
