#include "cli/room.h"

namespace pgalter::cli {

bool IsCounted(double estimate, std::int64_t bytes) {
  constexpr std::int64_t kEmpty = 64 * 1024;  // with its indexes
  return static_cast<std::int64_t>(estimate) != 0 || bytes <= kEmpty;
}

boost::json::value RowsJson(double estimate, std::int64_t bytes) {
  if (!IsCounted(estimate, bytes)) return nullptr;
  return static_cast<std::int64_t>(estimate);
}

void AddRoom(boost::json::object& object, std::int64_t table_bytes) {
  object["table_bytes"] = table_bytes;
  object["disk_bytes"] = table_bytes;
  object["wal_bytes"] = table_bytes;
  object["extra_bytes"] = 2 * table_bytes;
}

}  // namespace pgalter::cli
