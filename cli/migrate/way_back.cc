#include "cli/migrate/way_back.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "batcher/rebuild/way_back.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/undo.h"
#include "engine/run/failure.h"
#include "engine/run/undo.h"
#include "engine/state/retention.h"
#include "engine/state/steps.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

using history::Applied;

// The run that has the table: what was thrown names it.
Task<std::optional<state::Run>> RunNamedIn(guard::Session& session, std::string message) {
  const auto runs = co_await state::ListRuns(session);
  const auto found = std::ranges::find_if(
      runs, [&](const state::Run& run) { return message.find(run.id) != std::string::npos; });
  if (found == runs.end()) co_return std::nullopt;
  co_return *found;
}

// Of applied migrations; what ended runs keep besides is finished with them.
Task<std::vector<std::string>> RunsThatKeep(guard::Session& session) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT r.run::text FROM pgalter.migration m JOIN pgalter.run r ON r.run = m.run"
      " JOIN pgalter.rebuild b ON b.run = r.run"
      " WHERE r.state = 'done' AND m.state IN ('applied', 'unverified') AND EXISTS (SELECT FROM"
      " pgalter.artefact a WHERE a.run = r.run AND a.dropped_at IS NULL)");
  std::vector<std::string> runs;
  for (int i = 0; i < rows.rows(); ++i) runs.push_back(rows.Get<std::string>(i, 0));
  co_return runs;
}

Task<std::optional<Applied>> MigrationOf(guard::Session& session, std::string run) {
  const auto rows = co_await history::ReadApplied(session);
  const auto found = std::ranges::find(rows, run, &Applied::run);
  if (found == rows.end()) co_return std::nullopt;
  co_return *found;
}

// A gate is none of the ways down: behind it less can be taken back.
std::string HintOf(const std::optional<state::Run>& run, bool of_migration, Direction direction) {
  if (direction == Direction::kDown) return "then again: pgalter down";
  std::string alone;
  if (run && state::RestsAtGate(*run))
    alone = fmt::format("pgalter resume {} --gate {}, ", run->id, run->phase);
  if (run && run->state == state::RunState::kDone)
    alone = fmt::format("pgalter finish {} --yes, ", run->id);
  const bool through = of_migration && !alone.empty();
  return fmt::format("{}{}then again: pgalter up",
                     through ? "pgalter up --through contract; or " : "", alone);
}

Task<bool> IsLost(guard::Session& session, std::string run) {
  try {
    co_await rebuild::RefuseLostWay(session, std::move(run));
  } catch (const run::Failure&) {
    co_return true;
  }
  co_return false;
}

}  // namespace

Task<> RefuseTaken(guard::Session& session, const history::Migration& migration,
                   state::TableTaken taken, Direction direction) {
  const auto run = co_await RunNamedIn(session, taken.what());
  std::optional<Applied> owner;
  if (run) owner = co_await MigrationOf(session, run->id);
  std::string whose;
  if (owner) whose = fmt::format(". That run is the one of {}", owner->version);
  if (owner && state::RestsAtGate(*run)) whose += fmt::format(", which waits at {}", run->phase);
  throw Rejected(
      ExitCode::kRefused,
      fmt::format("{} cannot {}: {}{}", migration.file,
                  direction == Direction::kUp ? "begin" : "be taken down", taken.what(), whose),
      HintOf(run, owner.has_value(), direction));
}

Task<bool> KeepsOldTable(guard::Session& session, const Applied& row) {
  if (row.run.empty()) co_return false;
  const auto runs = co_await RunsThatKeep(session);
  co_return std::ranges::find(runs, row.run) != runs.end();
}

Task<> ReleaseOldTable(const Context& context, guard::Session& session, const Applied& row) {
  Say(context,
      fmt::format("{}: the old table of its rebuild goes, and with it the way back through "
                  "it (run {})",
                  row.version, row.run));
  co_await DropLeftovers(context, session, row.run);
  co_await state::NoteReleased(session, row.run);
  co_await state::MarkFinished(session, row.run);
}

Task<> ReleaseOldTables(const Context& context, guard::Session& session) {
  const auto runs = co_await RunsThatKeep(session);
  if (runs.empty()) co_return;
  const auto rows = co_await history::ReadApplied(session);
  for (const Applied& row : rows)
    if (std::ranges::find(runs, row.run) != runs.end())
      co_await ReleaseOldTable(context, session, row);
}

Task<std::string> WhyNotReverted(guard::Session& session, const Applied& row) {
  const auto steps = co_await state::LoadSteps(session, row.run);
  if (const state::Step* passed = run::PassedNoReturn(steps))
    co_return fmt::format(
        "{} cannot be taken back: step {} of its run {} was the point of no return", row.version,
        passed->id, row.run);
  const bool lost = co_await IsLost(session, row.run);
  if (!lost) co_return "";
  const std::string next = row.run_state == "waiting"
                               ? fmt::format("pgalter resume {} --gate {}", row.run, row.run_phase)
                               : "pgalter up --through contract";
  co_return fmt::format(
      "{} cannot be taken back by its run: what users change is not logged for its old table any "
      "more (pgalter status {}). Let that go, then take it back by its way down: {}; pgalter down",
      row.version, row.run, next);
}

}  // namespace pgalter::cli
