// Several tables in one cut-over: a parent, those that refer to it and to each other, and users who
// write all of them in one transaction. Each has a mirror that a trigger of the users' own writes;
// whatever the program does and however it dies, the tables hold what the mirrors hold, and every
// foreign key holds among them.
#pragma once

#include <random>
#include <string>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {

// Tables p, c and "G G", which are rebuilt, kinds and outside, which are not. Keys are integers.
extern const char* const kFamily;

// What one user does in one go. Users may meet 23503.
std::string FamilyChange(std::mt19937& dice);

class Family : public RebuildWorld {
 protected:
  void MakeFamily() const { database_.Sql(kFamily), database_.Sql("ANALYZE"); }

  // All keys become bigint, by an --alter for each.
  [[nodiscard]] static Words RebuildFamily(const Words& more = {});

  [[nodiscard]] long Differences() const;
  // Rows without the row that they refer to.
  [[nodiscard]] long Orphans() const;
  // Of the keys: one name, where all have one type.
  [[nodiscard]] std::string Types() const;
  // As they were made, all valid, between the tables that users see.
  void ExpectKeys() const;
  void ExpectRight(const std::string& types) const;
};

}  // namespace pgalter::test
