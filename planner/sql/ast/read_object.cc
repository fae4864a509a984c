#include "planner/sql/ast/read_object.h"

#include <utility>

#include "planner/sql/ast/names.h"
#include "planner/sql/ast/versions.h"

namespace pgalter::sql::ast {
namespace {

// Triggers, rules and policies are named after their table: [schema,] table, name.
bool IsOnTable(ObjectKind kind) {
  return kind == ObjectKind::kTrigger || kind == ObjectKind::kRule || kind == ObjectKind::kPolicy;
}

QualifiedName WithoutLast(const pg_query::Node& object) {
  std::vector<std::string> parts = Strings(Items(object));
  QualifiedName name;
  if (parts.size() > 1) name.name = parts[parts.size() - 2];
  if (parts.size() > 2) name.schema = parts[parts.size() - 3];
  return name;
}

Sequence WithOptions(Sequence sequence, const Nodes& options) {
  for (const auto& node : options) {
    const auto& option = node.def_elem();
    if (option.defname() != "owned_by") {
      sequence.rewrites = !sequence.create;
      sequence.restarts |= !sequence.create && option.defname() == "restart";
      if (option.defname() == "maxvalue" && option.arg().has_integer())
        sequence.max_value = option.arg().integer().ival();
      continue;
    }
    auto parts = Strings(Items(option.arg()));
    if (parts.size() < 2) continue;  // OWNED BY NONE
    sequence.owner_column = std::move(parts.back());
    sequence.owner_table = WithoutLast(option.arg());
  }
  return sequence;
}

void AddObjects(Grant& grant, const Nodes& objects) {
  for (const auto& object : objects) grant.objects.push_back(ReadName(object));
}

void AddGrantees(Grant& grant, const Nodes& grantees) {
  for (const auto& grantee : grantees) {
    grant.grantees.push_back(ReadRole(grantee.role_spec()));
    grant.to_public |= grantee.role_spec().roletype() == pg_query::ROLESPEC_PUBLIC;
  }
}

Publication WithObjects(Publication publication, const Nodes& objects) {
  for (const auto& object : objects) {
    const auto& spec = object.publication_obj_spec();
    if (spec.has_pubtable()) publication.tables.push_back(ReadName(spec.pubtable().relation()));
  }
  return publication;
}

}  // namespace

Drop ReadDrop(const pg_query::DropStmt& statement) {
  Drop drop;
  drop.kind = ReadKind(statement.remove_type());
  drop.concurrently = statement.concurrent();
  drop.if_exists = statement.missing_ok();
  drop.cascade = statement.behavior() == pg_query::DROP_CASCADE;
  for (const auto& object : statement.objects()) {
    if (IsOnTable(drop.kind)) {
      drop.names.push_back({std::nullopt, ReadName(object).name});
      drop.on_table = WithoutLast(object);
    } else {
      drop.names.push_back(ReadName(object));
    }
    if (drop.kind == ObjectKind::kFunction) drop.arguments.push_back(ReadArguments(object));
  }
  return drop;
}

SetSchema ReadSetSchema(const pg_query::AlterObjectSchemaStmt& statement) {
  SetSchema set;
  set.kind = ReadKind(statement.object_type());
  set.name =
      statement.has_relation() ? ReadName(statement.relation()) : ReadName(statement.object());
  set.new_schema = statement.newschema();
  set.arguments = ReadArguments(statement.object());
  set.if_exists = statement.missing_ok();
  return set;
}

Rename ReadRename(const pg_query::RenameStmt& statement) {
  Rename rename;
  rename.kind = ReadKind(statement.rename_type());
  const bool is_column = rename.kind == ObjectKind::kColumn;
  rename.relation =
      ReadRelationKind(is_column ? statement.relation_type() : statement.rename_type());
  rename.new_name = statement.newname();
  rename.if_exists = statement.missing_ok();
  if (statement.has_relation()) {
    rename.name = ReadName(statement.relation());
    rename.part = statement.subname();
  } else if (statement.has_object()) {
    rename.name = ReadName(statement.object());
    rename.part = statement.subname();
    rename.arguments = ReadArguments(statement.object());
  } else {
    rename.name.name = statement.subname();  // a schema, a role, a database …
  }
  return rename;
}

CommentOn ReadComment(const pg_query::CommentStmt& statement) {
  CommentOn comment;
  comment.kind = ReadKind(statement.objtype());
  const bool is_part = IsOnTable(comment.kind) || comment.kind == ObjectKind::kColumn ||
                       comment.kind == ObjectKind::kConstraint;
  comment.name = is_part ? WithoutLast(statement.object()) : ReadName(statement.object());
  if (is_part) comment.part = ReadName(statement.object()).name;
  return comment;
}

Sequence ReadSequence(const pg_query::CreateSeqStmt& statement) {
  Sequence sequence;
  sequence.name = ReadName(statement.sequence());
  if (ReadPersistence(statement.sequence()) == Persistence::kTemporary)
    sequence.name.schema = "pg_temp";
  sequence.if_not_exists = statement.if_not_exists();
  return WithOptions(std::move(sequence), statement.options());
}

Sequence ReadSequence(const pg_query::AlterSeqStmt& statement) {
  Sequence sequence;
  sequence.name = ReadName(statement.sequence());
  sequence.create = false;
  return WithOptions(std::move(sequence), statement.options());
}

CreateStatistics ReadStatistics(const pg_query::CreateStatsStmt& statement) {
  CreateStatistics statistics;
  statistics.name = ReadName(statement.defnames()).name;
  if (statement.relations_size() > 0) statistics.table = ReadName(statement.relations(0));
  return statistics;
}

Grant ReadGrant(const pg_query::GrantStmt& statement) {
  Grant grant;
  grant.grant = statement.is_grant();
  grant.kind = ReadKind(statement.objtype());
  grant.all_in_schema = statement.targtype() == pg_query::ACL_TARGET_ALL_IN_SCHEMA;
  grant.default_privileges = statement.targtype() == pg_query::ACL_TARGET_DEFAULTS;
  grant.with_grant_option = statement.grant_option();
  grant.all_privileges = statement.privileges_size() == 0;
  for (const auto& privilege : statement.privileges())
    grant.all_privileges |= privilege.access_priv().priv_name().empty();
  AddObjects(grant, statement.objects());
  AddGrantees(grant, statement.grantees());
  return grant;
}

Grant ReadGrant(const pg_query::GrantRoleStmt& statement) {
  Grant grant;
  grant.grant = statement.is_grant();
  grant.kind = ObjectKind::kRole;
  grant.role_membership = true;
  grant.with_grant_option = HasAdminOption(statement);
  for (const auto& role : statement.granted_roles())
    grant.objects.push_back({std::nullopt, role.access_priv().priv_name()});
  AddGrantees(grant, statement.grantee_roles());
  return grant;
}

Publication ReadPublication(const pg_query::CreatePublicationStmt& statement) {
  Publication publication;
  publication.name = statement.pubname();
  publication.all_tables = statement.for_all_tables();
  return WithObjects(std::move(publication), statement.pubobjects());
}

Publication ReadPublication(const pg_query::AlterPublicationStmt& statement) {
  Publication publication;
  publication.name = statement.pubname();
  publication.create = false;
  publication.all_tables = statement.for_all_tables();
  return WithObjects(std::move(publication), statement.pubobjects());
}

}  // namespace pgalter::sql::ast
