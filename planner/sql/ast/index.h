#pragma once

// Indexes and what rebuilds them, as written.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/sql/ast/expression.h"

namespace pgalter::sql::ast {

struct IndexColumn {
  std::string column;  // empty: an expression
  std::optional<Expression> expression;
  QualifiedName collation;       // empty: the column's own
  QualifiedName operator_class;  // empty: the type's default
  std::map<std::string, std::string> operator_class_options;
  bool descending = false;
  bool nulls_first = false;  // as it results: DESC alone has nulls first
};

struct CreateIndex {
  std::string name;  // empty: the server makes one
  QualifiedName table;
  bool only = false;
  bool concurrently = false;
  bool if_not_exists = false;
  bool unique = false;
  bool nulls_not_distinct = false;
  std::string method = "btree";
  std::vector<IndexColumn> columns;
  std::vector<std::string> included;
  std::optional<Expression> where;
  std::string tablespace;
  std::map<std::string, std::string> options;  // WITH (…), lower case
};

enum class ReindexKind { kIndex, kTable, kSchema, kDatabase, kSystem };

struct Reindex {
  ReindexKind kind = ReindexKind::kIndex;
  QualifiedName name;  // empty for SYSTEM without a name
  bool concurrently = false;
  bool moves_tablespace = false;
};

struct Cluster {
  std::optional<QualifiedName> table;  // none: every clustered table
  std::string index;
};

struct Vacuum {
  bool full = false;
  bool analyze = false;
  bool only_analyze = false;  // ANALYZE alone, which a transaction may hold
  std::vector<QualifiedName> tables;
};

struct RefreshMaterializedView {
  QualifiedName name;
  bool concurrently = false;
  bool with_data = true;
};

}  // namespace pgalter::sql::ast
