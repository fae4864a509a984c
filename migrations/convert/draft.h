#pragma once

// A migration of another tool as a file of our own format. Pure.
//
// What is written means what was read: the statements are the same, byte for byte but for what lies
// between them, and what the tool sends as one transaction stands between BEGIN and COMMIT. A
// migration for which that cannot be shown becomes a problem, and nothing is written.

#include <string>
#include <vector>

#include "migrations/history/collection.h"

namespace pgalter::convert {

struct Draft {
  const history::Migration* source = nullptr;
  std::string version;
  std::string file;  // its name
  std::string text;
};

struct Drafts {
  std::vector<Draft> drafts;          // in the order of the collection
  std::vector<std::string> problems;  // sentences
};

// Versions that are numbers are kept; where one is none, all are numbered anew, in their order. The
// header says what each was: "origin: flyway 1.2".
[[nodiscard]] Drafts MakeDrafts(const history::Collection& collection);

// With a semicolon behind the last statement, where that has none.
[[nodiscard]] std::string Terminated(std::string text);

}  // namespace pgalter::convert
