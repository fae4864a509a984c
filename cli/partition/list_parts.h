// "eu=de,fr,it" of --values.
#pragma once

#include <string>

#include "batcher/partition/definition.h"

namespace pgalter::cli {

// Throws Rejected (usage).
partition::ListPart ListPartOf(const std::string& text);

}  // namespace pgalter::cli
