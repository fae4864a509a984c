// What was gathered as one page of HTML that needs nothing else: to be read, printed and kept.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/evidence/gather.h"

namespace pgalter::cli::evidence {

std::string Page(const Gathered& gathered);

// For text and attributes of HTML; control characters become a replacement character.
std::string Escaped(std::string_view text);

}  // namespace pgalter::cli::evidence
