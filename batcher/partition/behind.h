// Behind: the rows of the default partition that `maintain` makes ranges for besides those that lie
// ahead: in a gap, or shortly before the first range. Reads only.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/premake.h"
#include "batcher/partition/whole.h"

namespace pgalter::partition {

struct Near {
  const Whole& whole;  // with a default partition
  const std::vector<Member>& members;
  const KeyColumn& column;
  const Period& period;
  const std::string& time_zone;
  int most = 1;            // so many ranges before the first one
  const std::string& far;  // rows are below, as text
};

// Adds to `behind` and `remarks`; the ranges ahead are known.
Task<> FindBehind(Session& session, const Near& near, Premake& premake);

}  // namespace pgalter::partition
