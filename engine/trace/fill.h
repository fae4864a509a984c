// Fill: gives empty tables rows, so that a rewrite has something to rewrite and a scan something to
// read. The rows satisfy types, NOT NULL, keys, foreign keys, partition bounds, and CHECKs as far
// as values for them are found; what could not be filled is said.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/async/task.h"
#include "engine/pg/connection.h"

namespace pgalter::trace {

struct Filled {
  std::string table;  // as SQL, qualified
  std::int64_t rows = 0;
  std::string problem;  // why there are none, or fewer; empty: as many as were wanted
};

// The tables named, those that their foreign keys point at before them; of partitioned ones the
// partitions. Those that have rows already are left alone. Writes; every table is a transaction of
// its own, analysed afterwards.
async::Task<std::vector<Filled>> FillTables(pg::Connection& db,
                                            const std::vector<std::string>& tables,
                                            std::int64_t rows);

}  // namespace pgalter::trace
