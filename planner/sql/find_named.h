#pragma once

// In a table whose entries have names. Pure; anyone may call.

#include <span>
#include <string_view>

namespace pgalter::sql {

// nullptr: none has this name.
template <class Entry>
[[nodiscard]] const Entry* FindNamed(std::span<const Entry> table, std::string_view name) {
  for (const Entry& entry : table)
    if (entry.name == name) return &entry;
  return nullptr;
}

}  // namespace pgalter::sql
