// What a backfill will cost, before anything is written: for --dry-run.
#pragma once

#include "batcher/backfill/prepare.h"

namespace pgalter::backfill {

struct Estimate {
  std::int64_t rows = 0;  // that need work, by the server's statistics
  std::int64_t table_rows = 0;
  std::int64_t table_bytes = 0;
  std::int64_t wal_low_bytes = 0;
  std::int64_t wal_high_bytes = 0;
  double low_s = 0;
  double high_s = 0;
  int stripes = 1;  // of the largest relation
};

// Reads only.
Task<Estimate> MakeEstimate(Session& session, const Prepared& prepared);

}  // namespace pgalter::backfill
