#include "planner/sql/ast/names.h"

#include <algorithm>

#include "planner/sql/ast/read_expression.h"

namespace pgalter::sql::ast {
namespace {

QualifiedName FromParts(const std::vector<std::string>& parts) {
  QualifiedName name;
  if (!parts.empty()) name.name = parts.back();
  if (parts.size() > 1) name.schema = parts[parts.size() - 2];
  return name;
}

}  // namespace

QualifiedName ReadName(const pg_query::RangeVar& relation) {
  QualifiedName name;
  if (!relation.schemaname().empty()) name.schema = relation.schemaname();
  name.name = relation.relname();
  return name;
}

QualifiedName ReadName(const Nodes& parts) { return FromParts(Strings(parts)); }

QualifiedName ReadName(const pg_query::Node& object) {
  switch (object.node_case()) {
    case pg_query::Node::kList:
      // OPERATOR CLASS and CAST have more in their lists than names.
      return ReadName(object.list().items());
    case pg_query::Node::kString:
      return {std::nullopt, object.string().sval()};
    case pg_query::Node::kTypeName:
      return ReadName(object.type_name().names());
    case pg_query::Node::kObjectWithArgs:
      return ReadName(object.object_with_args().objname());
    case pg_query::Node::kRangeVar:
      return ReadName(object.range_var());
    default:
      return {};
  }
}

std::vector<QualifiedName> ReadNames(const Nodes& relations) {
  std::vector<QualifiedName> names;
  for (const auto& relation : relations) names.push_back(ReadName(relation));
  return names;
}

std::vector<QualifiedName> ReadTables(const std::vector<const pg_query::RangeVar*>& tables) {
  std::vector<QualifiedName> names;
  for (const auto* table : tables) {
    QualifiedName name = ReadName(*table);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> Strings(const Nodes& nodes) {
  std::vector<std::string> strings;
  for (const auto& node : nodes) {
    if (node.has_string()) strings.push_back(node.string().sval());
  }
  return strings;
}

const Nodes& Items(const pg_query::Node& list) { return list.list().items(); }

std::string ReadRole(const pg_query::RoleSpec& role) {
  switch (role.roletype()) {
    case pg_query::ROLESPEC_CURRENT_ROLE:
      return "current_role";
    case pg_query::ROLESPEC_CURRENT_USER:
      return "current_user";
    case pg_query::ROLESPEC_SESSION_USER:
      return "session_user";
    case pg_query::ROLESPEC_PUBLIC:
      return "public";
    default:
      return role.rolename();
  }
}

Persistence ReadPersistence(const pg_query::RangeVar& relation) {
  if (relation.relpersistence() == "t") return Persistence::kTemporary;
  if (relation.relpersistence() == "u") return Persistence::kUnlogged;
  return Persistence::kPermanent;
}

ObjectKind ReadKind(pg_query::ObjectType type) {
  switch (type) {
    case pg_query::OBJECT_TABLE:
      return ObjectKind::kTable;
    case pg_query::OBJECT_INDEX:
      return ObjectKind::kIndex;
    case pg_query::OBJECT_VIEW:
      return ObjectKind::kView;
    case pg_query::OBJECT_MATVIEW:
      return ObjectKind::kMaterializedView;
    case pg_query::OBJECT_SEQUENCE:
      return ObjectKind::kSequence;
    case pg_query::OBJECT_FOREIGN_TABLE:
      return ObjectKind::kForeignTable;
    case pg_query::OBJECT_COLUMN:
      return ObjectKind::kColumn;
    case pg_query::OBJECT_TABCONSTRAINT:
      return ObjectKind::kConstraint;
    case pg_query::OBJECT_DOMCONSTRAINT:
      return ObjectKind::kDomainConstraint;
    case pg_query::OBJECT_TRIGGER:
      return ObjectKind::kTrigger;
    case pg_query::OBJECT_RULE:
      return ObjectKind::kRule;
    case pg_query::OBJECT_POLICY:
      return ObjectKind::kPolicy;
    case pg_query::OBJECT_TYPE:
      return ObjectKind::kType;
    case pg_query::OBJECT_DOMAIN:
      return ObjectKind::kDomain;
    case pg_query::OBJECT_ATTRIBUTE:
      return ObjectKind::kAttribute;
    case pg_query::OBJECT_FUNCTION:
    case pg_query::OBJECT_PROCEDURE:
    case pg_query::OBJECT_ROUTINE:
    case pg_query::OBJECT_AGGREGATE:
      return ObjectKind::kFunction;
    case pg_query::OBJECT_SCHEMA:
      return ObjectKind::kSchema;
    case pg_query::OBJECT_DATABASE:
      return ObjectKind::kDatabase;
    case pg_query::OBJECT_TABLESPACE:
      return ObjectKind::kTablespace;
    case pg_query::OBJECT_ROLE:
      return ObjectKind::kRole;
    case pg_query::OBJECT_EXTENSION:
      return ObjectKind::kExtension;
    case pg_query::OBJECT_PUBLICATION:
      return ObjectKind::kPublication;
    case pg_query::OBJECT_SUBSCRIPTION:
      return ObjectKind::kSubscription;
    case pg_query::OBJECT_STATISTIC_EXT:
      return ObjectKind::kStatistics;
    case pg_query::OBJECT_EVENT_TRIGGER:
      return ObjectKind::kEventTrigger;
    default:
      return ObjectKind::kOther;
  }
}

RelationKind ReadRelationKind(pg_query::ObjectType type) {
  switch (type) {
    case pg_query::OBJECT_INDEX:
      return RelationKind::kIndex;
    case pg_query::OBJECT_VIEW:
      return RelationKind::kView;
    case pg_query::OBJECT_MATVIEW:
      return RelationKind::kMaterializedView;
    case pg_query::OBJECT_SEQUENCE:
      return RelationKind::kSequence;
    case pg_query::OBJECT_FOREIGN_TABLE:
      return RelationKind::kForeignTable;
    default:
      return RelationKind::kTable;
  }
}

std::string OptionText(const pg_query::DefElem& option) {
  const auto& arg = option.arg();
  switch (arg.node_case()) {
    case pg_query::Node::kString:
      return arg.string().sval();
    case pg_query::Node::kInteger:
      return std::to_string(arg.integer().ival());
    case pg_query::Node::kFloat:
      return arg.float_().fval();
    case pg_query::Node::kBoolean:
      return arg.boolean().boolval() ? "true" : "false";
    case pg_query::Node::kTypeName:
      return ToString(ReadType(arg.type_name()));
    case pg_query::Node::kAConst:
      return ConstantText(arg.a_const());
    default:
      return "";
  }
}

bool IsOn(const Nodes& options, std::string_view name) {
  const auto* option = FindOption(options, name);
  if (option == nullptr) return false;
  const std::string value = LowerCase(OptionText(*option));
  return value != "false" && value != "off" && value != "0";
}

const pg_query::DefElem* FindOption(const Nodes& options, std::string_view name) {
  for (const auto& node : options) {
    if (node.has_def_elem() && node.def_elem().defname() == name) return &node.def_elem();
  }
  return nullptr;
}

std::map<std::string, std::string> ReadOptions(const Nodes& options) {
  std::map<std::string, std::string> read;
  for (const auto& node : options) {
    const auto& option = node.def_elem();
    std::string name = option.defnamespace();
    if (!name.empty()) name += '.';
    read[LowerCase(name + option.defname())] = OptionText(option);
  }
  return read;
}

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace pgalter::sql::ast
