#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/replace.hpp>

#include "batcher/rebuild/way_back.h"
#include "cli/connect.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/lost_copy.h"
#include "cli/migrate/status.h"
#include "cli/pick_run.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/run/plan_spec.h"
#include "engine/run/undo.h"
#include "engine/state/artefacts.h"
#include "engine/state/control.h"
#include "engine/state/cutover_wish.h"
#include "engine/state/steps.h"
#include "engine/state/view.h"

namespace pgalter::cli {

namespace {

constexpr int kShownKeys = 20;

class Facts {
 public:
  void Add(std::string_view name, const std::string& value) {
    text_ += fmt::format("{:<12}{}\n", fmt::format("{}:", name), Printable(value));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string RunnerText(const state::Run& run, const std::optional<state::Runner>& runner,
                       state::Wanted wanted) {
  if (runner)
    return fmt::format("process {} on {}, backend {}, last heard of {:.0f} s ago", runner->process,
                       runner->host, runner->backend_pid, runner->seconds_since_beat);
  if (state::RestsAtGate(run)) return "none; none is needed while it rests";
  if (!state::IsActive(run.state)) return "none";
  return wanted == state::Wanted::kRevert
             ? fmt::format("none; go on with: pgalter revert {} --yes", run.id)
             : fmt::format("none; go on with: pgalter resume {}", run.id);
}

std::string_view StepState(state::StepState state) {
  switch (state) {
    case state::StepState::kPending:
      return "pending";
    case state::StepState::kRunning:
      return "begun";
    case state::StepState::kDone:
      return "done";
    case state::StepState::kUndone:
      return "taken back";
  }
  return "";
}

Task<> AddSteps(guard::Session& session, const state::Run& run, Facts& facts) {
  const auto steps = co_await state::LoadSteps(session, run.id);
  for (const state::Step& step : steps)
    facts.Add("step", fmt::format("{} ({}): {}", step.id, step.phase, StepState(step.state)));
}

Task<> AddArtefacts(guard::Session& session, const state::Run& run, Facts& facts) {
  const auto artefacts = co_await state::LiveArtefacts(session, run.id);
  for (const state::Artefact& artefact : artefacts) {
    std::string what = fmt::format("{} {}", artefact.kind, artefact.name);
    if (!artefact.relation.empty()) what += " on " + artefact.relation;
    facts.Add("keeps", what);
  }
  if (artefacts.empty() || state::IsActive(run.state)) co_return;
  facts.Add("next", run.state == state::RunState::kDone ? "pgalter finish " + run.id + " --yes"
                                                        : "pgalter cleanup --yes");
}

// Whether what users changed since a cut-over is not known any more; else until when it is.
Task<bool> AddLostWay(guard::Session& session, const state::Run& run, Facts& facts) {
  std::string lost;
  try {
    co_await rebuild::RefuseLostWay(session, run.id);
  } catch (const run::Failure& failure) {
    lost = failure.what();
  }
  if (!lost.empty()) {
    facts.Add("back", "no more: " + lost);
    co_return true;
  }
  const std::string until = co_await rebuild::WayBackUntil(session, run.id);
  if (!until.empty())
    facts.Add("back",
              fmt::format("until {}; for longer while this runs: pgalter resume {} --follow", until,
                          run.id));
  co_return false;
}

// Where a plan can still go, and whether it can go back.
Task<> AddWays(guard::Session& session, const state::Run& run, Facts& facts) {
  if (!run::IsPlan(run) || run.finished) co_return;
  const bool gone =
      run.state == state::RunState::kAborted || run.state == state::RunState::kReverted;
  if (gone) co_return;
  const auto steps = co_await state::LoadSteps(session, run.id);
  if (const state::Step* passed = run::PassedNoReturn(steps)) {
    const auto runner = co_await state::LiveRunner(session, run.id);
    const bool looked = run.state == state::RunState::kFailed;  // as it failed
    if (!runner && !looked && run::MayBePastReturn(*passed)) {
      facts.Add("back", fmt::format("pgalter revert {} --yes, unless step {}, which was begun, has "
                                    "changed something",
                                    run.id, passed->id));
      co_return;
    }
    facts.Add("back", fmt::format("no more: step {} was the point of no return", passed->id));
    co_return;
  }
  const bool lost = co_await AddLostWay(session, run, facts);
  if (lost) co_return;
  const auto barrier = std::find_if(steps.begin(), steps.end(), run::IsNoReturn);
  facts.Add("back", fmt::format("pgalter revert {} --yes{}", run.id,
                                barrier == steps.end()
                                    ? ""
                                    : fmt::format(", until step {} has begun", barrier->id)));
}

// Only where the tables are swapped, so that the old one is nobody's.
Task<> AddWayBack(const Context& context, const state::Run& run, Facts& facts) {
  if ((run.command != "rebuild" && run.command != "partition convert") ||
      run.state != state::RunState::kDone || run.finished)
    co_return;
  guard::Session session = co_await OpenSession(context);
  const bool lost = co_await AddLostWay(session, run, facts);
  if (lost) co_return;
  const auto way = co_await rebuild::LookBack(session, run.id);
  if (!way) co_return;
  const std::string revert = fmt::format("pgalter revert {} --yes", run.id);
  if (!way->missing.empty()) {
    facts.Add("back", fmt::format("not as it stands: {}. Give it its name back first, then: {}",
                                  way->missing, revert));
    co_return;
  }
  if (!way->misfit.empty()) {
    facts.Add("back", fmt::format("not as it stands: the old table of {} does not take the row {}. "
                                  "Change or delete it first, then: {}",
                                  way->table, way->misfit, revert));
    co_return;
  }
  facts.Add("back", fmt::format("{}; {} {} rows that users have changed since fit the old "
                                "table",
                                revert, way->all ? "the" : "the first", HumanCount(way->tried)));
}

// Of what rests; while somebody works on it nothing comes to an end, nor matters to a run that is
// taken back.
Task<> AddLogEnd(guard::Session& session, const state::Run& run, state::Wanted wanted,
                 Facts& facts) {
  if (run.state == state::RunState::kDone) co_return;  // AddLostWay's
  if (wanted == state::Wanted::kRevert) co_return;
  const auto ends = co_await state::LogEnds(session, run.id);
  const auto end = ends.find(run.id);
  if (end == ends.end()) co_return;
  // Whatever is logged until then, the copy does not have what was not.
  if (CanOnlyBeGivenUp(run.id, run.failure))
    facts.Add("log", fmt::format("the copy is lost: pgalter abort {} --yes", run.id));
  else
    facts.Add("log", state::ToSentence(end->second, run.id));
}

Task<> AddCutover(guard::Session& session, const state::Run& run, Facts& facts) {
  if (!state::IsActive(run.state) && run.state != state::RunState::kFailed) co_return;
  const std::string from = co_await state::CutOverNotBefore(session, run.id);
  if (!from.empty()) facts.Add("cutover", "not before " + from);
}

// Keys only: a quarantined row's other values are nobody's business here.
Task<> AddQuarantine(guard::Session& session, const state::Run& run, Facts& facts) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT relid::regclass::text, key, sqlstate, count(*) OVER () FROM pgalter.quarantine"
      " WHERE run = $1 ORDER BY relid, key LIMIT $2",
      run.id, kShownKeys);
  for (int i = 0; i < rows.rows(); ++i)
    facts.Add("quarantine", fmt::format("{} {}: SQLSTATE {}", rows.Get<std::string>(i, 0),
                                        rows.Get<std::string>(i, 1), rows.Get<std::string>(i, 2)));
  if (rows.empty() || rows.Get<std::int64_t>(0, 3) <= kShownKeys) co_return;
  facts.Add("quarantine",
            fmt::format("{} rows in all, in pgalter.quarantine", rows.Get<std::int64_t>(0, 3)));
}

Task<std::string> Describe(const Context& context, guard::Session& session, const state::Run& run) {
  Facts facts;
  facts.Add("run", run.id);
  facts.Add("command", fmt::format("{} {}", run.command, run.target));
  facts.Add("state", std::string(state::Name(run.state)) + (run.finished ? ", finished" : ""));
  const bool rests = run.state == state::RunState::kPaused || !state::IsActive(run.state) ||
                     state::RestsAtGate(run);
  const Motion motion = rests ? Motion::kResting : Motion::kMoving;
  facts.Add("progress", ProgressLine(ProgressOf(run), motion));
  if (!run.failure.empty()) facts.Add("failure", boost::replace_all_copy(run.failure, "\n", "; "));
  const auto runner = co_await state::LiveRunner(session, run.id);
  const state::Control control = co_await state::ReadControl(session, run.id);
  facts.Add("runner", RunnerText(run, runner, control.wanted));
  facts.Add("started", run.created_at);
  facts.Add("updated", run.updated_at);
  co_await AddSteps(session, run, facts);
  if (!runner) co_await AddLogEnd(session, run, control.wanted, facts);
  co_await AddCutover(session, run, facts);
  co_await AddWays(session, run, facts);
  co_await AddWayBack(context, run, facts);
  co_await AddArtefacts(session, run, facts);
  co_await AddQuarantine(session, run, facts);
  co_return facts.text();
}

Task<ExitCode> Run(Context& context) {
  if (IsAboutMigrations(context)) co_return co_await MigrationStatus(context);
  guard::Session session = co_await OpenSession(context);
  const state::Run run = co_await LoadRun(context, session);
  if (context.output == Output::kJson) {
    PrintJson(RunsJson({run}));
    co_return ExitCode::kDone;
  }
  const std::string text = co_await Describe(context, session, run);
  Print(text);
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kStatusCommand;
const CommandBody kStatusCommand{
    .description =
        "Shows how far a run is, who works on it, what it keeps in the database, and "
        "what to do next. RUN is its id or the beginning of it; it can be left out when "
        "one run is active. Reads only; of a rebuild that is done it tries, and rolls back, "
        "whether what users changed since fits the old table.\n\n"
        "--migrations, --pending and --expect are about a directory of migrations: what of it is "
        "applied in this database, and whether both agree (8 where they do not).",
    .most_operands = 1,
    .reads_config = true,
    .add_options = &AddStatusOptions,
    .run = &Run};

}  // namespace pgalter::cli
