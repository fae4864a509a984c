// What libpq says about a connection that could not be made, as a ConnectError. Pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/pg/error.h"

namespace pgalter::pg {

// `message`: PQerrorMessage at PQERRORS_VERBOSE, since libpq has no other way to tell the SQLSTATE
// of a refused connection; may be empty. `silent`: the hosts given up before; may be empty.
ConnectError ConnectFailure(std::string_view message, const std::string& silent);

}  // namespace pgalter::pg
