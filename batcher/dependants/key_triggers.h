// Key triggers: those by which the server heeds foreign keys. Somebody may have switched them off
// (ALTER TABLE … DISABLE TRIGGER ALL); a key that is made again has them on, and only a superuser
// switches them.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::dependants {

using async::Task;
using guard::Session;

// kFollow: a cut-over gives those of plain tables their state again, if the role may.
enum class KeyTriggers { kFollow, kInTheWay };

// Of a foreign key of the table, of its partitions or to it: the first that could not be carried
// over, with the way out; empty: there is none.
Task<std::string> FindKeyTriggersOff(Session& session, pg::Oid table, KeyTriggers how);

// The same under the lock. Throws run::Failure (refused): nothing was changed. `again`: the command
// to go on with.
Task<> RefuseKeyTriggersOff(Session& session, pg::Oid table, std::string name, std::string again,
                            KeyTriggers how);

}  // namespace pgalter::dependants
