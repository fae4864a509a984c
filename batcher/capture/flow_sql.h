// The statements of a flow, as text. Pure.
#pragma once

#include <string>
#include <vector>

#include "batcher/capture/flow.h"

namespace pgalter::capture {

// Why a capture gave up, as the value of its sequence. The first two are moments long ago, too.
inline constexpr int kLate = 1;
inline constexpr int kLarge = 2;
inline constexpr int kRetyped = 3;

// Log, dirty keys, the mark of a crash and the dead man's switch, in the flow's schema.
std::vector<std::string> MakeTables(const Flow& flow);

// The function and its triggers on the sources: CREATE TRIGGER takes SHARE ROW EXCLUSIVE, whose
// wait for older writers is the proof that every later change is in the log.
std::vector<std::string> MakeTriggers(const Flow& flow);
// The same, which log nothing until they are woken: no lock is taken for that.
std::vector<std::string> MakeSleepingTriggers(const Flow& flow);
std::string WakeStatement(const Flow& flow);
std::vector<std::string> DropTriggers(const Flow& flow);

// One row: snapshot, keys taken, whether a TRUNCATE is among them, and why the capture gave up, if
// it did. $1: the snapshot until which the log was taken before.
//
// That is read when the snapshot has been taken already: a change that was not logged and that the
// snapshot sees had set it before.
std::string TakeStatement(const Flow& flow);

// From now on without a runner for its time. Not for a flow without an end.
std::string ExtendStatement(const Flow& flow);
// NULL while it has not given up.
std::string GivenUpExpression(const Flow& flow);

// At most $1 keys out of the dirty ones: a column of text for each key column.
std::string PickStatement(const Flow& flow);

// The rows of these keys in `to`: away, then as they are in `from`. $1 …: arrays of text, one a key
// column.
std::string DeleteStatement(const Flow& flow);
std::string InsertStatement(const Flow& flow);

// Rows of `part`, which holds rows of `from`, with their places in [$1, $2), into `to`.
std::string CopyStatement(const Flow& flow, const std::string& part);
// `which`: WHERE and ORDER BY over the flow's alias.
std::string CopyRowsStatement(const Flow& flow, const std::string& part, const std::string& which);

// Keys of `to` that are dirty, away: between the places [$1, $2) of `part`, which holds rows of
// `to`.
std::string PurgeStatement(const Flow& flow, const std::string& part);

// Keys that are not applied yet, as text and each once; of at most `limit` changes.
std::string PendingStatement(const Flow& flow, int limit);

// Rows of `to` that `from` has not, away.
std::string ReconcileStatement(const Flow& flow);
// The keys of all rows of `part`, which holds rows of `from`, into the dirty ones.
std::string AllDirtyStatement(const Flow& flow, const std::string& part);

// How a key is shown to people, of the row called `alias` of `from`: "(id) = (5)".
std::string ShownKey(const Flow& flow, const std::string& alias);
// The same of a row of `to`.
std::string ShownKeyOfTo(const Flow& flow, const std::string& alias);

}  // namespace pgalter::capture
