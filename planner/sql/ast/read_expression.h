#pragma once

// Types and expressions as values. Private to planner/sql.

#include <string>

#include "planner/sql/ast/expression.h"
#include "planner/sql/ast/source.h"
#include "planner/sql/facts.h"

namespace pgalter::sql::ast {

[[nodiscard]] TypeName ReadType(const pg_query::TypeName& type);

// `extent` is where it stands in the text; brackets around all of it are left out.
[[nodiscard]] Expression ReadExpression(const pg_query::Node& node, Extent extent, Source& source);

// A literal as SQL text; "" for anything else. Casts around it are left out.
[[nodiscard]] std::string LiteralText(const pg_query::Node& node);
// The value alone: strings without quotes.
[[nodiscard]] std::string ConstantText(const pg_query::A_Const& constant);

}  // namespace pgalter::sql::ast
