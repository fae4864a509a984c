// TraceScript: runs a script on a database that nobody needs, statement by statement, and says of
// each what the server did and where that is not what the planner said.
//
// The script's own transactions are kept. A statement outside of them gets one of its own, so that
// its locks can be looked at before they are given back; one that must not run inside a transaction
// is run outside. The first failure ends the script, as migration tools do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/trace/difference.h"
#include "engine/trace/probe.h"
#include "planner/catalog/schema.h"
#include "planner/sql/script.h"

namespace pgalter::trace {

enum class Place {
  kOwnTransaction,
  kScriptTransaction,  // one that the script or its tool began
  kOutside,            // must not be inside one
};

enum class End { kDone, kFailed, kNotRun };

struct Traced {
  sql::Span span;   // of the text that was given
  std::string sql;  // as it was sent
  Place place = Place::kOwnTransaction;
  End end = End::kNotRun;
  double seconds = 0;
  std::string why;  // of kNotRun
  Observed seen;
  std::optional<locks::Effects> said;  // nullopt: the planner could not read it
  std::vector<std::string> differences;
};

// How a part of the script reaches the server.
struct ScriptPart {
  sql::Span span;
  bool transaction = false;  // the tool begins and commits
};

struct Script {
  std::string_view text;
  std::vector<ScriptPart> parts;
};

// Sessions of one database: the script's own, and two that look on.
struct TraceSessions {
  pg::Connection& script;
  Watchers watchers;
};

// `schema`: the database before. Throws pg::PgError only where a connection is lost.
Task<std::vector<Traced>> TraceScript(TraceSessions sessions, Script script,
                                      catalog::Schema schema);

}  // namespace pgalter::trace
