// What was gathered as one page of HTML that needs nothing else: to be read, printed and kept.
// Pure.
#pragma once

#include <string>

#include "cli/evidence/gather.h"

namespace pgalter::cli::evidence {

std::string Page(const Gathered& gathered);

}  // namespace pgalter::cli::evidence
