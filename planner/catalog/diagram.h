#pragma once

// Tables and their foreign keys as an entity relationship diagram of Mermaid. Pure; the same schema
// gives the same text.

#include <set>
#include <string>

#include "planner/catalog/schema.h"

namespace pgalter::catalog {

// Tables as "schema.name" are left out with what refers to them. Partitions are not drawn: what
// refers to one refers to the whole.
[[nodiscard]] std::string Diagram(const Schema& schema, const std::set<std::string>& left_out);

}  // namespace pgalter::catalog
