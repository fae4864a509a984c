// The live database as a planner's schema: what `--dsn` gives to lint and plan.
//
// Reads the server's catalogs in one read-only transaction. Takes no lock on a user's table for
// longer than a look at its size, and waits at most a second for that. Needs no right but to
// connect: the catalogs are open to everybody.
#pragma once

#include "engine/guard/session.h"
#include "planner/catalog/schema.h"

namespace pgalter::live {

// Everything but the system's own objects and temporary tables; extensions' objects are among it.
// The schema is complete: what is not in it does not exist. Its search path is the default one.
//
// Rows are the server's estimate and missing where it has none; bytes are with indexes and TOAST;
// both of a partitioned table are its partitions' sum. The session's search_path must be
// pg_catalog, as a guard::Session has it. Throws pg::PgError.
async::Task<catalog::Schema> ReadSchema(guard::Session& session);

}  // namespace pgalter::live
