#include <fmt/format.h>

#include <csignal>
#include <optional>

#include "cli/connect.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/screen/follow.h"
#include "cli/screen/terminal.h"
#include "cli/watch_after.h"
#include "engine/pg/reconnect_policy.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

constexpr async::Milliseconds kLook{1000};
constexpr int kLooksPerLine = 10;

bool AtRest(const state::Run& run) {
  return run.state == state::RunState::kPaused || !state::IsActive(run.state) ||
         state::RestsAtGate(run);
}

ExitCode CodeOf(state::RunState state) {
  switch (state) {
    case state::RunState::kPaused:
    case state::RunState::kAborted:
      return ExitCode::kPausedOrAborted;
    case state::RunState::kFailed:
      return ExitCode::kError;
    default:
      return ExitCode::kDone;
  }
}

class View {
 public:
  explicit View(const Context& context) : context_(context), live_(LiveLine::Possible(context)) {}

  void Show(const state::Run& run, const run::Progress& progress) {
    if (context_.output == Output::kJson) {
      PrintJson(ProgressJson(run.id, state::Name(run.state), progress, UtcNow()));
    } else if (live_) {
      line_.Draw(ProgressBar(progress, LiveLine::Width(), context_.color));
    } else if (looks_++ % kLooksPerLine == 0) {
      fmt::print(stderr, "{} {}\n", UtcNow(), ProgressLine(progress));
    }
  }

  void End(const state::Run& run, const run::Progress& progress) {
    line_.Clear();
    if (context_.output == Output::kJson) {
      Show(run, progress);
      return;
    }
    Print(fmt::format("{} {}: {}\n", run.id, state::Name(run.state),
                      ProgressLine(progress, Motion::kResting)));
    if (!run.failure.empty()) Print(run.failure + "\n");
    if (run.state == state::RunState::kPaused || run.state == state::RunState::kFailed)
      Say(context_, "go on with: pgalter resume " + run.id);
  }

 private:
  const Context& context_;
  bool live_;
  LiveLine line_;
  int looks_ = 0;
};

// Until the run rests. Throws what the connection throws.
Task<ExitCode> Follow(guard::Session& session, std::string id, View& view) {
  for (;;) {
    const auto runner = co_await state::LiveRunner(session, id);
    const auto run = co_await state::FindRun(session, id);
    if (!run) PickRun({}, id);  // forgotten meanwhile
    run::Progress progress = ProgressOf(*run);
    if (AtRest(*run)) {
      view.End(*run, progress);
      co_return CodeOf(run->state);
    }
    if (!runner) progress.note = "nobody works on it; go on with: pgalter resume " + id;
    view.Show(*run, progress);
    co_await async::SleepFor(kLook);
  }
}

// What `--for` asks for comes behind it. A run that has failed or was aborted says so all the same.
Task<ExitCode> FollowAndStay(guard::Session& session, std::string run, View& view,
                             std::optional<ExitCode>& came_to, WatchAfter* after) {
  if (!came_to) came_to = co_await Follow(session, run, view);
  if (after == nullptr) co_return *came_to;
  co_await after->Watch(session, run);
  const ExitCode seen = after->Conclude();
  const bool well = *came_to == ExitCode::kDone;
  co_return well ? seen : *came_to;
}

// A failover must not end the watching.
Task<ExitCode> FollowAcrossLosses(const Context& context, guard::Session session, std::string run,
                                  WatchAfter* after) {
  View view(context);
  std::optional<ExitCode> came_to;
  pg::ReconnectPolicy reconnect;
  for (;;) {
    std::exception_ptr lost;
    try {
      if (!session.open()) session = co_await OpenSession(context);
      reconnect.Reset();
      co_return co_await FollowAndStay(session, run, view, came_to, after);
    } catch (...) {
      lost = std::current_exception();
    }
    if (!run::IsConnectionLoss(lost)) std::rethrow_exception(lost);
    const auto pause = reconnect.Next();
    if (!pause) std::rethrow_exception(lost);
    session = guard::Session();
    co_await async::SleepFor(*pause);
  }
}

// The last words stay where the screen is no more.
Task<ExitCode> OnScreen(const Context& context, guard::Session session, std::string id) {
  const auto run = co_await screen::FollowOnScreen(context, std::move(session), id);
  if (!run) {
    Say(context, fmt::format("left; the run goes on as it is: pgalter watch {}", id));
    co_return ExitCode::kDone;
  }
  View(context).End(*run, ProgressOf(*run));
  co_return CodeOf(run->state);
}

void AddOptions(po::options_description& options) {
  options.add_options()("for", po::value<std::string>()->value_name("TIME"),
                        "go on looking for so long once the run rests, 1h or 30s, and keep what is "
                        "seen with the run");
}

Task<ExitCode> Run(Context& context) {
  std::signal(SIGPIPE, SIG_DFL);  // a reader that has seen enough ends this, and no run
  guard::Session session = co_await OpenSession(context);
  const state::Run run = co_await LoadRun(context, session);
  const auto time = WatchAfter::TimeOf(context);
  std::optional<WatchAfter> after;
  if (time) {
    co_await WatchAfter::RefuseWithoutTable(session);
    after.emplace(context, *time);
  }
  const bool lines = after || context.Get("output") == "lines";
  // One that has ended is told in a line.
  const bool over = !state::IsActive(run.state) && run.state != state::RunState::kFailed;
  if (!lines && !over && screen::Terminal::Possible(context))
    co_return co_await OnScreen(context, std::move(session), run.id);
  WatchAfter* stay = after ? &*after : nullptr;
  co_return co_await FollowAcrossLosses(context, std::move(session), run.id, stay);
}

}  // namespace

extern const CommandBody kWatchCommand;
const CommandBody kWatchCommand{
    .description =
        "Follows a run until it is done, waits at a gate, has failed, or was aborted or paused, "
        "and ends with 0, 0, 1, 6 or 6. "
        "With --output json one value a second. Ending it does nothing to the run.\n\n"
        "On a terminal it takes the whole screen: progress, what holds the pace back, lag by "
        "standby, who waits for whom, steps and events. Keys steer: p pauses and r resumes, once y "
        "says so, + and - change the pace, q leaves. There it stays while the run rests. --output "
        "lines, a pipe or TERM=dumb give lines instead, which only read.\n\n"
        "With --for 1h it goes on for that long once the run rests: who waits for its tables, the "
        "lag of standbys, rollbacks and deadlocks, indexes that cannot be used (3), what is done "
        "to "
        "its tables. Each look is kept with the run, and `pgalter report` shows it.",
    .most_operands = 1,
    .outputs = "text lines json",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
