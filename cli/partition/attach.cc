#include <fmt/format.h>

#include <utility>

#include "batcher/partition/one_partition.h"
#include "cli/connect.h"
#include "cli/partition/bound_options.h"
#include "cli/partition/planned.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> Run(Context& context) {
  if (!context.Has("as"))
    throw Rejected(ExitCode::kUsage, "as a partition of which table?",
                   "pgalter partition attach TABLE --as PARENT --from VALUE --to VALUE");
  const NamedBound bound = BoundOf(context);
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    partition::OneChange change;
    auto plan = [&]() -> Task<> {
      change = co_await partition::PlanAttach(session, context.Operand(1), context.Get("as"),
                                              bound.wish);
    };
    co_await PlanPatiently(context, session, "attach to " + context.Get("as"), plan);
    Planned planned{change.parent, change.script};
    planned.partitions = {change.partition};
    planned.question =
        fmt::format("Attach {} to {}, {}?", change.partition, change.parent, change.bound);
    run = co_await StartPlanned(context, session, std::move(planned));
  }
  co_return co_await FollowRun(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionAttach;
const PartitionVerb kPartitionAttach{
    .name = "attach",
    .operand = "TABLE",
    .options = "as from to values modulus remainder default time-zone replica dry-run detach",
    .run = &Run};

}  // namespace pgalter::cli
