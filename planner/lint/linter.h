#pragma once

// Lint: a list of migration files in, findings out. Pure.
//
// Files are taken in the order in which they are given. Those that are only history build the
// schema and are not judged. A table is new, and nobody's, in the run that creates it; a run is one
// file, or all files that are deployed together.

#include <string>
#include <vector>

#include "planner/catalog/schema.h"
#include "planner/lint/finding.h"
#include "planner/lint/options.h"

namespace pgalter::lint {

// How the part's statements reach the server.
enum class Sending {
  kOneByOne,     // each commits by itself, unless the file says BEGIN
  kTransaction,  // the tool begins and commits
  kOneQuery,     // as one query: several statements are one transaction
};

struct Part {
  Part() = default;
  Part(sql::Span place, Sending how) : span(place), sending(how) {}

  sql::Span span;  // of the file's bytes
  Sending sending = Sending::kOneByOne;
  // Why the tool will not run it, and where in the file; empty: it will.
  std::string refusal;
  sql::Span refused_at;
};

struct File {
  std::string name;  // as it was given
  std::string text;
  std::vector<Part> parts;     // empty: the whole file, one by one
  bool judged = true;          // else history
  bool with_previous = false;  // deployed together with the file before it
  bool continues = false;      // run by the same session, in whose transaction it may stand
};

struct Result {
  std::vector<Finding> findings;  // by file and place; suppressed ones among them
  int statements = 0;             // that were judged
};

[[nodiscard]] Result Lint(const std::vector<File>& files, const Options& options,
                          catalog::Schema schema = {});

}  // namespace pgalter::lint
