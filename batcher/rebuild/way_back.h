// Way back: whether a rebuild can still be reverted without loss, asked while nobody reverts it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::rebuild {

using async::Task;
using guard::Session;

struct WayBack {
  std::int64_t tried = 0;  // rows that users changed since the cut-over, put into the old table and
                           // taken back again
  bool all = true;         // there are no more of them
  std::string table;       // the old one that `misfit` is about
  std::string misfit;      // the row that does not fit, and why; empty: those fit
  // What the statements need and do not find, as a type that has another name now, with its
  // SQLSTATE: a revert would not, either. Empty: nothing.
  std::string missing;
};

// Each attempt is rolled back; only the old table, which nobody uses, is locked by them. nullopt:
// the tables are not swapped, there is no way back, a revert is at work, or this role has no rights
// there.
Task<std::optional<WayBack>> LookBack(Session& session, std::string run);

// Throws run::Failure (refused) where what users changed since the cut-over is not known any more
// (batcher/capture/dead_mans_switch.h).
Task<> RefuseLostWay(Session& session, std::string run);
// Until when it is known if nobody follows it: ISO 8601. Empty: for ever, or nothing was swapped.
Task<std::string> WayBackUntil(Session& session, std::string run);

}  // namespace pgalter::rebuild
