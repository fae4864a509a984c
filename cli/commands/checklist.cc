#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/source.h"
#include "cli/plan_input.h"
#include "cli/report.h"
#include "migrations/history/compose.h"
#include "migrations/history/ending.h"
#include "migrations/history/manifest.h"

namespace pgalter::cli {

namespace {

using history::Applied;
using history::Migration;
using history::State;

enum class Tick { kProven, kOpen, kAttest };  // the last: nothing here can prove it

struct Item {
  Tick tick = Tick::kOpen;
  std::string what;
  std::string because;
};
using Items = std::vector<Item>;

Tick TickIf(bool proven) { return proven ? Tick::kProven : Tick::kOpen; }

std::string Header(const Migration& migration, std::string_view key) {
  const auto found = std::ranges::find(migration.header, key, &formats::HeaderKey::key);
  return found == migration.header.end() ? "" : found->value;
}

void AddFile(const Migration& migration, const history::Collection& collection, Items& items) {
  for (const auto* key : {"ticket", "author", "reviewer"}) {
    const std::string value = Header(migration, key);
    items.push_back({TickIf(!value.empty()), fmt::format("its header names the {}", key), value});
  }
  const std::string change = Header(migration, "change");
  const std::string title = Header(migration, "change.title");
  items.push_back({TickIf(!change.empty()), "it has a change record",
                   title.empty() ? change : fmt::format("{}: {}", change, title)});
  std::error_code ignored;
  const bool manifest = std::filesystem::exists(collection.directory / history::kManifest, ignored);
  items.push_back({TickIf(manifest), "a manifest holds its checksum", migration.sums.text});
  const bool back = migration.down.has_value();
  items.push_back({TickIf(back || !migration.irreversible.empty()),
                   "it says how it is taken back, or why it cannot be", migration.irreversible});
  items.push_back(
      {TickIf(!migration.verify.empty()), "it says how to tell that it did what it should", ""});
}

std::vector<std::string> Slow(const plan::Plan& plan) {
  std::vector<std::string> slow;
  for (const plan::Statement& statement : plan.statements)
    if (statement.answer == plan::Answer::kLeastBad || !plan::HasSteps(statement.answer))
      slow.push_back(fmt::format(
          "line {}: {}", statement.line,
          statement.remarks.empty() ? "see pgalter up --dry-run" : statement.remarks.front()));
  return slow;
}

void AddPlan(const history::Composed& composed, Items& items) {
  items.push_back({TickIf(composed.refusal.empty()), "it can be carried out", composed.refusal});
  const auto slow = Slow(composed.plan);
  items.push_back({TickIf(slow.empty() && composed.refusal.empty()), "no program waits for it",
                   fmt::format("{}", fmt::join(slow, "; "))});
  const auto& steps = composed.plan.steps;
  const auto end =
      std::ranges::find_if(steps, [](const plan::Step& step) { return step.point_of_no_return; });
  items.push_back({TickIf(end == steps.end()), "every step of it can be taken back",
                   end == steps.end() ? "" : fmt::format("not from step {} on", end->id)});
  for (const plan::Step& step : steps)
    if (step.gate)
      items.push_back({Tick::kAttest, fmt::format("before gate {} is opened", step.gate->name),
                       step.gate->reason});
}

void AddHistory(const Migration& migration, const Applied* row, Items& items) {
  const bool applied =
      row != nullptr && (row->state == State::kApplied || row->state == State::kUnverified);
  items.push_back({TickIf(applied), "it is applied to this database",
                   applied ? fmt::format("{} by {}", row->ended_at, row->applied_by) : ""});
  if (migration.verify.empty()) return;
  items.push_back({TickIf(row != nullptr && row->state == State::kApplied),
                   "what verifies it held after it was applied", ""});
}

void AddAttestations(Items& items) {
  for (const char* what :
       {"somebody else than its author has read it", "it was applied to a copy of production",
        "there is a backup, and restoring it was tried",
        "those who use the database know when it is applied",
        "programs of before and after it were tried with it"})
    items.push_back({Tick::kAttest, what, ""});
}

void Show(const Context& context, const Migration& migration, const Items& items) {
  if (context.output == Output::kJson) {
    boost::json::array all;
    for (const Item& item : items)
      all.push_back({{"what", item.what},
                     {"proven", item.tick == Tick::kProven},
                     {"provable", item.tick != Tick::kAttest},
                     {"because", item.because}});
    PrintJson({{"version", 1},
               {"migration", migration.version},
               {"file", migration.file},
               {"items", all}});
    return;
  }
  std::string text = fmt::format("# {} {}\n\n", migration.version, migration.title);
  for (const Item& item : items)
    text += fmt::format("- [{}] {}{}\n", item.tick == Tick::kProven ? "x" : " ", item.what,
                        item.because.empty() ? "" : fmt::format(": {}", item.because));
  Print(text);
}

Task<ExitCode> Run(Context& context) {
  const history::Collection collection = ReadMigrations(SettleMigrations(context));
  const Migration& migration = FindMigration(collection, context.Operand(0));
  guard::Session session = co_await OpenSession(context);
  const auto applied = co_await history::ReadApplied(session);
  const auto row = std::ranges::find(applied, migration.version, &Applied::version);
  Items items;
  AddFile(migration, collection, items);
  if (row == applied.end()) {
    const PlanBase base = co_await ReadPlanBase(session);
    Migration learnt = migration;
    co_await history::LearnCalled(session, learnt.up);
    AddPlan(history::ComposeUp(learnt, base.schema, base.options, history::Manner::kOnline), items);
  }
  AddHistory(migration, row == applied.end() ? nullptr : &*row, items);
  AddAttestations(items);
  Show(context, migration, items);
  const bool open = std::ranges::find(items, Tick::kOpen, &Item::tick) != items.end();
  co_return open ? ExitCode::kPending : ExitCode::kDone;
}

}  // namespace

extern const CommandBody kChecklistCommand;
const CommandBody kChecklistCommand{
    .description =
        "Prints what to look at before and after VERSION is applied, as a list in Markdown: what "
        "its file, its plan on this database and the history prove is ticked, with the reason; "
        "what only people can say is left open. 3 where something that could be proven is not. "
        "Reads only.",
    .most_operands = 1,
    .least_operands = 1,
    .reads_config = true,
    .add_options = &AddSourceOptions,
    .run = &Run};

}  // namespace pgalter::cli
