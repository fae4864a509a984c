#include "planner/plan/release.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>

#include "planner/plan/steps.h"

namespace pgalter::plan {

std::vector<Step> ReleaseTables(const std::vector<sql::QualifiedName>& tables) {
  std::vector<std::string> shown;
  for (const sql::QualifiedName& table : tables) shown.push_back(Show(table));
  const std::string names = fmt::format("{}", fmt::join(shown, ", "));
  const bool one = tables.size() == 1;
  Step gate = MakeGate(
      fmt::format("release-{}", tables.front().name),
      fmt::format("the new {} {}: behind this gate the old {} dropped", names,
                  one ? "proves itself" : "prove themselves", one ? "one is" : "ones are"));
  Step release;
  release.kind = StepKind::kRelease;
  release.phase = Phase::kContract;
  release.transaction = Transaction::kNone;
  release.point_of_no_return = true;
  for (const sql::QualifiedName& table : tables)
    release.locks.push_back({table, locks::LockMode::kAccessExclusive});
  release.explain = one ? fmt::format("The table that {} was before goes.", names)
                        : fmt::format("The tables that {} were before go.", names);
  return {std::move(gate), std::move(release)};
}

}  // namespace pgalter::plan
