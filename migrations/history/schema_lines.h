#pragma once

// A database's schema as lines of text, one an object or a part of one, sorted: what two of them do
// not have in common is what differs. Schemas of the system and of pgalter are left out, and so is
// the order of columns, which no way down can bring back.

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::history {

using async::Task;

using SchemaLines = std::vector<std::string>;

enum class Owners { kWith, kWithout };  // and grants, which name roles as well

// `session` has our own search_path: names come with their schema.
Task<SchemaLines> ReadSchemaLines(guard::Session& session, Owners owners = Owners::kWith);

struct SchemaDifference {
  SchemaLines gone;
  SchemaLines fresh;

  [[nodiscard]] bool empty() const { return gone.empty() && fresh.empty(); }
};
// Pure. Both are sorted.
[[nodiscard]] SchemaDifference DifferenceOf(const SchemaLines& before, const SchemaLines& after);

}  // namespace pgalter::history
