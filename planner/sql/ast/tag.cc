#include "planner/sql/ast/tag.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "planner/sql/tree.h"

namespace pgalter::sql::ast {
namespace {

// Statements that have one tag each, by the names in PostgreSQL's trees.
constexpr std::array kTags = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"AlterCollationStmt", "ALTER COLLATION"},
    {"AlterDatabaseRefreshCollStmt", "ALTER DATABASE"},
    {"AlterDatabaseSetStmt", "ALTER DATABASE"},
    {"AlterDatabaseStmt", "ALTER DATABASE"},
    {"AlterDefaultPrivilegesStmt", "ALTER DEFAULT PRIVILEGES"},
    {"AlterDomainStmt", "ALTER DOMAIN"},
    {"AlterEnumStmt", "ALTER TYPE"},
    {"AlterEventTrigStmt", "ALTER EVENT TRIGGER"},
    {"AlterExtensionContentsStmt", "ALTER EXTENSION"},
    {"AlterExtensionStmt", "ALTER EXTENSION"},
    {"AlterFdwStmt", "ALTER FOREIGN DATA WRAPPER"},
    {"AlterForeignServerStmt", "ALTER SERVER"},
    {"AlterOpFamilyStmt", "ALTER OPERATOR FAMILY"},
    {"AlterOperatorStmt", "ALTER OPERATOR"},
    {"AlterPolicyStmt", "ALTER POLICY"},
    {"AlterPublicationStmt", "ALTER PUBLICATION"},
    {"AlterRoleSetStmt", "ALTER ROLE"},
    {"AlterRoleStmt", "ALTER ROLE"},
    {"AlterSeqStmt", "ALTER SEQUENCE"},
    {"AlterStatsStmt", "ALTER STATISTICS"},
    {"AlterSubscriptionStmt", "ALTER SUBSCRIPTION"},
    {"AlterSystemStmt", "ALTER SYSTEM"},
    {"AlterTSConfigurationStmt", "ALTER TEXT SEARCH CONFIGURATION"},
    {"AlterTSDictionaryStmt", "ALTER TEXT SEARCH DICTIONARY"},
    {"AlterTableSpaceOptionsStmt", "ALTER TABLESPACE"},
    {"AlterTypeStmt", "ALTER TYPE"},
    {"AlterUserMappingStmt", "ALTER USER MAPPING"},
    {"CallStmt", "CALL"},
    {"CheckPointStmt", "CHECKPOINT"},
    {"ClosePortalStmt", "CLOSE CURSOR"},
    {"ClusterStmt", "CLUSTER"},
    {"CommentStmt", "COMMENT"},
    {"CompositeTypeStmt", "CREATE TYPE"},
    {"ConstraintsSetStmt", "SET CONSTRAINTS"},
    {"CopyStmt", "COPY"},
    {"CreateAmStmt", "CREATE ACCESS METHOD"},
    {"CreateCastStmt", "CREATE CAST"},
    {"CreateConversionStmt", "CREATE CONVERSION"},
    {"CreateDomainStmt", "CREATE DOMAIN"},
    {"CreateEnumStmt", "CREATE TYPE"},
    {"CreateEventTrigStmt", "CREATE EVENT TRIGGER"},
    {"CreateExtensionStmt", "CREATE EXTENSION"},
    {"CreateFdwStmt", "CREATE FOREIGN DATA WRAPPER"},
    {"CreateForeignServerStmt", "CREATE SERVER"},
    {"CreateForeignTableStmt", "CREATE FOREIGN TABLE"},
    {"CreateOpClassStmt", "CREATE OPERATOR CLASS"},
    {"CreateOpFamilyStmt", "CREATE OPERATOR FAMILY"},
    {"CreatePLangStmt", "CREATE LANGUAGE"},
    {"CreatePolicyStmt", "CREATE POLICY"},
    {"CreatePublicationStmt", "CREATE PUBLICATION"},
    {"CreateRangeStmt", "CREATE TYPE"},
    {"CreateRoleStmt", "CREATE ROLE"},
    {"CreateSchemaStmt", "CREATE SCHEMA"},
    {"CreateSeqStmt", "CREATE SEQUENCE"},
    {"CreateStatsStmt", "CREATE STATISTICS"},
    {"CreateStmt", "CREATE TABLE"},
    {"CreateSubscriptionStmt", "CREATE SUBSCRIPTION"},
    {"CreateTableSpaceStmt", "CREATE TABLESPACE"},
    {"CreateTransformStmt", "CREATE TRANSFORM"},
    {"CreateTrigStmt", "CREATE TRIGGER"},
    {"CreateUserMappingStmt", "CREATE USER MAPPING"},
    {"CreatedbStmt", "CREATE DATABASE"},
    {"DeallocateStmt", "DEALLOCATE"},
    {"DeclareCursorStmt", "DECLARE CURSOR"},
    {"DeleteStmt", "DELETE"},
    {"DoStmt", "DO"},
    {"DropOwnedStmt", "DROP OWNED"},
    {"DropRoleStmt", "DROP ROLE"},
    {"DropSubscriptionStmt", "DROP SUBSCRIPTION"},
    {"DropTableSpaceStmt", "DROP TABLESPACE"},
    {"DropUserMappingStmt", "DROP USER MAPPING"},
    {"DropdbStmt", "DROP DATABASE"},
    {"ExecuteStmt", "EXECUTE"},
    {"ExplainStmt", "EXPLAIN"},
    {"FetchStmt", "FETCH"},
    {"ImportForeignSchemaStmt", "IMPORT FOREIGN SCHEMA"},
    {"IndexStmt", "CREATE INDEX"},
    {"InsertStmt", "INSERT"},
    {"ListenStmt", "LISTEN"},
    {"LoadStmt", "LOAD"},
    {"LockStmt", "LOCK TABLE"},
    {"MergeStmt", "MERGE"},
    {"NotifyStmt", "NOTIFY"},
    {"PrepareStmt", "PREPARE"},
    {"ReassignOwnedStmt", "REASSIGN OWNED"},
    {"RefreshMatViewStmt", "REFRESH MATERIALIZED VIEW"},
    {"ReindexStmt", "REINDEX"},
    {"RuleStmt", "CREATE RULE"},
    {"SecLabelStmt", "SECURITY LABEL"},
    {"SelectStmt", "SELECT"},
    {"TruncateStmt", "TRUNCATE TABLE"},
    {"UnlistenStmt", "UNLISTEN"},
    {"UpdateStmt", "UPDATE"},
    {"VariableShowStmt", "SHOW"},
    {"ViewStmt", "CREATE VIEW"},
});
static_assert(std::ranges::is_sorted(kTags, {}, &decltype(kTags)::value_type::first));

// The words for a kind of object.
std::string ObjectWords(pg_query::ObjectType type) {
  switch (type) {
    case pg_query::OBJECT_MATVIEW:
      return "MATERIALIZED VIEW";
    case pg_query::OBJECT_ATTRIBUTE:
      return "TYPE";
    case pg_query::OBJECT_DOMCONSTRAINT:
      return "DOMAIN";
    case pg_query::OBJECT_COLUMN:
    case pg_query::OBJECT_TABCONSTRAINT:
      return "TABLE";
    case pg_query::OBJECT_STATISTIC_EXT:
      return "STATISTICS";
    case pg_query::OBJECT_FDW:
      return "FOREIGN DATA WRAPPER";
    case pg_query::OBJECT_FOREIGN_SERVER:
      return "SERVER";
    case pg_query::OBJECT_LARGEOBJECT:
      return "LARGE OBJECT";
    case pg_query::OBJECT_OPCLASS:
      return "OPERATOR CLASS";
    case pg_query::OBJECT_OPFAMILY:
      return "OPERATOR FAMILY";
    case pg_query::OBJECT_TSCONFIGURATION:
      return "TEXT SEARCH CONFIGURATION";
    case pg_query::OBJECT_TSDICTIONARY:
      return "TEXT SEARCH DICTIONARY";
    case pg_query::OBJECT_TSPARSER:
      return "TEXT SEARCH PARSER";
    case pg_query::OBJECT_TSTEMPLATE:
      return "TEXT SEARCH TEMPLATE";
    default:
      break;
  }
  // OBJECT_EVENT_TRIGGER and most others spell it.
  std::string words = pg_query::ObjectType_Name(type);
  if (words.starts_with("OBJECT_")) words.erase(0, 7);
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string TransactionTag(const pg_query::TransactionStmt& statement) {
  switch (statement.kind()) {
    case pg_query::TRANS_STMT_BEGIN:
      return "BEGIN";
    case pg_query::TRANS_STMT_START:
      return "START TRANSACTION";
    case pg_query::TRANS_STMT_COMMIT:
      return "COMMIT";
    case pg_query::TRANS_STMT_SAVEPOINT:
      return "SAVEPOINT";
    case pg_query::TRANS_STMT_RELEASE:
      return "RELEASE";
    case pg_query::TRANS_STMT_PREPARE:
      return "PREPARE TRANSACTION";
    case pg_query::TRANS_STMT_COMMIT_PREPARED:
      return "COMMIT PREPARED";
    case pg_query::TRANS_STMT_ROLLBACK_PREPARED:
      return "ROLLBACK PREPARED";
    default:
      return "ROLLBACK";
  }
}

bool Resets(const pg_query::VariableSetStmt& statement) {
  return statement.kind() == pg_query::VAR_RESET || statement.kind() == pg_query::VAR_RESET_ALL;
}

std::string DiscardTag(pg_query::DiscardMode mode) {
  switch (mode) {
    case pg_query::DISCARD_PLANS:
      return "DISCARD PLANS";
    case pg_query::DISCARD_SEQUENCES:
      return "DISCARD SEQUENCES";
    case pg_query::DISCARD_TEMP:
      return "DISCARD TEMP";
    default:
      return "DISCARD ALL";
  }
}

// The rest follows from the node's name.
std::string TagByName(const pg_query::Node& statement) {
  const auto inside = tree::Inside(statement);
  if (!inside) return "";
  const std::string_view name = inside->name();
  const auto found =
      std::ranges::lower_bound(kTags, name, {}, [](const auto& row) { return row.first; });
  return found != kTags.end() && found->first == name ? std::string(found->second)
                                                      : std::string(name);
}

}  // namespace

std::string CommandTag(const pg_query::Node& statement) {
  const auto alter = [](pg_query::ObjectType type) { return "ALTER " + ObjectWords(type); };
  switch (statement.node_case()) {
    case pg_query::Node::kAlterTableStmt:
      return alter(statement.alter_table_stmt().objtype());
    case pg_query::Node::kAlterTableMoveAllStmt:
      return alter(statement.alter_table_move_all_stmt().objtype());
    case pg_query::Node::kRenameStmt: {
      const auto& rename = statement.rename_stmt();
      const bool is_column = rename.rename_type() == pg_query::OBJECT_COLUMN;
      return alter(is_column ? rename.relation_type() : rename.rename_type());
    }
    case pg_query::Node::kAlterObjectSchemaStmt:
      return alter(statement.alter_object_schema_stmt().object_type());
    case pg_query::Node::kAlterOwnerStmt:
      return alter(statement.alter_owner_stmt().object_type());
    case pg_query::Node::kAlterObjectDependsStmt:
      return alter(statement.alter_object_depends_stmt().object_type());
    case pg_query::Node::kAlterFunctionStmt:
      return alter(statement.alter_function_stmt().objtype());
    case pg_query::Node::kDropStmt:
      return "DROP " + ObjectWords(statement.drop_stmt().remove_type());
    case pg_query::Node::kDefineStmt:
      return "CREATE " + ObjectWords(statement.define_stmt().kind());
    case pg_query::Node::kCreateFunctionStmt:
      return statement.create_function_stmt().is_procedure() ? "CREATE PROCEDURE"
                                                             : "CREATE FUNCTION";
    case pg_query::Node::kCreateTableAsStmt:
      return statement.create_table_as_stmt().objtype() == pg_query::OBJECT_MATVIEW
                 ? "CREATE MATERIALIZED VIEW"
                 : "CREATE TABLE AS";
    case pg_query::Node::kGrantStmt:
      return statement.grant_stmt().is_grant() ? "GRANT" : "REVOKE";
    case pg_query::Node::kGrantRoleStmt:
      return statement.grant_role_stmt().is_grant() ? "GRANT ROLE" : "REVOKE ROLE";
    case pg_query::Node::kTransactionStmt:
      return TransactionTag(statement.transaction_stmt());
    case pg_query::Node::kVariableSetStmt:
      return Resets(statement.variable_set_stmt()) ? "RESET" : "SET";
    case pg_query::Node::kDiscardStmt:
      return DiscardTag(statement.discard_stmt().target());
    case pg_query::Node::kVacuumStmt:
      return statement.vacuum_stmt().is_vacuumcmd() ? "VACUUM" : "ANALYZE";
    default:
      return TagByName(statement);
  }
}

}  // namespace pgalter::sql::ast
