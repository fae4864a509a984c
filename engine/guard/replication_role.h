// session_replication_role: under `replica` triggers do not fire but for those that are ENABLE
// ALWAYS or ENABLE REPLICA, the server's own of foreign keys included. What is sent to subscribers
// does not hang on it.
#pragma once

#include "engine/guard/session.h"

namespace pgalter::guard {

// Whether the session's role may set it: a superuser, and from PostgreSQL 15 on who was granted it.
Task<bool> MaySetReplicationRole(Session& session);

}  // namespace pgalter::guard
