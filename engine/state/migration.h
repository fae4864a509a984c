// One version of our own schema: migrations/state/NNNN_*.sql, embedded at build.
#pragma once

#include <string_view>

namespace pgalter::state {

struct Migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

}  // namespace pgalter::state
