#pragma once

// Names and literals as SQL text. Quoting follows the server's quote_ident() and quote_literal().
// No text with a NUL byte is a name or a literal in PostgreSQL: callers of the Quote functions have
// none.

#include <optional>
#include <string>
#include <string_view>

#include "planner/sql/result.h"

namespace pgalter::sql {

struct QualifiedName {
  std::optional<std::string> schema;
  std::string name;

  bool operator==(const QualifiedName&) const = default;
};

// Reads `name` or `schema.name`, quoted as SQL; an unquoted part is folded to lower case. Keywords
// need no quotes: nothing else can stand here. Names longer than the server keeps (63 bytes) are
// refused, not cut.
[[nodiscard]] Result<QualifiedName> ParseQualifiedName(std::string_view text);

[[nodiscard]] std::string ToString(const QualifiedName& name);

// Adds quotes unless `name` is a plain lower-case word that no server version reads as a keyword.
[[nodiscard]] std::string QuoteIdentifier(std::string_view name);

// Uses the E'' form where there is a backslash: right whatever standard_conforming_strings is.
[[nodiscard]] std::string QuoteLiteral(std::string_view value);

}  // namespace pgalter::sql
