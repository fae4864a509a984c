// The program without its `main`: arguments in, exit code out. Everything that goes wrong ends
// here.
#pragma once

#include <string>
#include <vector>

#include "engine/run/failure.h"

namespace pgalter::cli {

run::ExitCode Main(const std::vector<std::string>& arguments);

}  // namespace pgalter::cli
