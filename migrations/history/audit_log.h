#pragma once

// pgalter.audit_log as it is stored: its one writer is pgalter.audit(). And where its entries go
// besides.

#include <functional>
#include <optional>
#include <string>

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

// The statement that writes each entry into the application's own ledger, in the entry's
// transaction.
struct Sink {
  std::string statement;
  std::string on_failure;  // refuse: nothing is done without it; note: an entry tells of it
};
// None: there is none, or schema pgalter is older.
Task<std::optional<Sink>> ReadSink(guard::Session& session);
// For the owner of the schema. The entry that tells of it is the first one that goes there: PgError
// where it cannot be written. None: from now on nowhere.
Task<> SetSink(guard::Session& session, std::optional<Sink> sink);

}  // namespace pgalter::history
