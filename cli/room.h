// What is known of a table's rows, and what a copy of it takes. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>

namespace pgalter::cli {

// Whether the estimate says anything, of a table of this size.
bool IsCounted(double estimate, std::int64_t bytes);
// null: there are rows, and nobody has counted them.
boost::json::value RowsJson(double estimate, std::int64_t bytes);

// What a copy of a table takes, whose size with its indexes this is: about as much disk, until the
// old one goes, and as much WAL; both together are what --throttle extra-bytes is a budget for.
void AddRoom(boost::json::object& object, std::int64_t table_bytes);

}  // namespace pgalter::cli
