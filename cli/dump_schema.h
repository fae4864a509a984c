// The schema of a database as pg_dump writes it, without pgalter's own and what its runs keep
// there.
#pragma once

#include <string>

#include "cli/context.h"

namespace pgalter::cli {

// Its stderr is ours. Throws Rejected: there is no such program, or it failed.
Task<std::string> DumpSchema(Context context, std::string pg_dump);

}  // namespace pgalter::cli
