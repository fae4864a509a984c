// A number that the user's own SQL returns.
#pragma once

#include <string>

#include "engine/watch/signal.h"

namespace pgalter::watch {

// One row, first column a number; in a read-only transaction, under the role's own search_path.
// Throws pg::PgError.
Task<Observation> ReadUserQuery(guard::Session& session, std::string sql);

// The number that a text is, without blanks around it.
std::optional<double> NumberOf(std::string_view text);

}  // namespace pgalter::watch
