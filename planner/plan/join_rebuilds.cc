#include "planner/plan/join_rebuilds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "planner/plan/recipes/rebuild.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

// Rows that are to lie in an order are copied by themselves.
bool MayJoin(const Step& step) {
  return step.kind == StepKind::kRebuild && step.rebuild && step.rebuild->order_by.empty();
}

bool RefersTo(const catalog::Schema& schema, const sql::QualifiedName& from,
              const sql::QualifiedName& to) {
  return std::ranges::any_of(schema.References(to),
                             [&](const auto& key) { return key.first->name == from; });
}

bool AreJoined(const catalog::Schema& schema, const sql::QualifiedName& a,
               const sql::QualifiedName& b) {
  return a == b || RefersTo(schema, a, b) || RefersTo(schema, b, a);
}

void AddActions(std::string& alter, const std::string& more) {
  if (!alter.empty() && !more.empty()) alter += ", ";
  alter += more;
}

// The locks of those that change places come first, in their order.
void AddLocks(Step& step, std::size_t at, const Step& next) {
  const auto others = [&](const StepLock& lock) {
    return std::ranges::find(step.locks, lock.relation, &StepLock::relation) != step.locks.end();
  };
  const StepLock own = next.locks.front();
  std::erase_if(step.locks, [&](const StepLock& lock) { return lock.relation == own.relation; });
  step.locks.insert(step.locks.begin() + static_cast<std::ptrdiff_t>(at), own);
  for (const StepLock& lock : next.locks)
    if (!others(lock)) step.locks.push_back(lock);
}

void Explain(const catalog::Schema& schema, Step& step) {
  std::vector<std::string> names;
  for (const sql::QualifiedName& table : RebuiltTables(step)) names.push_back(Show(table));
  if (names.size() < 2) return;
  step.explain = fmt::format(
      "{} are copied beside themselves while they are used, compared, and change places with their "
      "copies in one short transaction; the old tables are kept, with what users write, until "
      "finish.",
      fmt::join(names, ", "));
  if (step.rebuild->rebuild_matviews) step.explain += OfMatviews(schema, RebuiltTables(step));
}

void Join(const catalog::Schema& schema, Step& step, Step next) {
  Rebuild& rebuild = *step.rebuild;
  const auto tables = RebuiltTables(step);
  const auto same = std::ranges::find(tables, next.locks.front().relation);
  if (same == tables.begin()) {
    AddActions(rebuild.alter, next.rebuild->alter);
  } else if (same != tables.end()) {
    const auto number = static_cast<std::size_t>(same - tables.begin());
    AddActions(rebuild.companions.at(number - 1).alter, next.rebuild->alter);
  } else {
    AddLocks(step, tables.size(), next);
    rebuild.companions.push_back({next.rebuild->table, next.rebuild->alter});
  }
  std::ranges::move(next.sql, std::back_inserter(step.sql));
  Explain(schema, step);
}

// Of steps that belong together: a gate of the rebuild's own, and the rebuild.
struct Found {
  std::size_t gate = 0;
  std::size_t rebuild = 0;
};

// What begins at `place`, if it may be joined.
std::optional<Found> FindAt(const std::vector<Step>& steps, std::size_t place) {
  const std::size_t rebuild = place + (steps[place].gate ? 1 : 0);
  if (rebuild == steps.size() || !MayJoin(steps[rebuild])) return std::nullopt;
  return Found{place, rebuild};
}

class Joining {
 public:
  Joining(const catalog::Schema& schema, std::vector<StatementSteps>& steps,
          std::vector<Statement>& statements)
      : schema_(schema), steps_(steps), statements_(statements) {}

  void Run() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      for (std::size_t place = 0; place < steps_[i].steps.size();) {
        const auto found = FindAt(steps_[i].steps, place);
        if (!found) {
          first_ = nullptr;
          ++place;
        } else if (first_ != nullptr && Fits(steps_[i].steps, *found)) {
          Take(i, *found);
        } else {
          first_ = &steps_[i];
          joined_ = *found;
          place = found->rebuild + 1;
        }
      }
    }
  }

 private:
  // Only where both wait at a gate, or neither does.
  [[nodiscard]] bool Fits(const std::vector<Step>& own, Found found) const {
    if ((found.gate == found.rebuild) != (joined_.gate == joined_.rebuild)) return false;
    const Step& next = own[found.rebuild];
    return std::ranges::any_of(RebuiltTables(first_->steps[joined_.rebuild]),
                               [&](const sql::QualifiedName& table) {
                                 return AreJoined(schema_, table, next.locks.front().relation);
                               });
  }

  void Take(std::size_t statement, Found found) {
    std::vector<Step>& own = steps_[statement].steps;
    Step& step = first_->steps[joined_.rebuild];
    Step& next = own[found.rebuild];
    if (found.gate != found.rebuild)
      first_->steps[joined_.gate].gate->reason += "; " + own[found.gate].gate->reason;
    if (first_ != &steps_[statement]) {
      statements_[statement].remarks.push_back(
          fmt::format("{} changes places in the same moment as {}, in the step of statement {}",
                      Show(next.locks.front().relation), Show(step.locks.front().relation),
                      step.statement + 1));
      std::ranges::copy(steps_[statement].relations, std::back_inserter(first_->relations));
    }
    Join(schema_, step, std::move(next));
    own.erase(own.begin() + static_cast<std::ptrdiff_t>(found.gate),
              own.begin() + static_cast<std::ptrdiff_t>(found.rebuild) + 1);
  }

  const catalog::Schema& schema_;
  std::vector<StatementSteps>& steps_;
  std::vector<Statement>& statements_;
  StatementSteps* first_ = nullptr;  // whose rebuild the next may join
  Found joined_;
};

}  // namespace

void JoinRebuilds(const catalog::Schema& schema, std::vector<StatementSteps>& steps,
                  std::vector<Statement>& statements) {
  Joining(schema, steps, statements).Run();
}

}  // namespace pgalter::plan
