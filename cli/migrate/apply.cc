#include "cli/migrate/apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/await_state.h"
#include "cli/foreground.h"
#include "cli/govern/open_run.h"
#include "cli/govern/refused.h"
#include "cli/hold_budget.h"
#include "cli/migrate/way_back.h"
#include "cli/pace.h"
#include "cli/plan_input.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/undo.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/canary.h"
#include "engine/run/make_run.h"
#include "engine/run/undo.h"
#include "engine/state/control.h"
#include "engine/state/retention.h"
#include "engine/state/steps.h"
#include "engine/watch/unit.h"
#include "migrations/history/ending.h"
#include "migrations/history/policy.h"
#include "migrations/history/store.h"
#include "migrations/history/verify.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Applied;
using history::Migration;
using history::State;

constexpr std::string_view kUniqueViolation = "23505";

std::string Called(const Migration& migration) {
  return migration.title.empty() || migration.title == migration.version
             ? migration.version
             : fmt::format("{} ({})", migration.version, migration.title);
}

async::Milliseconds Duration(const Context& context, const char* option) {
  const auto& text = context.Get(option);
  const auto seconds = watch::Parse(text, watch::Unit::kSeconds);
  if (!seconds || *seconds < 0)
    throw Rejected(ExitCode::kUsage, fmt::format("--{} \"{}\" is no duration", option, text),
                   "write 500ms, 5s or 2min");
  return async::Milliseconds(static_cast<std::int64_t>(*seconds * 1000));
}

Task<ExitCode> VerifyMigration(const Context& context, guard::Session& session,
                               const Migration& migration) {
  guard::Settings settings = co_await guard::RoleSettings(session);
  const auto answers = co_await history::Verify(session, std::move(settings), migration.verify);
  std::string failed;
  for (const history::Answered& answer : answers)
    if (!answer.holds)
      failed +=
          fmt::format("\n{}:{}: {}: {}", migration.file, answer.line, answer.why, answer.question);
  if (!failed.empty())
    throw Rejected(ExitCode::kMismatch,
                   fmt::format("{} is applied, and what verifies it does not hold:{}",
                               Called(migration), failed),
                   "repair the data and ask again: pgalter up; or take it back: pgalter down");
  auto mark = [&]() -> Task<> { co_await history::MarkVerified(session, migration.version); };
  co_await guard::RunInTransaction(session, mark);
  Say(context, fmt::format("{} is verified: {} of {} hold", Called(migration), answers.size(),
                           answers.size()));
  co_return ExitCode::kDone;
}

// A step that failed in a transaction was rolled back; if it was the first, the file can be
// corrected and applied again as if nothing had been.
Task<> TakeBackIfNothingIsDone(const Context& context, guard::Session& session,
                               const Migration& migration, Applied row) {
  if (row.state != State::kApplying || row.run_state != "failed") co_return;
  const auto steps = co_await state::LoadSteps(session, row.run);
  const bool nothing = std::ranges::all_of(steps, [](const state::Step& step) {
    return step.state == state::StepState::kPending ||
           (step.state == state::StepState::kRunning &&
            run::PlannedStep(step).transaction != plan::Transaction::kNone);
  });
  if (!nothing) {
    Say(context,
        fmt::format("{} is half applied. Go on, once the cause is gone: pgalter up; or take back "
                    "what was done: pgalter down",
                    Called(migration)));
    co_return;
  }
  co_await UndoWithoutRunner(context, row.run, state::RunState::kAborted);
  Say(context,
      fmt::format("nothing of {} is left: correct it, then: pgalter up", Called(migration)));
}

// What comes behind it may need the rows that it has not moved yet.
bool RestsAtCanary(const Applied& row) {
  return row.run_state == "waiting" && run::IsCanaryGate(row.run_phase);
}

ExitCode WaitForCanary(const Context& context, const Migration& migration, const Applied& row) {
  Say(context,
      fmt::format("{} rests after its first part, and those behind it wait for it: pgalter resume "
                  "{} --gate {}; then: pgalter up",
                  Called(migration), row.run, row.run_phase));
  return ExitCode::kPending;
}

// What is to be done once its run has come to rest.
Task<ExitCode> Settle(const Context& context, guard::Session& session, const Migration& migration,
                      ExitCode code) {
  const auto row = co_await FindApplied(session, migration.version);
  if (!row) co_return code;
  co_await FinishMigrations(context, session);
  async::FailPoint("migration-unverified");
  if (row->state == State::kUnverified)
    co_return co_await VerifyMigration(context, session, migration);
  if (row->state == State::kApplied) co_return ExitCode::kDone;
  if (RestsAtCanary(*row)) co_return WaitForCanary(context, migration, *row);
  co_await TakeBackIfNothingIsDone(context, session, migration, *row);
  co_return code;
}

struct Created {
  std::string run;  // empty: another runner has it
};

Task<Created> CreateRunOf(guard::Session& session, const Migration& migration,
                          run::PlannedRun planned, std::function<Task<>(std::string run)> also,
                          Direction direction) {
  Created created;
  std::optional<state::TableTaken> taken;
  try {
    created.run = co_await run::CreateRun(session, planned, std::move(also));
  } catch (const state::TableTaken& refused) {
    taken = refused;
  } catch (const pg::PgError& error) {
    RethrowAsPolicy(error);
    if (!error.Is(kUniqueViolation)) throw;
  }
  if (taken) co_await RefuseTaken(session, migration, *taken, direction);
  co_return created;
}

Task<run::PlannedRun> PlannedOf(guard::Session& session, const Migration& migration,
                                history::Composed composed, catalog::Schema schema,
                                const ApplySettings& settings) {
  run::PlannedRun planned;
  planned.plan = std::move(composed.plan);
  planned.spec.ladder = settings.ladder;
  planned.spec.pace = settings.pace;
  if (settings.pace.throttle.contains(run::kCanaryKey) && !HasRoomForCanary(planned.plan))
    planned.spec.pace.throttle.erase(run::kCanaryKey);
  planned.through = settings.through;
  planned.spec.settings = co_await guard::RoleSettings(session);
  try {
    co_await run::RefuseUnfit(session, planned.plan, schema);
  } catch (const run::Failure& failure) {
    throw Rejected(failure.code(), fmt::format("{}: {}", migration.file, failure.what()),
                   "pgalter plan shows the steps; \"-- transaction: single\" in the header of a "
                   "migration of pgalter's own format runs it as it is written");
  }
  co_return planned;
}

history::Beginning BeginningOf(const Migration& migration, const ApplySettings& settings) {
  return {migration.down.has_value(), settings.break_glass};
}

writeback::Entry EntryIn(const ApplySettings& settings, const Migration& migration) {
  return settings.book == nullptr ? writeback::Entry()
                                  : writeback::EntryOf(*settings.book, migration);
}

Task<> InsertEmpty(guard::Session& session, const Migration& migration,
                   history::Beginning beginning, std::vector<std::string> also) {
  const State settled = migration.verify.empty() ? State::kApplied : State::kUnverified;
  auto insert = [&]() -> Task<> {
    co_await history::TellPolicy(session, beginning);
    co_await history::InsertSettled(session, migration, settled, "nothing to run");
    for (const std::string& statement : also) co_await session.db().Execute(statement);
  };
  try {
    co_await guard::RunInTransaction(session, insert);
  } catch (const pg::PgError& error) {
    RethrowAsPolicy(error);
    throw;
  }
}

Task<> RefuseRevertWanted(guard::Session& session, const Migration& migration, std::string run) {
  const state::Control control = co_await state::ReadControl(session, run);
  if (control.wanted != state::Wanted::kRevert) co_return;
  throw Rejected(
      ExitCode::kHistoryDivergence,
      fmt::format("{} is being taken back, which has not come to its end", Called(migration)),
      fmt::format("pgalter revert {} --yes", run));
}

// By its own run, as it was recorded.
Task<ExitCode> RevertRun(const Context& context, guard::Session& session, const Applied& row) {
  const std::string why = co_await WhyNotReverted(session, row);
  if (!why.empty())
    throw Rejected(ExitCode::kRefused, why + ". Nothing was changed",
                   "write a migration that makes the opposite change");
  co_await UndoWithoutRunner(context, row.run, state::RunState::kReverted);
  co_return ExitCode::kDone;
}

Task<ExitCode> VerifyDown(guard::Session& session, const Migration& migration) {
  if (migration.down_verify.empty()) co_return ExitCode::kDone;
  guard::Settings settings = co_await guard::RoleSettings(session);
  const auto answers =
      co_await history::Verify(session, std::move(settings), migration.down_verify);
  for (const history::Answered& answer : answers)
    if (!answer.holds)
      throw Rejected(
          ExitCode::kMismatch,
          fmt::format("{} is taken back, and what verifies that does not hold:\n{}:{}: "
                      "{}: {}",
                      Called(migration), migration.file, answer.line, answer.why, answer.question),
          "look at what is left of it");
  co_return ExitCode::kDone;
}

Task<ExitCode> RunDown(const Context& context, guard::Session& session, const Applied& row,
                       const Migration& migration, const ApplySettings& settings) {
  PlanBase base = co_await ReadPlanBase(session);
  settings.consents.AddTo(base.options);
  Migration learnt = migration;
  co_await history::LearnCalled(session, *learnt.down);
  history::Composed composed = history::ComposeDown(learnt, base.schema, base.options);
  RefuseComposed(migration, composed);
  const writeback::Entry entry = EntryIn(settings, migration);
  if (composed.plan.steps.empty() && composed.plan.statements.empty()) {
    auto remove = [&]() -> Task<> {
      for (const std::string& statement : entry.out) co_await session.db().Execute(statement);
      co_await history::Remove(session, row.version, "migration.down", "nothing to run");
    };
    co_await guard::RunInTransaction(session, remove);
    co_return co_await VerifyDown(session, migration);
  }
  const history::Beginning beginning = BeginningOf(migration, settings);
  AttachEntry(composed.plan, settings.book, migration, Direction::kDown);
  run::PlannedRun planned =
      co_await PlannedOf(session, migration, std::move(composed), std::move(base.schema), settings);
  auto also = [&](std::string run) -> Task<> {
    co_await history::TellPolicy(session, beginning);
    co_await history::MarkReverting(session, row.version, std::move(run));
  };
  const Created created =
      co_await CreateRunOf(session, migration, std::move(planned), also, Direction::kDown);
  async::FailPoint("migration-down-created");
  const ExitCode code = co_await RunInForeground(context, created.run);
  const auto left = co_await FindApplied(session, row.version);
  if (left) co_return code == ExitCode::kDone ? ExitCode::kPausedOrAborted : code;
  co_return co_await VerifyDown(session, migration);
}

[[noreturn]] void RefuseNoWayDown(const Applied& row, const Migration* migration) {
  if (migration == nullptr)
    throw Rejected(ExitCode::kHistoryDivergence,
                   fmt::format("the file of {} ({}) is not there, and with it its way down",
                               row.version, row.file),
                   fmt::format("bring it back: git log --diff-filter=D -- {}", row.file));
  if (!migration->irreversible.empty())
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("{} is irreversible: {}", Called(*migration), migration->irreversible),
        "write a migration that makes the opposite change");
  throw Rejected(ExitCode::kRefused, fmt::format("{} has no way down", Called(*migration)),
                 "write one below \"-- pgalter:down\", or beside it as its tool has it");
}

}  // namespace

void AddApplyOptions(po::options_description& options) {
  options.add_options()  //
      ("lock-budget", po::value<std::string>()->default_value("60s"),
       "how long a step asks for its lock, in short attempts")  //
      ("hold-budget", po::value<std::string>()->default_value("1s"),
       "how long a step may hold a lock that users wait for")  //
      ("wait", po::value<std::string>()->default_value("10min"),
       "how long to wait for another pgalter that changes the migrations of this database")  //
      ;
  AddConsents(options);
  AddBreakGlass(options);
  AddPaceOptions(options);
}

ApplySettings SettleApply(const Context& context, state::Phase through) {
  ApplySettings settings;
  settings.ladder.budget = Duration(context, "lock-budget");
  settings.ladder.hold_budget = HoldBudgetOf(context);
  settings.wait = Duration(context, "wait");
  settings.through = through;
  settings.consents = ConsentsOf(context);
  settings.pace = PaceOf(context);
  settings.break_glass = BreakGlassOf(context);
  return settings;
}

void RefuseComposed(const Migration& migration, const history::Composed& composed) {
  if (composed.refusal.empty()) return;
  throw Rejected(ExitCode::kRefused,
                 fmt::format("{}: {}. Nothing was changed by it", migration.file, composed.refusal),
                 composed.hint);
}

void AttachEntry(plan::Plan& plan, const writeback::Book* book, const Migration& migration,
                 Direction direction) {
  if (book == nullptr) return;
  const writeback::Entry entry = writeback::EntryOf(*book, migration);
  const bool up = direction == Direction::kUp;
  writeback::Attach(plan, up ? entry.in : entry.out, up ? entry.out : entry.in, book->called);
}

Task<> FinishMigrations(const Context& context, guard::Session& session) {
  const auto runs = co_await history::RunsToFinish(session);
  for (const std::string& run : runs) {
    co_await DropLeftovers(context, session, run);
    co_await state::MarkFinished(session, run);
  }
}

Task<std::optional<Applied>> FindApplied(guard::Session& session, std::string version) {
  const auto rows = co_await history::ReadApplied(session);
  const auto found = std::ranges::find(rows, version, &Applied::version);
  if (found == rows.end()) co_return std::nullopt;
  co_return *found;
}

Task<ExitCode> ApplyMigration(const Context& context, guard::Session& session,
                              const Migration& migration, const ApplySettings& settings) {
  Say(context, fmt::format("{}", Called(migration)));
  PlanBase base = co_await ReadPlanBase(session);
  const Consents consents =
      settings.kept == nullptr ? settings.consents : ConsentsIn(*settings.kept, migration);
  consents.AddTo(base.options);
  Migration learnt = migration;
  co_await history::LearnCalled(session, learnt.up);
  history::Composed composed =
      history::ComposeUp(learnt, base.schema, base.options, settings.manner);
  RefuseComposed(migration, composed);
  for (const std::string& remark : composed.remarks)
    Say(context, fmt::format("{}: {}", migration.version, remark));
  const history::Beginning beginning = BeginningOf(migration, settings);
  writeback::Entry entry = EntryIn(settings, migration);
  AttachEntry(composed.plan, settings.book, migration, Direction::kUp);
  if (settings.kept != nullptr) RefuseOtherSteps(*settings.kept, migration, composed.plan);
  if (composed.plan.steps.empty() && composed.plan.statements.empty()) {
    co_await InsertEmpty(session, migration, beginning, std::move(entry.in));
    co_return co_await Settle(context, session, migration, ExitCode::kDone);
  }
  run::PlannedRun planned =
      co_await PlannedOf(session, migration, std::move(composed), std::move(base.schema), settings);
  auto also = [&](std::string run) -> Task<> {
    co_await history::TellPolicy(session, beginning);
    co_await history::InsertApplying(session, migration, std::move(run));
    async::FailPoint("migration-uncommitted");
  };
  const Created created =
      co_await CreateRunOf(session, migration, std::move(planned), also, Direction::kUp);
  async::FailPoint("migration-created");
  if (created.run.empty()) {
    Say(context, fmt::format("{} was begun by another runner", Called(migration)));
    co_return ExitCode::kDone;
  }
  const ExitCode code = co_await RunInForeground(context, created.run);
  co_return co_await Settle(context, session, migration, code);
}

Task<ExitCode> GoOn(const Context& context, guard::Session& session, const Migration& migration,
                    const ApplySettings& settings) {
  const auto row = co_await FindApplied(session, migration.version);
  if (!row) co_return ExitCode::kDone;
  if (row->state == State::kUnverified)
    co_return co_await VerifyMigration(context, session, migration);
  if (row->state != State::kApplying) co_return ExitCode::kDone;
  if (row->run_state.empty())
    throw Rejected(ExitCode::kHistoryDivergence,
                   fmt::format("{} was begun, and its run {} is not there any more: how much of it "
                               "was done is not known",
                               Called(migration), row->run),
                   fmt::format("compare the database with {}; then, if it is applied: pgalter "
                               "repair {} --yes; if nothing of it is: pgalter repair {} "
                               "--forget --yes",
                               migration.file, row->version, row->version));
  const auto runner = co_await FindLivingRunner(session, row->run);
  if (runner)
    throw Rejected(ExitCode::kLockNotObtained,
                   fmt::format("process {} on {} works on {} (run {})", runner->process,
                               runner->host, Called(migration), row->run),
                   fmt::format("pgalter watch {}", row->run));
  co_await RefuseRevertWanted(session, migration, row->run);
  if (RestsAtCanary(*row)) co_return WaitForCanary(context, migration, *row);
  if (row->run_state == "waiting" && settings.through != state::Phase::kContract) {
    Say(context, fmt::format("{} waits at {}: pgalter status {}", Called(migration), row->run_phase,
                             row->run));
    co_return ExitCode::kDone;
  }
  Say(context, fmt::format("{} goes on", Called(migration)));
  co_await state::GoThrough(session, row->run, settings.through);
  co_await state::Ask(session, row->run, state::Wanted::kRun);
  const ExitCode code = co_await RunInForeground(context, row->run);
  co_return co_await Settle(context, session, migration, code);
}

Task<std::string> WhyNotDown(guard::Session& session, const Applied& row,
                             const Migration* migration) {
  if (row.state == State::kReverting) co_return "";
  const bool by_its_run = row.state == State::kApplying || co_await KeepsOldTable(session, row);
  if (by_its_run) {
    std::string why = co_await WhyNotReverted(session, row);
    if (why.empty() || row.state == State::kApplying) co_return why;
  }
  if (migration == nullptr)
    co_return fmt::format("the file of {} ({}) is not there, and with it its way down", row.version,
                          row.file);
  if (!migration->irreversible.empty())
    co_return fmt::format("{} is irreversible: {}", migration->file, migration->irreversible);
  if (!migration->down) co_return fmt::format("{} has no way down", migration->file);
  const PlanBase base = co_await ReadPlanBase(session);
  Migration learnt = *migration;
  co_await history::LearnCalled(session, *learnt.down);
  const history::Composed composed = history::ComposeDown(learnt, base.schema, base.options);
  co_return composed.refusal.empty() ? ""
                                     : fmt::format("{}: {}", migration->file, composed.refusal);
}

Task<ExitCode> TakeDown(const Context& context, guard::Session& session, const Applied& row,
                        const Migration* migration, const ApplySettings& settings) {
  Say(context, fmt::format("{} down", migration != nullptr ? Called(*migration) : row.version));
  if (row.state == State::kReverting) {
    co_await state::Ask(session, row.down_run, state::Wanted::kRun);
    const ExitCode code = co_await RunInForeground(context, row.down_run);
    const auto left = co_await FindApplied(session, row.version);
    if (left) co_return code == ExitCode::kDone ? ExitCode::kPausedOrAborted : code;
    if (migration == nullptr) co_return code;
    co_return co_await VerifyDown(session, *migration);
  }
  if (row.state == State::kApplying) co_return co_await RevertRun(context, session, row);
  const bool kept = co_await KeepsOldTable(session, row);
  std::string why;
  if (kept) why = co_await WhyNotReverted(session, row);
  if (kept && why.empty()) co_return co_await RevertRun(context, session, row);
  if (migration == nullptr || !migration->down) RefuseNoWayDown(row, migration);
  if (kept) co_await ReleaseOldTable(context, session, row);
  co_return co_await RunDown(context, session, row, *migration, settings);
}

}  // namespace pgalter::cli
