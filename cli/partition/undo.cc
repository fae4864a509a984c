#include <fmt/format.h>

#include "batcher/partition/partman.h"
#include "batcher/partition/plain_definition.h"
#include "batcher/rebuild/prepare.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/partition/copy_options.h"
#include "cli/partition/planned.h"
#include "cli/partition/verb.h"
#include "cli/report.h"
#include "cli/room.h"
#include "engine/state/json_texts.h"
#include "engine/state/schema.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

boost::json::object ToJson(const std::string& definition, const rebuild::Prepared& prepared) {
  boost::json::object object{{"version", 1},
                             {"table", prepared.table.name},
                             {"definition", definition},
                             {"rows", RowsJson(prepared.rows, prepared.bytes)}};
  AddRoom(object, prepared.bytes);
  object["remarks"] = state::ArrayOf(prepared.remarks);
  return object;
}

void Show(const Context& context, const std::string& definition,
          const rebuild::Prepared& prepared) {
  const bool dry_run = context.Has("dry-run");
  if (context.output == Output::kJson) {
    if (dry_run) PrintJson(ToJson(definition, prepared));
    return;
  }
  std::string text = fmt::format(
      "{}, {}, {}: copied into one plain table; needs about as much disk again, and as "
      "much WAL\n",
      prepared.table.name, AboutRows(prepared.rows, prepared.bytes),
      watch::Format(static_cast<double>(prepared.bytes), watch::Unit::kBytes));
  for (const std::string& remark : prepared.remarks) text += "note: " + remark + "\n";
  if (dry_run) {
    Print(definition + text + "nothing was written\n");
  } else {
    fmt::print(stderr, "{}", text);
  }
}

Task<ExitCode> Run(Context& context) {
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    const partition::Whole whole = co_await partition::FindWhole(session, context.Operand(1));
    co_await partition::RefuseStranger(session, whole.table.oid);
    co_await partition::RefuseBesidePartman(session, whole.table,
                                            partition::PartmanKeeps::kPartitioning);
    rebuild::Spec spec;
    spec.table = whole.table.name;
    partition::Plain plain = co_await partition::PlainDefinition(session, whole);
    spec.definition = std::move(plain.script);
    spec.rebuild_matviews = context.Has("rebuild-matviews");
    ReadCopyOptions(context, spec);
    const std::string definition = spec.definition;
    const async::Milliseconds hold_budget = HoldBudgetOf(context);
    rebuild::Prepared prepared =
        co_await rebuild::Prepare(session, std::move(spec), rebuild::Checking::kRehearse);
    prepared.hold_budget = hold_budget;
    prepared.command = "partition undo";
    for (std::string& remark : plain.remarks) prepared.remarks.push_back(std::move(remark));
    Show(context, definition, prepared);
    if (context.Has("dry-run")) co_return ExitCode::kDone;
    co_await state::RefusePublication(session);
    Confirm(context, fmt::format("Make {} a plain table?", whole.table.name));
    co_await state::Install(session);
    run = co_await rebuild::CreateRun(session, prepared);
    Say(context, fmt::format("run {}", run));
  }
  co_return co_await FollowRun(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionUndo;
const PartitionVerb kPartitionUndo{
    .name = "undo",
    .operand = "TABLE",
    .options = "revert-window rebuild-matviews hold-budget dry-run detach",
    .copies = true,
    .run = &Run};

}  // namespace pgalter::cli
