// Publications of a table whose place another one takes. A publication binds a table by its
// identity, its subscribers by its name: so the one that comes must be sent under the same name,
// and its users must be able to change rows, which the server refuses them where what tells rows
// apart is not sent.
#pragma once

#include <optional>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::dependants {

using async::Task;
using guard::Session;

// Its rows: 'a' and a statement, with column lists and filters, after which the table called `name`
// is published where `listed` is now. `name_to_be`: what that one is called then, to be taken out;
// nullopt: it stays.
pg::Statement AskPublications(int server_version, pg::Oid listed, std::string name,
                              std::optional<std::string> name_to_be);

// Why subscribers of `leaving` would get something else from `coming`, with the way out; empty:
// they would not.
Task<std::string> FindUnfitPublication(Session& session, pg::Oid leaving, pg::Oid coming);

// The same in the transaction of a swap. Throws run::Failure (refused). `again`: the command to go
// on with when it is mended.
Task<> RefuseUnfitPublication(Session& session, pg::Oid leaving, pg::Oid coming, std::string name,
                              std::string again);

// In a transaction: `coming` (called `name`, with all its indexes) takes the place of `leaving` in
// its publications, for as long as it takes to see what the server says to that and to users'
// writes afterwards; nothing of it is left. Why not, with the way out; empty: it may.
Task<std::string> RehearsePublications(Session& session, pg::Oid leaving, pg::Oid coming,
                                       std::string name);

// In the transaction of a swap, when it is done: whether the server lets users change rows of the
// table. Throws run::Failure (refused).
Task<> CheckUsersMayChange(Session& session, pg::Oid table, std::string name, std::string again);

}  // namespace pgalter::dependants
