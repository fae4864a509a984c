#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/steps.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

// CONCURRENTLY compares rows by such an index.
bool TellsRowsApart(const catalog::Index& index) {
  return index.unique && index.valid && !index.where &&
         std::ranges::none_of(index.columns,
                              [](const auto& column) { return column.column.empty(); });
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* refresh = situation.statement.As<sql::ast::RefreshMaterializedView>();
  if (refresh == nullptr || !refresh->with_data || situation.schema.IsNew(refresh->name))
    return std::nullopt;
  Proposal proposal;
  const std::string explain = "Readers go on; the new rows are compared with the old.";
  const auto add = [&](const std::string& sql) {
    Step step = Ddl(Phase::kMigrate, {sql}, {}, explain);
    step.kind = StepKind::kRefresh;
    proposal.steps.push_back(std::move(step));
  };
  if (refresh->concurrently) {
    proposal.answer = Answer::kAsIs;
    add(situation.text);
    return proposal;
  }
  const catalog::Table* view = situation.schema.FindTable(refresh->name);
  if (view != nullptr && std::ranges::any_of(view->indexes, TellsRowsApart)) {
    add(fmt::format("REFRESH MATERIALIZED VIEW CONCURRENTLY {}", sql::ToString(refresh->name)));
    return proposal;
  }
  proposal.answer = Answer::kLeastBad;
  proposal.remarks.push_back(fmt::format(
      "{} a unique index over plain columns of {}: with one the refresh can be CONCURRENTLY",
      view == nullptr ? "it is not known whether there is" : "there is not", Show(refresh->name)));
  proposal.steps.push_back(Ddl(Phase::kMigrate, {situation.text}, {}, ""));
  return proposal;
}

}  // namespace

const Recipe kRefreshMatview{.name = "refresh-matview",
                             .forms = "REFRESH MATERIALIZED VIEW",
                             .steps = "REFRESH … CONCURRENTLY, where a unique index allows it",
                             .propose = &Propose};

}  // namespace pgalter::plan
