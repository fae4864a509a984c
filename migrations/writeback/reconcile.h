#pragma once

// What the tool's book says of the migrations beside what we say: who has to learn what. Pure.

#include <set>
#include <string>
#include <vector>

#include "migrations/history/collection.h"
#include "migrations/history/compare.h"
#include "migrations/history/foreign.h"

namespace pgalter::writeback {

struct Reconciliation {
  std::vector<const history::Migration*> applied;  // by the tool, which we do not know
  std::vector<std::string> taken_back;             // by the tool: versions that we hold for applied
  std::vector<const history::Migration*> untold;   // applied by us, which the tool was never told
  std::vector<history::Divergence> divergences;

  [[nodiscard]] bool empty() const {
    return applied.empty() && taken_back.empty() && untold.empty() && divergences.empty();
  }
};

// `told`: versions of which the tool knows, or has known.
[[nodiscard]] Reconciliation Reconcile(const history::Collection& collection,
                                       const std::vector<history::Applied>& ours,
                                       const std::set<std::string>& told,
                                       const history::ForeignHistory& theirs,
                                       std::string_view called);

// Our history as it is once both know the same.
[[nodiscard]] std::vector<history::Applied> Overlaid(std::vector<history::Applied> ours,
                                                     const Reconciliation& reconciliation,
                                                     std::string_view called);

}  // namespace pgalter::writeback
