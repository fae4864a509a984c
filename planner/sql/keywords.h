#pragma once

// Words that cannot stand as a plain identifier everywhere. Private to planner/sql.

#include <string_view>

namespace pgalter::sql {

// Whether PostgreSQL's quote_ident() quotes this lower-case word: every keyword that is not
// "unreserved", in any server version known to us, so that text quoted here is read alike by all of
// them.
bool NeedsQuotesAsKeyword(std::string_view word);

}  // namespace pgalter::sql
