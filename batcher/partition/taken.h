// Taken: what has the name already that a table is to have, or that its row type or the type of its
// arrays is to have, which the server makes with it. Reads only.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// How it comes by its name. Where it is made or renamed, the type of another table's arrays gives
// way to its row type, and the type of its own to anything; where it is moved from another schema,
// nothing does.
enum class Arrival { kMadeThere, kMovedThere };

struct Place {
  std::string home;     // the schema, quoted
  std::string name;     // of the table, quoted
  pg::Oid leaving = 0;  // a table that gives it up, with its types, in the same transaction
};

// Why it cannot go there, with the way out; empty: it can.
Task<std::string> FindTaken(Session& session, Place place, Arrival arrival);

// Throws run::Failure (refused) for that.
Task<> RefuseTaken(Session& session, Place place, Arrival arrival);

}  // namespace pgalter::partition
