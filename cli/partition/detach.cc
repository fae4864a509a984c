#include <fmt/format.h>

#include "batcher/partition/one_partition.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
#include "cli/partition/planned.h"
#include "cli/partition/verb.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> Run(Context& context) {
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    const partition::OneChange change =
        co_await partition::PlanDetach(session, context.Operand(1), HoldBudgetOf(context));
    run = co_await StartPlanned(
        context, session, change.script,
        fmt::format("Detach {} from {}? Its rows are no longer seen through it.", change.partition,
                    change.parent));
  }
  co_return co_await FollowRun(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionDetach;
const PartitionVerb kPartitionDetach{.name = "detach",
                                     .operand = "PARTITION",
                                     .options = "hold-budget replica dry-run detach",
                                     .run = &Run};

}  // namespace pgalter::cli
