// Two steps: --alter of a partitioned table. The server changes no column of a partition key, so
// such a change is made of each table before these are put together. Pure.
#pragma once

#include <string>
#include <vector>

namespace pgalter::rebuild {

// What stands behind ALTER TABLE and a name; empty: nothing.
struct TwoSteps {
  std::string before;  // of each table, while it is one by itself
  std::string after;   // of the whole
};

// `key`: columns of partition keys, not quoted.
TwoSteps DivideAlter(const std::string& alter, const std::vector<std::string>& key);

}  // namespace pgalter::rebuild
