#pragma once

// What is no definition of an object: transactions, settings, rows, and the rest.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "planner/locks/lock_mode.h"
#include "planner/sql/ast/expression.h"

namespace pgalter::sql::ast {

struct Transaction {
  enum class Verb {
    kBegin,
    kCommit,
    kRollback,
    kSavepoint,
    kRelease,
    kRollbackTo,
    kPrepare,
    kOther
  };
  Verb verb = Verb::kBegin;
  std::string name;  // of a savepoint
};

struct Set {
  std::string name;   // lower case
  std::string value;  // as one text; empty for RESET and DEFAULT
  bool local = false;
  bool reset = false;  // RESET, SET … TO DEFAULT; RESET ALL has name "all"
};

struct LockTable {
  std::vector<QualifiedName> tables;
  locks::LockMode mode = locks::LockMode::kAccessExclusive;
  bool nowait = false;
};

struct Truncate {
  std::vector<QualifiedName> tables;
  bool cascade = false;
};

// INSERT, UPDATE, DELETE, MERGE.
struct Modify {
  enum class Verb { kInsert, kUpdate, kDelete, kMerge };
  Verb verb = Verb::kUpdate;
  QualifiedName table;
  std::vector<QualifiedName> reads;  // other tables: FROM, USING, subqueries
  std::optional<Expression> where;   // of UPDATE, DELETE and the SELECT of an INSERT
  bool where_has_subquery = false;
  bool has_limit = false;                // anywhere inside: it goes by parts
  bool from_query = false;               // INSERT … SELECT (not VALUES)
  std::vector<std::string> set_columns;  // of UPDATE and MERGE's UPDATE, INSERT's list
  // That are given the literal NULL, by UPDATE or in some row of VALUES; where INSERT has no list,
  // their places in the table, from 0.
  std::vector<std::string> null_columns;
  std::vector<std::size_t> null_places;
  bool merge_deletes = false;         // WHEN … THEN DELETE
  bool upserts = false;               // ON CONFLICT … DO UPDATE
  bool duplicate_column = false;      // one is assigned twice
  std::vector<std::string> literals;  // strings, at any depth: an enum's value may be among them
  std::vector<Modify> within;         // those in its WITH
};

struct Select {
  std::vector<QualifiedName> reads;
  bool locks_rows = false;  // FOR UPDATE and its kin
  bool has_limit = false;
  std::vector<FunctionUse> functions;
  std::vector<std::string> literals;
  std::vector<Modify> within;  // those in its WITH
};

struct Copy {
  std::optional<QualifiedName> table;  // none: COPY (query)
  bool from = false;
  bool stdin_or_stdout = false;
};

// DO.
struct DoBlock {
  std::string language = "plpgsql";
  std::string body;
};

struct Call {
  QualifiedName procedure;
};

// Named by the server's command tag: "CREATE DATABASE", "ALTER SYSTEM", "LISTEN".
struct Other {
  std::string tag;
  std::vector<std::string> literals;
};

}  // namespace pgalter::sql::ast
