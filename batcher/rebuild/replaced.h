// Replaced: relations that leave their places, with those that come, and what a query over the ones
// has to say to be one over the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::rebuild {

using async::Task;
using guard::Session;

// A relation that leaves its place, and the one that comes.
struct Replaced {
  pg::Oid leaving = 0;
  pg::Oid coming = 0;
};

[[nodiscard]] std::vector<std::int64_t> LeavingOf(const std::vector<Replaced>& all);
[[nodiscard]] std::vector<std::int64_t> ComingOf(const std::vector<Replaced>& all);

// "a, b": the schemas that these are in, each once.
Task<std::string> SchemasOf(Session& session, std::vector<std::int64_t> relations);

// Until the end of the transaction. A query that was printed where the relations that leave are
// seen without their schema is one over those that come where their schemas are seen first: what it
// says of all else, it says with the schema or means the same.
Task<> SearchIn(Session& session, std::string schemas);

}  // namespace pgalter::rebuild
