#pragma once

// What is known of an expression, a type or a condition from its text alone.

#include <optional>
#include <string>
#include <vector>

#include "planner/sql/expression.h"
#include "planner/sql/identifier.h"

namespace pgalter::sql::ast {

// As the server's catalog calls it: "int4" for integer, "timestamptz" for timestamp with time zone,
// "varchar", "bpchar" for char(n). A name of the user's own is as written, unquoted.
struct TypeName {
  std::string schema;  // "pg_catalog" is left out
  std::string name;
  std::vector<int> modifiers;  // (10, 2) of numeric(10, 2); char alone has 1
  int array_dimensions = 0;

  bool operator==(const TypeName&) const = default;
};

// smallserial, serial, bigserial, and their other spellings.
[[nodiscard]] bool IsSerial(const TypeName& type);
// "numeric(10,2)[]", with the grammar's own names ("integer" is "int4"): for comparison and lookup.
[[nodiscard]] std::string ToString(const TypeName& type);

// `column op literal`, turned around where the literal stands on the left.
struct Comparison {
  std::string column;
  std::string op;       // "<", "<=", "=", "<>", ">=", ">"
  std::string literal;  // as SQL text, without a cast around it: 5, 'a'

  bool operator==(const Comparison&) const = default;
};

// What an index may not do everywhere: `at::date`. Of text taken out of JSON (`->>`, `#>>`) without
// a column.
struct ColumnCast {
  std::string column;
  TypeName type;

  bool operator==(const ColumnCast&) const = default;
};

// A literal and nothing else but casts around it. Not NULL.
struct Constant {
  enum class Kind { kString, kInteger, kDecimal, kBoolean, kBits };
  Kind kind = Kind::kString;
  std::string text;             // the value: a string without quotes
  std::vector<TypeName> casts;  // the innermost first
};

struct Expression {
  std::string text;  // as written
  ExpressionFacts facts;
  std::vector<TypeName> casts;  // of any depth
  std::vector<ColumnCast> column_casts;
  std::vector<std::string> literals;  // strings, of any depth
  bool is_null = false;               // the literal NULL, casts around it or not
  bool is_literal = false;  // a literal and nothing else, a sign or casts around it allowed
  std::optional<Constant> constant;
  std::optional<FunctionUse> call;  // it is this call and nothing else
  bool is_true = false;             // a condition that holds for every row: true, 1 = 1

  // Of a condition: the parts that AND joins at its top, as far as they are of these kinds.
  std::vector<std::string> not_null_columns;  // column IS NOT NULL
  std::vector<std::string> null_columns;      // column IS NULL
  std::vector<Comparison> comparisons;
};

}  // namespace pgalter::sql::ast
