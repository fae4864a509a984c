// "eu=de,fr,it" of --values, and "g,n,t" where these cut ranges.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/definition.h"

namespace pgalter::cli {

// Each throws Rejected (usage). A value that begins with a quote is refused: somebody means SQL.
std::vector<std::string> ValuesOf(std::string text);
partition::ListPart ListPartOf(const std::string& text);
std::vector<std::string> CutsOf(const std::string& text);

}  // namespace pgalter::cli
