// The schema of a database as pg_dump writes it, without pgalter's own.
#pragma once

#include <string>

#include "cli/context.h"

namespace pgalter::cli {

// Its stderr is ours. Throws Rejected: there is no such program, or it failed.
std::string DumpSchema(const Context& context, const std::string& pg_dump);

}  // namespace pgalter::cli
