// RunChecks: every check against one server, each in a READ ONLY transaction of its own, so that
// one that fails does not silence the others and none holds a snapshot for long. Works through a
// pooler in transaction mode, too.
#pragma once

#include <vector>

#include "engine/check/check.h"

namespace pgalter::check {

struct Entry {
  const Check* check = nullptr;
  Answer answer;
};

// In the table's order; a check without an answer has one Entry, kOk. Throws pg::PgError where the
// connection is lost.
Task<std::vector<Entry>> RunChecks(pg::Connection& db, const Target& target, pg::Pooling pooling,
                                   const CheckOptions& options);

}  // namespace pgalter::check
