// What the database's policy says no to, as the command line's own error.
#pragma once

#include "engine/pg/error.h"

namespace pgalter::cli {

// Returns when the error is another one. Throws Rejected: refused (4), or usage (2) for a request,
// meaning or role that is not there.
void RethrowAsPolicy(const pg::PgError& error);

}  // namespace pgalter::cli
