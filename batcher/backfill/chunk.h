// One chunk: one transaction over one stripe of one window. It ends as a value for everything that
// can be expected on a table in use; only what nobody expected is thrown.
//
// Lock: ROW EXCLUSIVE on the relation, FOR NO KEY UPDATE on its rows; neither is waited for longer
// than kLockWait, or the chunk would keep others waiting on the rows it has already.
// Blocks: writers of these rows, until it commits.
// On crash: rows and progress are lost or kept together.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "batcher/backfill/target.h"
#include "batcher/backfill/user_triggers.h"
#include "batcher/backfill/window_store.h"

namespace pgalter::backfill {

inline constexpr Milliseconds kLockWait{50};

enum class ChunkEnd {
  kDone,
  kRowLocked,    // a user holds a row: again, skipping such rows
  kTableLocked,  // DDL holds or awaits the table: again, later
  kTooSlow,      // cancelled by the statement_timeout: smaller
  kBadRow,       // a value is at fault: bisect
  kRewritten,    // another filenode: the windows mean nothing any more
  kRenamed,      // the name leads elsewhere: look the relation up again
  kNoResource,   // disk full, too many connections: later
};

struct ChunkResult {
  ChunkEnd end = ChunkEnd::kDone;
  std::int64_t updated = 0;
  std::int64_t waiting = 0;  // rows left out because somebody held them
  async::Clock::duration duration{};
  async::Clock::duration work{};  // of it, what the network did not take
  std::string sqlstate;           // of a kBadRow, kNoResource
  std::string object;
  std::string message;  // of a kNoResource: it quotes no row
};

struct ChunkContext {
  Session& session;
  const guard::Lease& lease;
  const std::vector<Column>& columns;
  const Work& work;
  pg::Oid table = 0;  // whose leaves are worked on
  const std::optional<Beginning>& beginning;
  Firing firing;
};

// The statements between the checks and the record; returns updated and waiting.
struct ChunkCounts {
  std::int64_t updated = 0;
  std::int64_t waiting = 0;
};
using ChunkBody = std::function<Task<ChunkCounts>()>;

// Runs `body` in a chunk's transaction: lease, table lock, identity of the relation, body, and the
// record of `after` where that is given.
Task<ChunkResult> RunChunkBody(const ChunkContext& context, const Leaf& leaf,
                               Milliseconds statement_timeout, const ChunkBody& body,
                               const Window* after);

// Windows of the last scan cross those of the main passes, and would overwrite their record.
enum class Recording { kNo, kYes };

// The next pass of `window`. On kDone it is recorded; the caller counts window.passes up.
Task<ChunkResult> RunChunk(const ChunkContext& context, const Leaf& leaf, const Window& window,
                           RowLocks locks, Milliseconds statement_timeout, Recording recording);

// Rows updated by an update statement of chunk_sql.h. Throws run::Failure when some of them would
// be worked on again.
std::int64_t CountUpdated(const pg::Result& result, const Work& work, const Leaf& leaf);

}  // namespace pgalter::backfill
