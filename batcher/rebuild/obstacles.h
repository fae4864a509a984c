// Obstacles: what cannot be carried over to the new definition, found while it is still empty.
#pragma once

#include <string>
#include <vector>

#include "batcher/dependants/obstacles.h"
#include "batcher/rebuild/going_keys.h"
#include "batcher/rebuild/names.h"
#include "batcher/rebuild/spec.h"
#include "batcher/rebuild/store.h"

namespace pgalter::rebuild {

// With the new table and all its indexes there. Throws run::Failure for the first.
Task<> RefuseWhatCannotFollow(Session& session, const Names& names, pg::Oid source,
                              dependants::Matviews matviews, const GoingKeys& going);

// Of a table that leaves its place: a partition that only the catalogue still counts among its own.
Task<> RefuseHalfDetached(Session& session, std::string table, pg::Oid source);

// Of a partitioned source, before anything is made. Throws run::Failure for the first.
Task<> RefuseWhatPartitionsHave(Session& session, std::string table, pg::Oid source);

// With the new table there: types that the swap would meet. Throws run::Failure (refused).
Task<> RefuseTakenTypes(Session& session, const Names& names, pg::Oid source);

// For a definition of the user's own, which may leave out what others count on: unique keys that it
// weakens need the spec's consent, and are told in `remarks`.
Task<> RefuseWhatIsLost(Session& session, const Names& names, const Spec& spec, pg::Oid source,
                        std::vector<std::string>& remarks);

// Of several: things of two new tables that would have one name in one schema after the swap. With
// the indexes gone already. Throws run::Failure for the first.
Task<> RefuseSharedNames(Session& session, const std::vector<Stored>& all);

}  // namespace pgalter::rebuild
