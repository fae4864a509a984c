// Which recipe has met which kind of dependant: what the cases of tests/plan cover.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "planner/plan/plan.h"
#include "tests/support/postgres.h"

namespace pgalter::test {

class PlanPairs {
 public:
  // A case, before it is carried out.
  void Note(const plan::Plan& plan, const FreshDatabase& database);
  void Print() const;
  [[nodiscard]] std::size_t cases() const { return cases_; }
  [[nodiscard]] std::size_t pairs() const;

 private:
  std::size_t cases_ = 0;
  std::map<std::string, std::map<std::string, int>> met_;  // recipe -> kind -> cases
};

}  // namespace pgalter::test
