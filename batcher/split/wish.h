// What `--split` asks for: 'shop.orders (note, noted_at) INTO order_note'. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/identifier.h"

namespace pgalter::split {

struct Wish {
  std::string table;                 // as the user wrote it
  std::vector<std::string> columns;  // that move; not quoted
  std::string target;                // the new table, beside the other one; not quoted
};

sql::Result<Wish> ReadWish(std::string_view text);

}  // namespace pgalter::split
