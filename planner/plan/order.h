#pragma once

// In which order the actions of one ALTER TABLE are carried out: what takes something away comes
// behind its gate last, and the others do not wait for it, unless they need it gone. Private to
// planner/plan.

#include <optional>
#include <string>
#include <vector>

#include "planner/catalog/schema.h"
#include "planner/plan/recipe.h"
#include "planner/plan/split.h"

namespace pgalter::plan {

// An action with its answer.
struct Planned {
  Action action;
  std::string recipe;  // empty: none
  Proposal proposal;
  bool joins = false;  // runs as it is, in one statement with others that do
};

// A key that goes and the one that comes as one action, in the place of the latter: the table is
// never without. Columns that go after the old key go after both.
[[nodiscard]] std::vector<Action> JoinKeys(std::vector<Action> actions,
                                           const catalog::Schema& schema);

// All DROP COLUMNs as one action, with one gate and one time of waiting, in the place of the last
// of them: what goes with a column is named before it or not at all. USING may still read a column
// that goes: then they come after that change of type.
[[nodiscard]] std::vector<Action> ArrangeDrops(std::vector<Action> actions);

// Takes actions one by one, in the server's order.
class ActionOrder {
 public:
  ActionOrder(const catalog::Schema& before, int version) : front_(before), version_(version) {}

  // Whether the action may be carried out before what stands behind gates. It is planned on
  // `Before` then, and else on what all that was taken leaves.
  [[nodiscard]] bool MayComeFirst(const Action& action) const;
  [[nodiscard]] const catalog::Schema& Before(bool first) const {
    return first || !all_ ? front_ : *all_;
  }
  // Of one that may come first and has a gate itself: whether nothing hangs both on what it is
  // about and on what others behind a gate are about.
  [[nodiscard]] bool IsApart(const Action& action) const;
  void Add(Planned planned, bool first);

  // Parts of actions, in their order; an action's remarks are with the first of its parts.
  [[nodiscard]] std::vector<Planned> Take() &&;

 private:
  catalog::Schema front_;               // once all are through that wait for no gate
  std::optional<catalog::Schema> all_;  // once all are through; none: the same
  int version_;
  std::vector<Action> gated_;    // and those that come after one of them
  std::vector<Planned> early_;   // of those behind gates what they begin with
  std::vector<Planned> middle_;  // of those what else comes before their gate
  std::vector<Planned> behind_;
};

// Whether some step of it stands behind a gate, or takes something away.
[[nodiscard]] bool Contracts(const Proposal& proposal);

}  // namespace pgalter::plan
