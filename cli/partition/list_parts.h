// "eu=de,fr,it" of --values, and "g,n,t" where these cut ranges.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/definition.h"

namespace pgalter::cli {

// --values of one partition, with its name or without. Each throws (usage): no values, or a name
// that is none.
partition::ListPart MaybeNamed(const std::string& text);
// With its name.
partition::ListPart ListPartOf(const std::string& text);
// The points between ranges, which have no names.
partition::Givens CutsOf(const std::string& text);

}  // namespace pgalter::cli
