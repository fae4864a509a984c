#include <fmt/format.h>

#include <functional>
#include <utility>

#include "batcher/partition/one_partition.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
#include "cli/opposite.h"
#include "cli/partition/planned.h"
#include "cli/partition/verb.h"

namespace pgalter::cli {

namespace {

// Nothing takes it back, and its bound is nowhere, then.
Task<> KeepOpposite(guard::Session& session, std::string run, std::string sql) {
  co_await session.db().Query(
      "UPDATE pgalter.run SET spec = spec || jsonb_build_object($2::text, $3::text) WHERE run = $1",
      run, std::string_view(kOpposite), sql);
}

Task<ExitCode> Run(Context& context) {
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    const partition::OneChange change =
        co_await partition::PlanDetach(session, context.Operand(1), HoldBudgetOf(context));
    std::string opposite = fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", change.parent,
                                       change.partition, change.bound);
    std::function<Task<>(std::string)> keep;
    if (!change.bound.empty())
      keep = [&](std::string id) { return KeepOpposite(session, std::move(id), opposite); };
    Planned planned{change.parent, change.script};
    planned.partitions = {change.partition};
    planned.question = fmt::format("Detach {} from {}? Its rows are no longer seen through it.",
                                   change.partition, change.parent);
    run = co_await StartPlanned(context, session, std::move(planned), std::move(keep));
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
