// `diff --emit-migration`: a migration of pgalter's own format that makes the first side the
// second.
#pragma once

#include <string>
#include <vector>

#include "cli/migrate/sides.h"

namespace pgalter::cli {

enum class Drops { kAsComments, kWritten };

struct Emitted {
  std::vector<std::string> up;             // statements without semicolons, in their order
  std::vector<std::string> down;           // the same
  std::vector<std::string> not_dropped;    // statements that were not written
  std::vector<std::string> not_expressed;  // what stays different all the same, as lines
  std::vector<std::string> not_restored;   // what the way down leaves different
  std::vector<std::string> copy_lacks;     // of the first side, on the copy where it was tried
};

// Each statement is tried on a copy of the first side, up and down again, and what differs then is
// said: nothing is left out in silence. Changes none of the sides.
Task<Emitted> Emit(Sides& sides, const Side& from, const Side& to, history::Owners owners,
                   Drops drops);

// Writes it into the directory of migrations; returns the file's path. Throws Rejected.
std::string WriteEmitted(const Context& context, const Emitted& emitted, const Side& from,
                         const Side& to);

}  // namespace pgalter::cli
