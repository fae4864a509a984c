// The last scan: done means that no row is found that still needs work.
//
// Without the dual-write trigger a user's update moves an undone row into a window that is done,
// and a chunk that waited for a row lock skips the moved version. There one statement reads the
// whole relation in one snapshot: a scan by windows could be outrun by a row that moves. With the
// trigger every moved row carries its value, and windows do.
#pragma once

#include "batcher/backfill/crew.h"

namespace pgalter::backfill {

// Where each row is changed once, what needs work becomes less only, and the last word has a chunk
// without rows: the trigger and the files are as they were, behind the scan.

// Scans and mends until a scan finds nothing. Throws run::Failure (mismatch) when users keep
// writing rows that need work.
Task<> RunLastScan(Crew& crew);

}  // namespace pgalter::backfill
