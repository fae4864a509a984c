#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "planner/sql/ast/read_expression.h"
#include "planner/sql/ast/read_table.h"

namespace pgalter::sql::ast {
namespace {

// By the names in PostgreSQL's trees: their numbers, and which of them there are, depend on the
// version.
constexpr std::array kChanges = std::to_array<std::pair<std::string_view, TableChange>>({
    {"AT_AddColumn", TableChange::kAddColumn},
    {"AT_AddConstraint", TableChange::kAddConstraint},
    {"AT_AddIdentity", TableChange::kAddIdentity},
    {"AT_AddInherit", TableChange::kInherit},
    {"AT_AddOf", TableChange::kOfType},
    {"AT_AlterColumnGenericOptions", TableChange::kSetColumnOptions},
    {"AT_AlterColumnType", TableChange::kSetType},
    {"AT_AlterConstraint", TableChange::kAlterConstraint},
    {"AT_AttachPartition", TableChange::kAttachPartition},
    {"AT_ChangeOwner", TableChange::kOwner},
    {"AT_ClusterOn", TableChange::kClusterOn},
    {"AT_ColumnDefault", TableChange::kSetDefault},
    {"AT_DetachPartition", TableChange::kDetachPartition},
    {"AT_DetachPartitionFinalize", TableChange::kDetachPartitionFinalize},
    {"AT_DisableRowSecurity", TableChange::kDisableRowSecurity},
    {"AT_DisableRule", TableChange::kDisableRule},
    {"AT_DisableTrig", TableChange::kDisableTrigger},
    {"AT_DisableTrigAll", TableChange::kDisableTrigger},
    {"AT_DisableTrigUser", TableChange::kDisableTrigger},
    {"AT_DropCluster", TableChange::kSetWithoutCluster},
    {"AT_DropColumn", TableChange::kDropColumn},
    {"AT_DropConstraint", TableChange::kDropConstraint},
    {"AT_DropExpression", TableChange::kDropExpression},
    {"AT_DropIdentity", TableChange::kDropIdentity},
    {"AT_DropInherit", TableChange::kNoInherit},
    {"AT_DropNotNull", TableChange::kDropNotNull},
    {"AT_DropOf", TableChange::kNotOf},
    {"AT_EnableAlwaysRule", TableChange::kEnableRule},
    {"AT_EnableAlwaysTrig", TableChange::kEnableTrigger},
    {"AT_EnableReplicaRule", TableChange::kEnableRule},
    {"AT_EnableReplicaTrig", TableChange::kEnableTrigger},
    {"AT_EnableRowSecurity", TableChange::kEnableRowSecurity},
    {"AT_EnableRule", TableChange::kEnableRule},
    {"AT_EnableTrig", TableChange::kEnableTrigger},
    {"AT_EnableTrigAll", TableChange::kEnableTrigger},
    {"AT_EnableTrigUser", TableChange::kEnableTrigger},
    {"AT_ForceRowSecurity", TableChange::kForceRowSecurity},
    {"AT_GenericOptions", TableChange::kSetOptions},
    {"AT_MergePartitions", TableChange::kMergePartitions},
    {"AT_NoForceRowSecurity", TableChange::kNoForceRowSecurity},
    {"AT_ReplicaIdentity", TableChange::kReplicaIdentity},
    {"AT_ResetOptions", TableChange::kResetColumnOptions},
    {"AT_ResetRelOptions", TableChange::kResetOptions},
    {"AT_SetAccessMethod", TableChange::kSetAccessMethod},
    {"AT_SetCompression", TableChange::kSetCompression},
    {"AT_SetExpression", TableChange::kSetExpression},
    {"AT_SetIdentity", TableChange::kSetIdentity},
    {"AT_SetLogged", TableChange::kSetLogged},
    {"AT_SetNotNull", TableChange::kSetNotNull},
    {"AT_SetOptions", TableChange::kSetColumnOptions},
    {"AT_SetRelOptions", TableChange::kSetOptions},
    {"AT_SetStatistics", TableChange::kSetStatistics},
    {"AT_SetStorage", TableChange::kSetStorage},
    {"AT_SetTableSpace", TableChange::kSetTablespace},
    {"AT_SetUnLogged", TableChange::kSetUnlogged},
    {"AT_SplitPartition", TableChange::kSplitPartition},
    {"AT_ValidateConstraint", TableChange::kValidateConstraint},
    // Those of ALTER TYPE … ATTRIBUTE are AT_AddColumn, AT_DropColumn and AT_AlterColumnType.
});
static_assert(std::ranges::is_sorted(kChanges, {}, &decltype(kChanges)::value_type::first));

TableChange ReadChange(const pg_query::AlterTableCmd& command) {
  const std::string& name = pg_query::AlterTableType_Name(command.subtype());
  const auto* found =
      std::ranges::lower_bound(kChanges, name, {}, [](const auto& row) { return row.first; });
  return found != kChanges.end() && found->first == name ? found->second : TableChange::kOther;
}

std::string ReadReplicaIdentity(const pg_query::ReplicaIdentityStmt& identity) {
  if (identity.identity_type() == "f") return "full";
  if (identity.identity_type() == "n") return "nothing";
  return identity.identity_type() == "i" ? "index" : "default";
}

void ReadSetType(TableCommand& read, const pg_query::ColumnDef& column, Extent extent,
                 Source& source) {
  read.type = ReadType(column.type_name());
  if (column.has_coll_clause()) read.collation = ReadName(column.coll_clause().collname()).name;
  if (column.has_raw_default())
    read.expression =
        ReadExpression(column.raw_default(), source.After(extent, pg_query::USING), source);
}

void ReadPartition(TableCommand& read, const pg_query::PartitionCmd& partition, Source& source) {
  read.other = ReadName(partition.name());
  if (partition.has_bound()) read.bound = ReadBound(partition.bound(), source);
  if (partition.concurrent()) read.change = TableChange::kDetachPartitionConcurrently;
}

void ReadExpressionOf(TableCommand& read, const pg_query::Node& definition, Extent extent,
                      Source& source) {
  const bool is_default = read.change == TableChange::kSetDefault;
  const Extent value = is_default ? source.After(extent, pg_query::DEFAULT)
                                  : source.InBrackets(source.After(extent, pg_query::AS));
  read.expression = ReadExpression(definition, value, source);
}

// What stands in `def` follows from the change.
void ReadDefinition(TableCommand& read, const pg_query::Node& definition, Extent extent,
                    Source& source) {
  switch (read.change) {
    case TableChange::kAddColumn:
      read.column = ReadColumnDefinition(definition.column_def(), source);
      read.name = read.column->name;
      break;
    case TableChange::kSetType:
      ReadSetType(read, definition.column_def(), extent, source);
      break;
    case TableChange::kSetDefault:
    case TableChange::kSetExpression:
      ReadExpressionOf(read, definition, extent, source);
      break;
    case TableChange::kAddConstraint:
    case TableChange::kAlterConstraint:
      if (!definition.has_constraint()) break;
      read.constraint = ReadConstraint(definition.constraint(), source);
      read.name = read.constraint->name;
      break;
    case TableChange::kAddIdentity:
      if (definition.has_constraint())
        read.constraint = ReadConstraint(definition.constraint(), source);
      break;
    case TableChange::kSetStatistics:
    case TableChange::kSetStorage:
    case TableChange::kSetCompression:
      if (definition.has_integer()) read.value = std::to_string(definition.integer().ival());
      if (definition.has_string()) read.value = LowerCase(definition.string().sval());
      break;
    case TableChange::kReplicaIdentity:
      read.value = ReadReplicaIdentity(definition.replica_identity_stmt());
      read.name = definition.replica_identity_stmt().name();
      break;
    case TableChange::kInherit:
    case TableChange::kNoInherit:
      read.other = ReadName(definition.range_var());
      break;
    case TableChange::kOfType:
      read.type = ReadType(definition.type_name());
      break;
    case TableChange::kAttachPartition:
    case TableChange::kDetachPartition:
    case TableChange::kDetachPartitionFinalize:
    case TableChange::kSplitPartition:
    case TableChange::kMergePartitions:
      if (definition.has_partition_cmd()) ReadPartition(read, definition.partition_cmd(), source);
      break;
    default:
      if (definition.has_list()) read.options = ReadOptions(Items(definition));
      // SET GENERATED: a letter's number.
      if (const auto kind = read.options.find("generated"); kind != read.options.end())
        kind->second = kind->second == std::to_string(int{'a'}) ? "always" : "by default";
  }
}

TableCommand ReadCommand(const pg_query::AlterTableCmd& command, Extent extent, Source& source) {
  TableCommand read;
  read.change = ReadChange(command);
  read.name = command.name();
  if (command.num() > 0) read.name = std::to_string(command.num());  // a column of an index
  read.if_exists = command.missing_ok();
  read.cascade = command.behavior() == pg_query::DROP_CASCADE;
  read.user_triggers = command.subtype() == pg_query::AT_DisableTrigUser ||
                       command.subtype() == pg_query::AT_EnableTrigUser;
  if (command.has_newowner()) read.name = ReadRole(command.newowner());
  if (read.change == TableChange::kSetDefault && !command.has_def())
    read.change = TableChange::kDropDefault;
  if (command.has_def()) ReadDefinition(read, command.def(), extent, source);
  return read;
}

}  // namespace

std::vector<TableCommand> ReadTableCommands(const pg_query::AlterTableStmt& statement,
                                            Source& source) {
  // Only expressions need their place; looking for it costs a scan.
  const bool has_expression = std::ranges::any_of(statement.cmds(), [](const auto& node) {
    const auto& command = node.alter_table_cmd();
    const auto change = ReadChange(command);
    return command.has_def() &&
           (change == TableChange::kSetDefault || change == TableChange::kSetExpression ||
            (change == TableChange::kSetType && command.def().column_def().has_raw_default()));
  });
  // Outside of brackets commas stand only between commands.
  std::vector<Extent> extents;
  if (has_expression) extents = source.Parts(source.From(statement.relation().location()));
  std::vector<TableCommand> commands;
  for (int i = 0; i < statement.cmds_size(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    const Extent extent = place < extents.size() ? extents[place] : Extent{};
    commands.push_back(ReadCommand(statement.cmds(i).alter_table_cmd(), extent, source));
  }
  return commands;
}

AlterTable ReadAlterTable(const pg_query::AlterTableStmt& statement, Source& source) {
  AlterTable table;
  table.name = ReadName(statement.relation());
  table.kind = ReadRelationKind(statement.objtype());
  table.if_exists = statement.missing_ok();
  table.only = !statement.relation().inh();
  table.commands = ReadTableCommands(statement, source);
  return table;
}

}  // namespace pgalter::sql::ast
