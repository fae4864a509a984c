// The statements of a chunk, as text. Pure; block numbers are bound ($1, $2 as tid).
#pragma once

#include <string>
#include <vector>

#include "batcher/backfill/stripe_policy.h"
#include "batcher/backfill/work_policy.h"

namespace pgalter::backfill {

struct Relation {
  std::string name;      // quoted, with its schema
  std::string alias;     // quoted: the name that expressions may use for the table
  std::string position;  // SQL: 0 to kPositions - 1, the same for a row while its key is
  std::string key;       // SQL: text that names a row to people; its key, else its place
};

enum class RowLocks { kWait, kSkip };

struct ChunkShape {
  Stripe stripe;
  RowLocks locks = RowLocks::kWait;
};

// UPDATE of the rows of one stripe of a window that need work. Where work.must_become_false it
// returns one row (updated, again): `again` counts rows that would be worked on once more.
std::string UpdateStatement(const Relation& relation, const std::vector<Column>& columns,
                            const Work& work, const ChunkShape& shape);

// How many rows of that stripe still need work.
std::string CountStatement(const Relation& relation, const Work& work, const ChunkShape& shape);

// Rows of a window that need work: (block), at most `limit`. Rows whose keys are in $3 (text[]) are
// left out unread: what they need cannot be told, their value cannot be made.
std::string ScanStatement(const Relation& relation, const Work& work, int limit);

// The places (tid) and keys of all rows of a stripe, and the UPDATE of those in an array of places
// that need work: for bisection. Which rows need work is not asked with the places: a row whose
// value cannot be made would fail the question too.
std::string PlacesStatement(const Relation& relation, const ChunkShape& shape);
std::string UpdatePlacesStatement(const Relation& relation, const std::vector<Column>& columns,
                                  const Work& work);

// "(block,0)"
std::string Tid(std::int64_t block);

}  // namespace pgalter::backfill
