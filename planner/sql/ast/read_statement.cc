#include "planner/sql/ast/read_statement.h"

#include <utility>

#include "planner/sql/ast/names.h"
#include "planner/sql/ast/read_command.h"
#include "planner/sql/ast/read_index.h"
#include "planner/sql/ast/read_object.h"
#include "planner/sql/ast/read_table.h"
#include "planner/sql/ast/tag.h"
#include "planner/sql/facts.h"
#include "planner/sql/text.h"

namespace pgalter::sql::ast {
namespace {

using Node = pg_query::Node;

// One less than the server's NAMEDATALEN.
constexpr std::size_t kMaxNameBytes = 63;

// Whether a scan could find one: hardly any statement has so long a word.
bool MayHaveLongName(std::string_view text) {
  std::size_t length = 0;
  bool quoted = false;  // any quote mark ends a word, and may start a name with blanks in it
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    length = (c != '"' && (quoted || IsNameByte(c))) ? length + 1 : 0;
    if (length > kMaxNameBytes) return true;
  }
  return false;
}

std::vector<std::string> LongNames(Source& source) {
  std::vector<std::string> names;
  if (!MayHaveLongName(source.text())) return names;
  const Extent all = source.All();
  for (std::size_t at = all.first; at < all.last; ++at) {
    if (source.At(at) != pg_query::IDENT) continue;
    std::string name = source.Cut({at, at + 1});
    const std::size_t marks = name.starts_with('"') ? 2 : 0;
    if (name.size() - marks > kMaxNameBytes) AddOnce(names, std::move(name));
  }
  return names;
}

const pg_query::IntoClause* IntoOf(const pg_query::SelectStmt& statement) {
  const auto* select = &statement;
  while (select->has_larg()) select = &select->larg();
  return select->has_into_clause() ? &select->into_clause() : nullptr;
}

Body ReadQuery(const pg_query::SelectStmt& statement, Source& source) {
  if (const auto* into = IntoOf(statement)) return ReadSelectInto(statement, *into);
  return ReadSelect(statement, source);
}

Body ReadAlter(const pg_query::AlterTableStmt& statement, Source& source) {
  if (statement.objtype() == pg_query::OBJECT_TYPE) return ReadAlterComposite(statement, source);
  return ReadAlterTable(statement, source);
}

Body ReadForeignTable(const pg_query::CreateForeignTableStmt& statement, Source& source) {
  CreateTable table = ReadCreateTable(statement.base_stmt(), source);
  table.foreign = true;
  return table;
}

Body ReadMove(const pg_query::AlterTableMoveAllStmt& statement) {
  return MoveTablespace{ReadRelationKind(statement.objtype()), statement.orig_tablespacename(),
                        statement.new_tablespacename(), statement.nowait()};
}

Body ReadDefaultPrivileges(const pg_query::AlterDefaultPrivilegesStmt& statement) {
  Grant grant = ReadGrant(statement.action());
  grant.default_privileges = true;
  return grant;
}

Body Subscription(const std::string& name, bool create) {
  Publication subscription;
  subscription.name = name;
  subscription.create = create;
  subscription.subscription = true;
  return subscription;
}

// What has a statement of its own to drop it.
Body DropNamed(ObjectKind kind, const std::string& name, bool if_exists) {
  Drop drop;
  drop.kind = kind;
  drop.names.push_back({std::nullopt, name});
  drop.if_exists = if_exists;
  return drop;
}

Body ReadDropRole(const pg_query::DropRoleStmt& statement) {
  Drop drop;
  drop.kind = ObjectKind::kRole;
  for (const auto& role : statement.roles())
    drop.names.push_back({std::nullopt, ReadRole(role.role_spec())});
  drop.if_exists = statement.missing_ok();
  return drop;
}

// The server looks for it in the new schema first.
void Place(QualifiedName& name, const CreateSchema& schema) {
  if (!name.schema) name.schema = schema.name;
}

Body ReadSchema(const pg_query::CreateSchemaStmt& statement, Source& source) {
  CreateSchema schema;
  schema.name = statement.schemaname();
  schema.if_not_exists = statement.if_not_exists();
  if (schema.name.empty()) schema.name = ReadRole(statement.authrole());
  for (const auto& element : statement.schema_elts()) {
    if (element.has_create_stmt()) {
      schema.tables.push_back(ReadCreateTable(element.create_stmt(), source));
      Place(schema.tables.back().name, schema);
    } else if (element.has_index_stmt()) {
      schema.indexes.push_back(ReadCreateIndex(element.index_stmt(), source));
      Place(schema.indexes.back().table, schema);
    } else if (element.has_view_stmt()) {
      schema.views.push_back(ReadCreateView(element.view_stmt()));
      Place(schema.views.back().name, schema);
    } else if (element.has_create_seq_stmt()) {
      schema.sequences.push_back(ReadSequence(element.create_seq_stmt()));
      Place(schema.sequences.back().name, schema);
    }
  }
  return schema;
}

Body ReadOther(const Node& node) {
  Other other;
  other.tag = CommandTag(node);
  for (std::string& literal : Collect(node).literals) other.literals.push_back(std::move(literal));
  return other;
}

Body ReadDefine(const Node& node) {
  return node.define_stmt().kind() == pg_query::OBJECT_TYPE
             ? Body(ReadCreateType(node.define_stmt()))
             : ReadOther(node);
}

// One line a statement; the table is what there is to know.
Body ReadBody(const Node& node, Source& source) {
  switch (node.node_case()) {
    case Node::kCreateStmt:
      return ReadCreateTable(node.create_stmt(), source);
    case Node::kCreateForeignTableStmt:
      return ReadForeignTable(node.create_foreign_table_stmt(), source);
    case Node::kCreateTableAsStmt:
      return ReadCreateTableAs(node.create_table_as_stmt());
    case Node::kAlterTableStmt:
      return ReadAlter(node.alter_table_stmt(), source);
    case Node::kAlterTableMoveAllStmt:
      return ReadMove(node.alter_table_move_all_stmt());
    case Node::kIndexStmt:
      return ReadCreateIndex(node.index_stmt(), source);
    case Node::kReindexStmt:
      return ReadReindex(node.reindex_stmt());
    case Node::kClusterStmt:
      return ReadCluster(node.cluster_stmt());
    case Node::kVacuumStmt:
      return ReadVacuum(node.vacuum_stmt());
    case Node::kRefreshMatViewStmt:
      return ReadRefresh(node.refresh_mat_view_stmt());
    case Node::kRenameStmt:
      return ReadRename(node.rename_stmt());
    case Node::kAlterObjectSchemaStmt:
      return ReadSetSchema(node.alter_object_schema_stmt());
    case Node::kDropStmt:
      return ReadDrop(node.drop_stmt());
    case Node::kDropRoleStmt:
      return ReadDropRole(node.drop_role_stmt());
    case Node::kDropdbStmt:
      return DropNamed(ObjectKind::kDatabase, node.dropdb_stmt().dbname(),
                       node.dropdb_stmt().missing_ok());
    case Node::kDropTableSpaceStmt:
      return DropNamed(ObjectKind::kTablespace, node.drop_table_space_stmt().tablespacename(),
                       node.drop_table_space_stmt().missing_ok());
    case Node::kDropSubscriptionStmt:
      return DropNamed(ObjectKind::kSubscription, node.drop_subscription_stmt().subname(),
                       node.drop_subscription_stmt().missing_ok());
    case Node::kViewStmt:
      return ReadCreateView(node.view_stmt());
    case Node::kCreateTrigStmt:
      return ReadCreateTrigger(node.create_trig_stmt());
    case Node::kCreateFunctionStmt:
      return ReadCreateFunction(node.create_function_stmt(), source);
    case Node::kAlterFunctionStmt:
      return ReadAlterFunction(node.alter_function_stmt());
    case Node::kRuleStmt:
      return ReadCreateRule(node.rule_stmt());
    case Node::kCreatePolicyStmt:
      return ReadPolicy(node.create_policy_stmt());
    case Node::kAlterPolicyStmt:
      return ReadPolicy(node.alter_policy_stmt());
    case Node::kCreateEnumStmt:
      return ReadCreateType(node.create_enum_stmt());
    case Node::kCompositeTypeStmt:
      return ReadCreateType(node.composite_type_stmt(), source);
    case Node::kCreateRangeStmt:
      return ReadCreateType(node.create_range_stmt());
    case Node::kDefineStmt:
      return ReadDefine(node);
    case Node::kAlterEnumStmt:
      return ReadAlterEnum(node.alter_enum_stmt());
    case Node::kCreateDomainStmt:
      return ReadCreateDomain(node.create_domain_stmt(), source);
    case Node::kAlterDomainStmt:
      return ReadAlterDomain(node.alter_domain_stmt(), source);
    case Node::kCreateSeqStmt:
      return ReadSequence(node.create_seq_stmt());
    case Node::kAlterSeqStmt:
      return ReadSequence(node.alter_seq_stmt());
    case Node::kCreateStatsStmt:
      return ReadStatistics(node.create_stats_stmt());
    case Node::kGrantStmt:
      return ReadGrant(node.grant_stmt());
    case Node::kGrantRoleStmt:
      return ReadGrant(node.grant_role_stmt());
    case Node::kAlterDefaultPrivilegesStmt:
      return ReadDefaultPrivileges(node.alter_default_privileges_stmt());
    case Node::kCommentStmt:
      return ReadComment(node.comment_stmt());
    case Node::kCreatePublicationStmt:
      return ReadPublication(node.create_publication_stmt());
    case Node::kAlterPublicationStmt:
      return ReadPublication(node.alter_publication_stmt());
    case Node::kCreateSubscriptionStmt:
      return Subscription(node.create_subscription_stmt().subname(), true);
    case Node::kAlterSubscriptionStmt:
      return Subscription(node.alter_subscription_stmt().subname(), false);
    case Node::kCreateExtensionStmt:
      return Extension{node.create_extension_stmt().extname(), true,
                       node.create_extension_stmt().if_not_exists()};
    case Node::kAlterExtensionStmt:
      return Extension{node.alter_extension_stmt().extname(), false, false};
    case Node::kAlterExtensionContentsStmt:
      return Extension{node.alter_extension_contents_stmt().extname(), false, false};
    case Node::kCreateSchemaStmt:
      return ReadSchema(node.create_schema_stmt(), source);
    case Node::kTransactionStmt:
      return ReadTransaction(node.transaction_stmt());
    case Node::kVariableSetStmt:
      return ReadSet(node.variable_set_stmt());
    case Node::kLockStmt:
      return ReadLockTable(node.lock_stmt());
    case Node::kTruncateStmt:
      return ReadTruncate(node.truncate_stmt());
    case Node::kInsertStmt:
      return ReadModify(node.insert_stmt(), source);
    case Node::kUpdateStmt:
      return ReadModify(node.update_stmt(), source);
    case Node::kDeleteStmt:
      return ReadModify(node.delete_stmt(), source);
    case Node::kMergeStmt:
      return ReadModify(node.merge_stmt(), source);
    case Node::kSelectStmt:
      return ReadQuery(node.select_stmt(), source);
    case Node::kCopyStmt:
      return ReadCopy(node.copy_stmt());
    case Node::kDoStmt:
      return ReadDo(node.do_stmt());
    case Node::kCallStmt:
      return ReadCall(node.call_stmt());
    default:
      return ReadOther(node);
  }
}

}  // namespace

Result<Statement> ReadMarked(std::string_view text, Marks marks) {
  const auto parsed = grammar::ParseTree(text);
  if (!parsed) return parsed.error();
  const auto& root = *parsed->root;
  if (root.stmts_size() == 0) return Error{"there is no statement here", 0, ""};
  if (root.stmts_size() > 1) {
    const auto second = static_cast<std::size_t>(root.stmts(1).stmt_location());
    return Error{"this is more than one statement", CharacterAt(text, second),
                 "give one at a time"};
  }
  const Node& node = root.stmts(0).stmt();
  Source source(text, std::move(marks));
  Statement statement{ReadBody(node, source), CommandTag(node), {}};
  statement.long_names = LongNames(source);
  return statement;
}

Result<Statement> ReadStatement(std::string_view text) { return ReadMarked(text, {}); }

}  // namespace pgalter::sql::ast
