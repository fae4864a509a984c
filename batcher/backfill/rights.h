// The rights that chunks need on a table and its partitions, and the GRANTs that give them. They
// are asked for before a run is made, and again when the server refuses in the middle: rights,
// owners and memberships change while runs go on.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::backfill {

using async::Task;
using guard::Session;

// What the session's role lacks, and the GRANT for it; empty: nothing. From the catalog alone,
// which everybody may read.
Task<std::string> MissingRights(Session& session, pg::Oid table);

// The same for what only the owner may: making a trigger, and dropping it. Nobody is told to become
// a member of a superuser.
Task<std::string> MissingOwnership(Session& session, pg::Oid table);

// The same for the schema that the table is in, which an owner may be shut out of, too.
Task<std::string> MissingUsage(Session& session, pg::Oid table);

// Which row security hides rows of the table or its partitions from the session's role, of whom the
// server then refuses every statement there, and the way out; empty: none.
Task<std::string> HiddenRows(Session& session, pg::Oid table);

}  // namespace pgalter::backfill
