// Each row exactly once: what tells a row that the UPDATE has not reached from the others. Pure.
//
// A version is undone if a transaction wrote it that had written to the table before the run's
// trigger was there: whatever was written since was written by a chunk, or passed the trigger.
// `xid` is assigned under the lock with which the trigger is made, so every such transaction is
// older. Older ones that are still open then have not written to the table, or the lock would not
// have come: what they write later has passed the trigger, under an xid from before.
//
// Rows keep the 32 low bits of an xid alone, also frozen ones. The distance from the oldest of
// these xids, modulo 2^32, tells old from new as long as it is below `span` for every new one and
// not for any old one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgalter::backfill {

using Xid = std::uint64_t;  // xid8: with its epoch

struct Beginning {
  Xid xid = 0;
  std::vector<Xid> open;  // older than `xid`
  std::uint64_t span = 0;
  std::string system;  // the cluster whose xids these are
  std::string mark;    // of the sessions whose own updates the trigger leaves alone
  bool operator==(const Beginning&) const = default;
};

// Of the sessions that chunks run on: the mark.
inline constexpr const char* kOnceSetting = "pgalter_once.mark";

inline constexpr std::uint64_t kXids = std::uint64_t{1} << 32;
// A run that would have fewer than these before it must end is not begun.
inline constexpr std::uint64_t kLeastSpan = std::uint64_t{1} << 28;

// The oldest xid that a new version may have.
Xid Oldest(const Beginning& beginning);

// The first xid that might be taken for an old one, with room for what is being written then.
Xid LastMoment(const Beginning& beginning);

// Whether no row of a cluster can be from so long ago that its xid comes again: it has not had
// enough of them.
bool KnowsEveryXid(Xid next);

// An xid as a row has it, of a transaction before `later`.
Xid WithEpoch(std::uint32_t xid, Xid later);

// SQL: whether the version with this xmin (SQL, too) is undone.
std::string Undone(const Beginning& beginning, const std::string& xmin);

// SQL over a chunk's row: undone, and meant.
std::string UndoneAndMeant(const Beginning& beginning, const std::string& where);

}  // namespace pgalter::backfill
