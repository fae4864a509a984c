// What is seen of a run's tables and of the server after the run has come to rest, and kept with
// it. Figures and names of the catalogs; locks no user's table and reads no row of one.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "engine/state/runs.h"

namespace pgalter::state {

// Of the tables that the run has for itself, and of `also` (as SQL has them; there or not), as they
// are now, each with its partitions:
//   waiting, longest_wait_s             sessions that wait for a lock of one of them
//   standbys, lag_s, lag_bytes          the largest; null: none, or hidden from this role
//   rollbacks, deadlocks                of the database, since its statistics begin
//   invalid_indexes, not_validated      names
//   tables                              by table: rows and what was done to them
Task<boost::json::object> Observe(Session& session, std::string run, std::vector<std::string> also);

// Appends them to what is kept of the run. Throws PgError with the GRANT that helps.
Task<> RecordObservation(Session& session, std::string run, boost::json::object facts);

}  // namespace pgalter::state
