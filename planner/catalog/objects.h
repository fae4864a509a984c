#pragma once

// What the virtual schema knows of one object. Pure values.
//
// "Known" has a meaning here: a table that a migration alters without anybody having shown its
// CREATE TABLE has no complete definition, and what is not listed may exist all the same.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/sql/ast/constraint.h"
#include "planner/sql/ast/index.h"
#include "planner/sql/ast/object.h"
#include "planner/sql/ast/table.h"

namespace pgalter::catalog {

using sql::QualifiedName;

// When an object came into being, seen from the statement that is looked at.
enum class Origin {
  kBefore,  // it was there before: it may have rows, and clients
  kInRun,   // made by the files that are deployed together: nobody uses it yet
};

struct Column {
  std::string name;
  // false: only some statement about it was seen. Its type is empty, and what is not set may be.
  bool known = true;
  sql::ast::TypeName type;  // of a serial column the integer
  std::string collation;
  bool not_null = false;
  bool has_default = false;
  std::string default_value;  // as SQL, where it was shown
  bool identity = false;
  bool generated = false;
  bool generated_virtual = false;
  std::vector<std::string> generated_from;  // the columns its expression reads
  bool local = true;                        // else it stays only as long as a parent has it
  std::string statistics;                   // SET STATISTICS; empty: the default, as far as known
  Origin origin = Origin::kBefore;

  void SetDefault(const std::optional<sql::ast::Expression>& value);  // NULL is none
};

struct Constraint {
  sql::ast::Constraint definition;  // its columns are listed also where it stood at its column
  std::string name;                 // as the server names it where nobody did
  bool valid = true;
  bool local = true;   // else it goes with the parent's
  std::string parent;  // of a partition's foreign key: that of the partitioned table
};

struct Index {
  QualifiedName name;
  bool unique = false;
  bool nulls_not_distinct = false;
  bool valid = true;                    // false: a build may have been left behind
  bool constraint = false;              // belongs to a key of the table
  std::optional<QualifiedName> parent;  // the index of the partitioned table that it is a part of
  std::string method = "btree";
  std::vector<sql::ast::IndexColumn> columns;
  std::vector<std::string> included;
  std::optional<sql::ast::Expression> where;
  std::string tablespace;                      // empty: the database's own, as far as known
  std::map<std::string, std::string> options;  // storage parameters
  Origin origin = Origin::kBefore;

  // Also in an expression or condition.
  [[nodiscard]] bool Mentions(const std::string& column) const;
};

struct Trigger {
  std::string name;
  std::vector<std::string> columns;  // UPDATE OF …
  QualifiedName function;
  std::vector<std::string> columns_read;  // by WHEN (…)
};

// A column that a view has; its type where that is certain.
struct ViewOutput {
  std::string name;
  std::optional<sql::ast::TypeName> type;
};

enum class TableKind { kTable, kPartitioned, kForeign, kView, kMaterializedView, kSequence };

struct Table {
  QualifiedName name;
  TableKind kind = TableKind::kTable;
  sql::ast::Persistence persistence = sql::ast::Persistence::kPermanent;
  Origin origin = Origin::kBefore;
  bool complete = false;  // all columns, keys and indexes are known
  std::vector<Column> columns;
  std::vector<Constraint> constraints;
  std::vector<Index> indexes;
  std::vector<Trigger> triggers;
  std::vector<std::string> policies;
  std::vector<std::string> policy_columns;  // that some policy reads
  std::vector<std::string> rules;
  bool row_security = false;
  std::string replica_identity = "default";  // or "full", "nothing", "index", whose name is next
  std::string identity_index;
  std::string tablespace;     // empty: the database's own, as far as known
  std::string access_method;  // empty: the default, as far as known

  std::optional<sql::ast::PartitionBy> partition_by;
  std::optional<QualifiedName> parent;  // of a partition
  std::optional<sql::ast::PartitionBound> bound;
  std::vector<QualifiedName> inherits;

  std::vector<QualifiedName> reads;  // of a view
  // That its query mentions. Where the table is certain, `schema` and `qualifier` name it;
  // elsewhere it stands as written. A known table's t.* is spelled out.
  std::vector<sql::ColumnUse> view_columns;

  std::optional<QualifiedName> owned_by;  // of a sequence: goes with that table
  std::string owned_by_column;
  std::vector<ViewOutput> view_outputs;  // a view's own columns; empty: not known

  std::string of_type;  // OF a composite type, as "schema.name"
  std::string owner;    // a role; empty: not known

  std::optional<std::int64_t> rows;   // where sizes were given
  std::optional<std::int64_t> bytes;  // with indexes and TOAST

  [[nodiscard]] const Column* FindColumn(const std::string& column) const;
  [[nodiscard]] const Constraint* FindConstraint(const std::string& constraint) const;
  [[nodiscard]] const Index* FindIndex(const std::string& index) const;
  [[nodiscard]] const Constraint* PrimaryKey() const;
};

struct Domain {
  QualifiedName name;
  sql::ast::TypeName base;
  std::vector<sql::ast::Constraint> constraints;
  bool not_null = false;
  bool has_default = false;
  std::optional<sql::ast::Expression> default_value;  // where the statement that gave it was seen
  Origin origin = Origin::kBefore;

  [[nodiscard]] bool Constrained() const;  // by CHECK or NOT NULL
};

struct Type {
  QualifiedName name;
  sql::ast::CreateType::Shape shape = sql::ast::CreateType::Shape::kEnum;
  std::vector<std::string> values;  // of an enum
  std::vector<Column> attributes;   // of a composite
  Origin origin = Origin::kBefore;
};

struct Function {
  QualifiedName name;
  int arguments = 0;
  int optional_arguments = 0;             // those of them that have a default
  std::vector<sql::ast::TypeName> types;  // of the arguments; empty: not known
  std::vector<std::string> names;         // of the arguments; empty: not known
  // Not known of what no statement was seen to make.
  std::optional<sql::ast::FunctionResult> result;
  bool procedure = false;
  sql::ast::Volatility volatility = sql::ast::Volatility::kVolatile;
  std::string language;
  std::string body;
  Origin origin = Origin::kBefore;

  // As far as is known: a type may go by several names.
  [[nodiscard]] bool TakesTypes(const std::vector<sql::ast::TypeName>& given) const;
  // Whether a statement that names it so, with or without arguments, means this one.
  [[nodiscard]] bool IsMeant(const QualifiedName& named,
                             const sql::ast::ArgumentTypes& given) const;
};

}  // namespace pgalter::catalog
