// The table of all checks, made from checks.def.
#pragma once

#include <span>

#include "engine/check/check.h"

namespace pgalter::check {

#define PGALTER_CHECK(name) extern const Check k##name;
#include "engine/check/checks.def"
#undef PGALTER_CHECK

std::span<const Check* const> AllChecks();
const Check* FindCheck(std::string_view id);  // nullptr: there is none

}  // namespace pgalter::check
