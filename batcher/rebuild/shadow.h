// The empty shadow table, and what its definition asks for later.
//
// It stands in a schema of the run's own under the table's own name, so that indexes, constraints
// and sequences have their final names from the start, and the swap is a change of schemas. The
// user's actions are carried out by the server itself, on the empty table with all its indexes and
// constraints; what came out is read, and what hinders a copy is taken away again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "batcher/capture/flow.h"
#include "batcher/rebuild/spec.h"
#include "batcher/rebuild/store.h"

namespace pgalter::rebuild {

struct Shadow {
  Stored stored;
  capture::Flow flow;                    // nothing of it is there yet
  std::optional<capture::Flow> reverse;  // for after the swap; nullopt: values cannot be put back
  std::vector<std::string> remarks;
};

// In the caller's transaction; rolled back, it was a rehearsal. Throws run::Failure for whatever
// stands in the way. `spec`: of this table, which is the run's `number`th.
Task<Shadow> MakeShadow(Session& session, std::string run, const backfill::Table& table,
                        const Spec& spec, int number = 1);

}  // namespace pgalter::rebuild
