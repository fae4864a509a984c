// Is there a pooler between us and the server? A pooler in transaction mode gives every transaction
// another session: settings, LISTEN and locks of ours would land on strangers.
#pragma once

#include "engine/pg/connection.h"

namespace pgalter::pg {

enum class Pooling { kNone, kSession, kTransaction };

// `options` opens a second connection, only where the first shows that a pooler answers.
Task<Pooling> DetectPooling(Connection& connection, ConnectOptions options);

}  // namespace pgalter::pg
