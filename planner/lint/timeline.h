#pragma once

// When relations come and go over all files that are given, so that a rule can say that a later
// file makes what this one uses. Names are as written; without a schema they are in "public".

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/sql/ast/statement.h"

namespace pgalter::lint {

struct Moment {
  int file = 0;
  std::size_t offset = 0;  // in the file

  auto operator<=>(const Moment&) const = default;
};

class Timeline {
 public:
  // In the order of the files.
  void Add(const sql::ast::Statement& statement, Moment when);

  // Where the relation is made, if that is the first that happens to its name after `now`.
  [[nodiscard]] std::optional<Moment> MadeAfter(const sql::QualifiedName& relation,
                                                Moment now) const;

 private:
  struct Event {
    Moment when;
    bool made = false;  // for certain: not IF NOT EXISTS, not by renaming
  };
  void Note(const sql::QualifiedName& relation, Moment when, bool made);

  std::map<std::string, std::vector<Event>, std::less<>> events_;
};

}  // namespace pgalter::lint
