#pragma once

// A database's schema as objects with what is said of each, for changes.h. What belongs to an
// extension comes with that; schemas of the system and of pgalter are left out.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::emit {

using async::Task;

struct Object {
  std::string kind;  // "table", "column", …
  std::string key;   // as SQL names it, unique of its kind
  std::string on;    // the key of what it hangs on; empty: nothing
  std::int64_t oid = 0;
  std::map<std::string, std::string> facts;  // what is not there is not in it

  [[nodiscard]] std::string Fact(const std::string& name) const {
    const auto fact = facts.find(name);
    return fact == facts.end() ? "" : fact->second;
  }
  [[nodiscard]] bool Is(const std::string& name) const { return Fact(name) == "true"; }
};

// `session` has our own search_path: names come with their schema.
Task<std::vector<Object>> ReadObjects(guard::Session& session);

}  // namespace pgalter::emit
