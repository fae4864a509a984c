#include "engine/guard/replication_role.h"

namespace pgalter::guard {

Task<bool> MaySetReplicationRole(Session& session) {
  constexpr int kGrantsSettings = 150000;
  const char* const question =
      session.db().server_version() >= kGrantsSettings
          ? "SELECT pg_catalog.has_parameter_privilege('session_replication_role', 'SET')"
          : "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
  const pg::Result row = co_await session.db().Query(question);
  co_return row.Get<bool>(0, 0);
}

}  // namespace pgalter::guard
