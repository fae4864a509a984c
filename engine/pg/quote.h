// Quoting without a connection, for UTF-8, which every session of ours speaks. Identifiers are
// always quoted; the tests compare with PQescapeIdentifier on a live connection.
#pragma once

#include <string>
#include <string_view>

namespace pgalter::pg {

std::string QuoteIdentifier(std::string_view name);
std::string QuoteLiteral(std::string_view text);  // E'' form where a backslash is inside

}  // namespace pgalter::pg
