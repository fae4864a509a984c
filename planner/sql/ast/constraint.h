#pragma once

// Constraints of tables, columns and domains, as written.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/sql/ast/expression.h"

namespace pgalter::sql::ast {

enum class ConstraintKind {
  kNull,
  kNotNull,
  kDefault,
  kIdentity,
  kGeneratedStored,
  kGeneratedVirtual,  // PostgreSQL 18
  kCheck,
  kPrimaryKey,
  kUnique,
  kExclude,
  kForeignKey,
};

enum class ReferentialAction { kNoAction, kRestrict, kCascade, kSetNull, kSetDefault };

struct ForeignKey {
  QualifiedName target;
  std::vector<std::string> target_columns;  // empty: its primary key
  ReferentialAction on_delete = ReferentialAction::kNoAction;
  ReferentialAction on_update = ReferentialAction::kNoAction;
  bool match_full = false;
  std::vector<std::string> set_columns;  // ON DELETE SET NULL (…); empty: all
};

struct Constraint {
  ConstraintKind kind = ConstraintKind::kCheck;
  std::string name;  // empty unless written
  // Of a key, in their order; of a NOT NULL constraint of a table, its column. Empty where the
  // constraint stands at its column.
  std::vector<std::string> columns;
  std::vector<std::string> included;  // INCLUDE (…)
  // Of a default, CHECK, generated column; WHERE of an exclusion constraint.
  std::optional<Expression> expression;
  std::optional<ForeignKey> foreign_key;  // of kForeignKey
  std::string method;                     // of kExclude: "btree", "gist"
  std::string using_index;                // ADD … USING INDEX; empty: none
  bool not_valid = false;
  bool not_enforced = false;  // PostgreSQL 18
  bool enforced = false;      // PostgreSQL 18: ALTER CONSTRAINT … ENFORCED, which checks the rows
  bool deferrable = false;
  bool initially_deferred = false;
  bool no_inherit = false;
  bool identity_always = false;           // GENERATED ALWAYS AS IDENTITY
  std::optional<QualifiedName> sequence;  // of kIdentity: SEQUENCE NAME
  bool nulls_not_distinct = false;        // of kUnique
  // Of a key: WITH (…), lower case, and USING INDEX TABLESPACE.
  std::map<std::string, std::string> index_options;
  std::string index_tablespace;
  bool without_overlaps = false;  // PostgreSQL 18; of a foreign key: PERIOD
};

}  // namespace pgalter::sql::ast
