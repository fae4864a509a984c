#include <fmt/format.h>

#include "batcher/partition/retain.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> Hold(Context& context) {
  if (!context.Has("reason") || context.Get("reason").empty())
    throw Rejected(ExitCode::kUsage, "why is it held?", "--reason TEXT");
  guard::Session session = co_await OpenForChange(context);
  co_await state::RefusePublication(session);
  co_await state::Install(session);
  const std::string name =
      co_await partition::SetLegalHold(session, context.Operand(1), context.Get("reason"));
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"table", name}, {"held", true}, {"reason", context.Get("reason")}});
  } else {
    Print(fmt::format("{} is held: partition retain leaves it as it is\n", name));
  }
  co_return ExitCode::kDone;
}

Task<ExitCode> Release(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  co_await state::RefusePublication(session);
  co_await state::Install(session);
  const partition::Released released =
      co_await partition::ReleaseLegalHold(session, context.Operand(1));
  if (released.table.empty())
    throw Rejected(ExitCode::kRefused, fmt::format("{} is not held", context.Operand(1)), "");
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1},
               {"table", released.table},
               {"held", false},
               {"reason", released.reason},
               {"held_by", released.held_by},
               {"held_since", released.held_since}});
  } else {
    Print(fmt::format("{} is held no more\n", released.table));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const PartitionVerb kPartitionHold;
const PartitionVerb kPartitionHold{
    .name = "hold", .operand = "TABLE|PARTITION", .options = "reason", .run = &Hold};

extern const PartitionVerb kPartitionRelease;
const PartitionVerb kPartitionRelease{
    .name = "release", .operand = "TABLE|PARTITION", .options = "", .run = &Release};

}  // namespace pgalter::cli
