#include <fmt/format.h>

#include <utility>

#include "batcher/partition/lookup.h"
#include "batcher/partition/one_partition.h"
#include "cli/connect.h"
#include "cli/partition/bound_options.h"
#include "cli/partition/planned.h"
#include "cli/partition/verb.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> Run(Context& context) {
  const NamedBound bound = BoundOf(context);
  std::string name = context.Has("name") ? context.Get("name") : std::string();
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    if (name.empty() && !bound.name.empty()) {
      const partition::Whole whole = co_await partition::FindWhole(session, context.Operand(1));
      const std::string quoted = partition::PartName(whole.table.relname, "_" + bound.name);
      name = sql::ParseQualifiedName(quoted)->name;
    }
    partition::OneChange change;
    auto plan = [&]() -> Task<> {
      change = co_await partition::PlanAdd(session, context.Operand(1), bound.wish, name);
    };
    co_await PlanPatiently(context, session, "make a partition of " + context.Operand(1), plan);
    Planned planned{change.parent, change.script};
    planned.partitions = {change.partition};
    planned.question =
        fmt::format("Make partition {} of {}, {}?", change.partition, change.parent, change.bound);
    run = co_await StartPlanned(context, session, std::move(planned));
  }
  co_return co_await FollowRun(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionAdd;
const PartitionVerb kPartitionAdd{
    .name = "add",
    .operand = "TABLE",
    .options = "from to values modulus remainder default name time-zone replica dry-run detach",
    .run = &Run};

}  // namespace pgalter::cli
