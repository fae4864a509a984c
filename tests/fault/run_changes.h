// What the property test of `pgalter run` draws from: tables, and statements that change them.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace pgalter::test {

// The users' table, as each round has it. Its programs write id, a, b, d, p and u.
struct Shape {
  bool partitioned = false;
  bool keyed = true;
  int rows = 0;

  // CREATE TABLE and what belongs to it, without rows.
  [[nodiscard]] std::string Make() const;
  [[nodiscard]] std::string Fill() const;
};

struct Change {
  std::string sql;
  // Programs of the old form end before the last gate: afterwards they would fail, as they should.
  bool ends_old_programs = false;
  std::string other_value;  // a column whose values no two servers give alike
  std::string about;        // what it changes: two changes of one thing exclude each other
  // A revert leaves it as it is then, as the plan says: what it was before nobody keeps.
  bool comment = false;
};

Shape DrawShape(std::mt19937& dice);
// One change, or two that have nothing in common.
std::vector<Change> DrawChanges(const Shape& shape, std::mt19937& dice);

}  // namespace pgalter::test
