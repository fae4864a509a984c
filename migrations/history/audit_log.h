#pragma once

// pgalter.audit_log as it is stored. Reads only: the one writer is pgalter.audit().

#include <functional>

#include "engine/guard/session.h"
#include "migrations/history/audit_chain.h"

namespace pgalter::history {

using async::Task;

// Each entry in its order, and what the database says of the end. Both of one snapshot. None: the
// log was never installed.
Task<std::optional<Anchor>> ReadAuditLog(guard::Session& session,
                                         std::function<void(const AuditEntry&)> take);
// The same, in the transaction that is open; its snapshot is the caller's.
Task<std::optional<Anchor>> ReadAuditLogHere(guard::Session& session,
                                             std::function<void(const AuditEntry&)> take);

}  // namespace pgalter::history
