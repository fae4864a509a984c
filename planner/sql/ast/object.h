#pragma once

// Objects beside tables and indexes, as written; renaming, moving and dropping of any kind.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/sql/ast/constraint.h"
#include "planner/sql/ast/index.h"
#include "planner/sql/ast/table.h"

namespace pgalter::sql::ast {

enum class ObjectKind {
  kTable,
  kIndex,
  kView,
  kMaterializedView,
  kSequence,
  kForeignTable,
  kColumn,
  kConstraint,
  kDomainConstraint,
  kTrigger,
  kRule,
  kPolicy,
  kType,
  kDomain,
  kAttribute,
  kFunction,  // procedures and aggregates, too
  kSchema,
  kDatabase,
  kTablespace,
  kRole,
  kExtension,
  kPublication,
  kSubscription,
  kStatistics,
  kEventTrigger,
  kOther,
};

// The types of a function's arguments that a call gives; nullopt: none were written, and whichever
// function has the name is meant.
using ArgumentTypes = std::optional<std::vector<TypeName>>;

struct Rename {
  ObjectKind kind = ObjectKind::kOther;
  // The relation, type or whatever is renamed or has the renamed part.
  QualifiedName name;
  RelationKind relation = RelationKind::kTable;  // as written: ALTER TABLE may name an index
  std::string part;                              // the column, constraint, trigger, attribute …
  std::string new_name;
  ArgumentTypes arguments;
  bool if_exists = false;
};

struct SetSchema {
  ObjectKind kind = ObjectKind::kOther;
  QualifiedName name;
  std::string new_schema;
  ArgumentTypes arguments;
  bool if_exists = false;
};

struct Drop {
  ObjectKind kind = ObjectKind::kOther;
  std::vector<QualifiedName> names;
  std::vector<ArgumentTypes> arguments;   // of functions, one for each name
  std::optional<QualifiedName> on_table;  // of a trigger, rule or policy, whose name is in `names`
  bool concurrently = false;
  bool if_exists = false;
  bool cascade = false;
};

// A column that a view has, as far as its text tells.
struct ViewColumn {
  std::string name;
  std::optional<TypeName> cast;     // to which it is cast
  std::optional<ColumnUse> column;  // that stands for it alone
};

// A table in FROM.
struct FromTable {
  QualifiedName table;
  std::string alias;  // empty unless written
};

struct CreateView {
  QualifiedName name;
  bool replace = false;
  bool temporary = false;
  std::vector<QualifiedName> reads;
  std::vector<ColumnUse> columns;  // that its query mentions
  // Where every column is one of these tables': no subquery, no function in FROM. Else empty.
  std::vector<FromTable> from;
  std::vector<ViewColumn> outputs;    // its own columns; empty: the text alone does not tell
  std::vector<std::string> literals;  // strings, at any depth
};

struct CreateTrigger {
  std::string name;
  QualifiedName table;
  bool constraint = false;
  bool replace = false;
  bool row = false;
  bool before = false;
  std::vector<std::string> columns;     // UPDATE OF …
  std::vector<ColumnUse> when_columns;  // that WHEN (…) mentions, by NEW and OLD
  bool when_has_subquery = false;
  QualifiedName function;
};

enum class Volatility { kVolatile, kStable, kImmutable };

// What a function gives back. A single OUT argument or column of TABLE (…) is its type.
struct FunctionResult {
  struct Field {
    std::string name;
    TypeName type;
  };
  TypeName type;  // "record" where there are several; "void" of a procedure without
  bool set = false;
  std::vector<Field> fields;  // of a record
};

struct CreateFunction {
  QualifiedName name;
  int arguments = 0;                     // that a call gives: IN, INOUT and VARIADIC
  int optional_arguments = 0;            // those of them that have a default
  std::vector<TypeName> types;           // of the arguments
  std::vector<std::string> names;        // of the arguments; empty: it has none
  std::optional<FunctionResult> result;  // none: a type is that of a column (%TYPE)
  bool procedure = false;
  bool replace = false;
  std::string language;
  std::optional<Volatility> volatility;  // none: the server takes VOLATILE
  bool security_definer = false;
  bool sets_search_path = false;
  std::string body;  // of AS '…', RETURN … and BEGIN ATOMIC …
  std::string text;  // the whole statement
};

struct AlterFunction {
  QualifiedName name;
  ArgumentTypes arguments;
  std::optional<Volatility> volatility;  // nullopt: stays
};

struct CreateRule {
  std::string name;
  QualifiedName table;
  bool replace = false;
  std::vector<QualifiedName> reads;
  std::vector<ColumnUse> columns;  // that its condition and actions mention
};

struct Policy {
  std::string name;
  QualifiedName table;
  bool create = true;  // else ALTER
  std::vector<QualifiedName> reads;
  std::vector<ColumnUse> columns;
  std::vector<FunctionUse> functions;
  std::vector<std::string> literals;  // strings, at any depth
};

struct CreateType {
  enum class Shape { kEnum, kComposite, kRange, kBase, kShell };
  QualifiedName name;
  Shape shape = Shape::kEnum;
  std::vector<std::string> values;           // of an enum
  std::vector<ColumnDefinition> attributes;  // of a composite
};

struct AlterEnum {
  QualifiedName name;
  std::string new_value;  // ADD VALUE, or what RENAME VALUE makes
  std::string old_value;  // RENAME VALUE; empty: ADD VALUE
  std::string neighbour;  // BEFORE, AFTER; empty: at the end
  bool after = false;     // AFTER the neighbour
  bool if_not_exists = false;
};

// ALTER TYPE of a composite type.
struct AlterComposite {
  QualifiedName name;
  std::vector<TableCommand> commands;
  bool cascade = false;
};

struct CreateDomain {
  QualifiedName name;
  TypeName type;
  std::vector<Constraint> constraints;
};

struct AlterDomain {
  enum class Change {
    kSetDefault,
    kDropDefault,
    kSetNotNull,
    kDropNotNull,
    kAddConstraint,
    kDropConstraint,
    kValidateConstraint,
  };
  QualifiedName name;
  Change change = Change::kSetDefault;
  std::optional<Constraint> constraint;
  std::string constraint_name;
};

struct Sequence {
  QualifiedName name;  // of a temporary one in "pg_temp"
  bool create = true;  // else ALTER
  bool if_not_exists = false;
  bool rewrites = false;  // ALTER that changes more than its owner
  bool restarts = false;
  std::optional<std::int64_t> max_value;
  std::optional<QualifiedName> owner_table;
  std::string owner_column;
};

struct CreateStatistics {
  std::string name;
  QualifiedName table;
};

struct Grant {
  bool grant = true;  // else REVOKE
  ObjectKind kind = ObjectKind::kTable;
  bool all_in_schema = false;
  bool default_privileges = false;
  bool all_privileges = false;
  bool to_public = false;
  bool with_grant_option = false;
  bool role_membership = false;
  std::vector<QualifiedName> objects;
  std::vector<std::string> grantees;
};

struct CommentOn {
  ObjectKind kind = ObjectKind::kOther;
  QualifiedName name;  // of the relation, where a part of one is meant
  std::string part;    // the column, constraint, trigger …
};

struct Publication {
  std::string name;
  bool create = true;
  bool all_tables = false;
  bool subscription = false;
  std::vector<QualifiedName> tables;
};

// ALTER TABLE, INDEX or MATERIALIZED VIEW ALL IN TABLESPACE … SET TABLESPACE …
struct MoveTablespace {
  RelationKind kind = RelationKind::kTable;
  std::string from;
  std::string to;
  bool nowait = false;
};

struct Extension {
  std::string name;
  bool create = true;  // else ALTER … UPDATE and the like
  bool if_not_exists = false;
};

struct CreateSchema {
  std::string name;
  bool if_not_exists = false;
  // What is made together with it; names without a schema are in this one.
  std::vector<CreateTable> tables;
  std::vector<CreateIndex> indexes;
  std::vector<CreateView> views;
  std::vector<Sequence> sequences;
};

}  // namespace pgalter::sql::ast
