// Owner only: default privileges (ALTER DEFAULT PRIVILEGES) give away what is made; these
// statements take it back from what was made for us. In the transaction that made it, by its owner.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgalter::guard {

// Whoever has no USAGE of a schema reaches nothing in it.
std::string TakeBackSchema(const std::string& schema);  // quoted
// Its tables and sequences but for those that were there before, by OID.
std::string TakeBackRelations(const std::string& schema, const std::vector<std::int64_t>& before);

}  // namespace pgalter::guard
