// One migration up, or back down, as a run of a plan in the foreground. The caller holds the
// HistoryLock.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>

#include "cli/context.h"
#include "cli/migrate/kept_plans.h"
#include "cli/plan_input.h"
#include "engine/guard/session.h"
#include "engine/run/plan_spec.h"
#include "engine/state/control.h"
#include "migrations/history/compare.h"
#include "migrations/history/compose.h"
#include "migrations/writeback/book.h"

namespace pgalter::cli {

// --lock-budget, --hold-budget, --wait, --rebuild-matviews, --fire-triggers, --break-glass, and the
// pace.
void AddApplyOptions(boost::program_options::options_description& options);

struct ApplySettings {
  lock::LadderOptions ladder;
  run::Pace pace;
  state::Phase through = state::Phase::kMigrate;
  async::Milliseconds wait{0};  // for another runner
  history::Manner manner = history::Manner::kOnline;
  Consents consents;        // a migration may say more of itself
  std::string break_glass;  // why it is begun in spite of the policy; empty: it is not
  const writeback::Book* book = nullptr;  // of the tool that is to learn of it; null: none
  const KeptPlans* kept = nullptr;        // what alone may be begun; null: whatever is planned now
};
// Throws Rejected (usage).
ApplySettings SettleApply(const Context& context, state::Phase through);

// Throws Rejected (refused) where it cannot be carried out; nothing was changed then.
void RefuseComposed(const history::Migration& migration, const history::Composed& composed);

enum class Direction { kUp, kDown };
// Has the plan tell the tool, as its approval and its run need it alike. `book` null: nobody.
void AttachEntry(plan::Plan& plan, const writeback::Book* book, const history::Migration& migration,
                 Direction direction);

// Not applied yet. Another runner that was faster is no error.
Task<ExitCode> ApplyMigration(const Context& context, guard::Session& session,
                              const history::Migration& migration, const ApplySettings& settings);
// Begun by this or another runner, and not at its end: on from where it is.
Task<ExitCode> GoOn(const Context& context, guard::Session& session,
                    const history::Migration& migration, const ApplySettings& settings);

// What stands in the way of taking it down, as far as it can be told before; empty: nothing.
Task<std::string> WhyNotDown(guard::Session& session, const history::Applied& row,
                             const history::Migration* migration);
// Applied, waiting at a gate, or begun and failed.
Task<ExitCode> TakeDown(const Context& context, guard::Session& session,
                        const history::Applied& row, const history::Migration* migration,
                        const ApplySettings& settings);

// Drops what the runs of applied migrations keep: the trigger of a backfill is needed until its
// migration is at its end. Throws run::Failure (lock not obtained).
Task<> FinishMigrations(const Context& context, guard::Session& session);

// What the database says of it now.
Task<std::optional<history::Applied>> FindApplied(guard::Session& session, std::string version);

}  // namespace pgalter::cli
