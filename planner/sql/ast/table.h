#pragma once

// CREATE TABLE and ALTER TABLE, as written.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/sql/ast/constraint.h"

namespace pgalter::sql::ast {

struct ColumnDefinition {
  std::string name;
  TypeName type;
  std::string collation;  // empty unless written
  std::vector<Constraint> constraints;

  [[nodiscard]] const Constraint* Find(ConstraintKind kind) const {
    for (const Constraint& constraint : constraints)
      if (constraint.kind == kind) return &constraint;
    return nullptr;
  }
};

// FOR VALUES … A literal is written as in Comparison, without a cast; anything else as it stands.
struct PartitionBound {
  bool is_default = false;
  std::vector<std::string> from;  // of a range; MINVALUE, MAXVALUE in capitals
  std::vector<std::string> to;
  std::vector<std::string> values;  // of a list
  int modulus = 0;                  // of a hash; 0: none
  int remainder = 0;
};

struct PartitionBy {
  std::string strategy;              // "range", "list", "hash"
  std::vector<std::string> columns;  // empty name: an expression
  std::vector<Expression> expressions;
};

enum class Persistence { kPermanent, kTemporary, kUnlogged };

struct CreateTable {
  QualifiedName name;
  Persistence persistence = Persistence::kPermanent;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> columns;
  std::vector<Constraint> constraints;
  std::vector<QualifiedName> like;
  bool like_constraints = false;  // INCLUDING CONSTRAINTS, or ALL
  bool like_indexes = false;
  bool like_defaults = false;
  bool like_generated = false;
  bool like_identity = false;
  std::vector<QualifiedName> inherits;
  std::optional<QualifiedName> partition_of;
  std::optional<PartitionBound> bound;
  std::optional<PartitionBy> partition_by;
  std::string of_type;
  bool foreign = false;
  std::map<std::string, std::string> options;  // WITH (…), lower case
};

// CREATE TABLE … AS, SELECT INTO and CREATE MATERIALIZED VIEW.
struct CreateTableAs {
  QualifiedName name;
  Persistence persistence = Persistence::kPermanent;
  bool materialized_view = false;
  bool if_not_exists = false;
  bool with_data = true;
  std::vector<QualifiedName> reads;
  std::vector<ColumnUse> columns;     // that its query mentions
  std::vector<std::string> literals;  // strings, at any depth
};

enum class TableChange {
  kAddColumn,
  kDropColumn,
  kSetType,
  kSetDefault,
  kDropDefault,
  kSetNotNull,
  kDropNotNull,
  kAddIdentity,
  kSetIdentity,
  kDropIdentity,
  kSetExpression,  // PostgreSQL 17
  kDropExpression,
  kSetStatistics,
  kSetStorage,
  kSetCompression,
  kSetColumnOptions,
  kResetColumnOptions,
  kAddConstraint,
  kAlterConstraint,
  kValidateConstraint,
  kDropConstraint,
  kOwner,
  kSetOptions,
  kResetOptions,
  kSetLogged,
  kSetUnlogged,
  kSetTablespace,
  kSetAccessMethod,
  kReplicaIdentity,
  kClusterOn,
  kSetWithoutCluster,
  kInherit,
  kNoInherit,
  kOfType,
  kNotOf,
  kEnableRowSecurity,
  kDisableRowSecurity,
  kForceRowSecurity,
  kNoForceRowSecurity,
  kEnableTrigger,  // also ALWAYS and REPLICA
  kDisableTrigger,
  kEnableRule,
  kDisableRule,
  kAttachPartition,
  kDetachPartition,
  kDetachPartitionConcurrently,
  kDetachPartitionFinalize,
  kSplitPartition,   // PostgreSQL 19
  kMergePartitions,  // PostgreSQL 19
  kOther,
};

struct TableCommand {
  TableChange change = TableChange::kOther;
  // The column, constraint, trigger, rule, index, owner, tablespace or access method. For triggers
  // "" means ALL, for DISABLE TRIGGER USER `user_triggers` is set.
  std::string name;
  bool user_triggers = false;
  // Of kSetStatistics, kSetStorage, kSetCompression. Of kReplicaIdentity "default", "full",
  // "nothing" or "index", whose name is `name`.
  std::string value;
  bool if_exists = false;  // DROP COLUMN IF EXISTS …; ADD COLUMN IF NOT EXISTS
  bool cascade = false;
  std::optional<ColumnDefinition> column;  // kAddColumn
  std::optional<TypeName> type;            // kSetType
  std::string collation;                   // kSetType
  std::optional<Expression> expression;    // USING of kSetType; kSetDefault; kSetExpression
  std::optional<Constraint> constraint;    // kAddConstraint, kAlterConstraint, kAddIdentity
  std::optional<QualifiedName> other;      // the partition; the parent of kInherit
  std::optional<PartitionBound> bound;     // kAttachPartition
  std::map<std::string, std::string> options;
};

enum class RelationKind { kTable, kIndex, kView, kMaterializedView, kSequence, kForeignTable };

// ALTER TABLE, and what the server runs through it: ALTER INDEX, VIEW, MATERIALIZED VIEW, SEQUENCE
// OWNER, FOREIGN TABLE. `kind` is the word that was written: ALTER TABLE takes an index, too.
struct AlterTable {
  QualifiedName name;
  RelationKind kind = RelationKind::kTable;
  bool if_exists = false;
  bool only = false;
  std::vector<TableCommand> commands;
};

}  // namespace pgalter::sql::ast
