// Missing right: what the server leaves open where it refuses a schema: which right it is, of whom,
// and who can give it.
#pragma once

#include <exception>

#include "cli/context.h"
#include "engine/async/task.h"

namespace pgalter::cli {

// The same error with the GRANT that helps as its hint, where it is a schema that was refused and
// nobody has said more; else `error` as it is. Asks by a session of its own.
async::Task<std::exception_ptr> WithGrant(const Context& context, std::exception_ptr error);

}  // namespace pgalter::cli
