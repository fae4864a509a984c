// Triggers of a table that are its users', told from those that a run has put there.
#pragma once

#include <string>
#include <string_view>

namespace pgalter::dependants {

// A common table expression users_trigger, of the columns of pg_trigger: those on `tables`, a query
// of OIDs. A name that begins as ours do tells nothing by itself: the function of ours lies in a
// schema of ours.
std::string UsersTriggers(std::string_view tables);

}  // namespace pgalter::dependants
