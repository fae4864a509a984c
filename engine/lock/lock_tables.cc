#include "engine/lock/lock_tables.h"

#include <fmt/format.h>

namespace pgalter::lock {

std::string LockStatement(const LockRequest& request) {
  std::string names;
  for (const sql::QualifiedName& table : request.tables)
    names += (names.empty() ? "" : ", ") + sql::ToString(table);
  return fmt::format("LOCK TABLE {} IN {} MODE", names, locks::Name(request.mode));
}

Task<> LockTables(guard::Session& session, LockRequest request) {
  co_await session.db().Query(LockStatement(request));
}

}  // namespace pgalter::lock
