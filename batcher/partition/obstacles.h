// Obstacles: what a partition has that those which take its place would lack, or what would go on
// with the old one. Asked before a run begins, and again under the lock, since anybody may hang it
// on meanwhile. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

struct RepartSpec;

// How rows get into the partitions that take the place of others: copied while users write, which
// needs a key that tells them apart, or moved while users wait.
enum class Moving { kByCopy, kUnderLock };

// Whether a unique index of the whole, over NOT NULL columns, tells its rows apart.
Task<bool> TellsRowsApart(Session& session, pg::Oid whole);

struct Obstacle {
  std::string partition;
  std::string why;  // with the way out
};

// The first one, of any of the partitions. Triggers of the names in `ours` (quoted) are none.
Task<std::optional<Obstacle>> FindObstacle(Session& session, pg::Oid whole,
                                           std::vector<pg::Oid> partitions,
                                           std::vector<std::string> ours, Moving moving);

// The first one that somebody holds by itself; `whole` is quoted, with its schema.
Task<std::optional<Obstacle>> FindHold(Session& session, std::string whole,
                                       std::vector<pg::Oid> partitions);

// In the transaction that holds the locks of the exchange: throws run::Failure (refused). What the
// run itself has made is no obstacle. `verb` is what does it again: resume, revert.
Task<> RefuseObstaclesNow(run::Environment& env, const RepartSpec& spec,
                          std::vector<std::string> partitions, Moving moving, const char* verb);

}  // namespace pgalter::partition
