// Workers: each takes groups of windows and carries them through their passes.
#pragma once

#include "batcher/backfill/crew.h"

namespace pgalter::backfill {

// Until nothing is left to take, or more workers are there than are wanted.
Task<> RunWorker(Crew& crew, int number);

enum class PassEnd {
  kDone,
  kAbandoned,  // the relation changed under the group: its windows mean nothing any more
};

// The next pass of `window`, through whatever a table in use puts in its way; splits the window
// where it is too slow, and leaves the upper half in `group`.
Task<PassEnd> RunPass(Crew& crew, Session& session, Group& group, Window& window);

}  // namespace pgalter::backfill
