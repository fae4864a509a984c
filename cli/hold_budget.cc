#include "cli/hold_budget.h"

#include <fmt/format.h>

#include "cli/rejected.h"
#include "engine/run/hold_budget.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

async::Milliseconds HoldBudgetOf(const Context& context) {
  const auto& text = context.Get("hold-budget");
  const auto seconds = watch::Parse(text, watch::Unit::kSeconds);
  if (!seconds || *seconds < 0.001)  // none at all would let users wait for ever
    throw Rejected(ExitCode::kUsage, fmt::format("--hold-budget \"{}\" is no duration", text),
                   "write 500ms or 3s");
  return async::Milliseconds(static_cast<std::int64_t>(*seconds * 1000));
}

guard::Task<> RaiseHoldBudget(const Context& context, guard::Session& session, std::string run) {
  if (!context.Has("hold-budget")) co_return;
  const async::Milliseconds budget = HoldBudgetOf(context);
  co_await run::SetHoldBudget(session, std::move(run), budget);
}

}  // namespace pgalter::cli
