#include "cli/screen/follow.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <utility>

#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/human.h"
#include "cli/report.h"
#include "cli/screen/terminal.h"
#include "cli/screen/view.h"
#include "cli/wishes.h"
#include "engine/async/task_group.h"
#include "engine/pg/reconnect_policy.h"
#include "engine/state/control.h"
#include "engine/state/view.h"

namespace pgalter::cli::screen {

namespace asio = boost::asio;

namespace {

constexpr async::Milliseconds kLook{1000};
constexpr async::Milliseconds kLongestPause{10'000};
constexpr int kEvents = 6;
constexpr double kStep = 0.1;

bool HasEnded(state::RunState state) {
  return !state::IsActive(state) && state != state::RunState::kFailed;
}

// The ceiling that was set; 1 where none is.
double CeilingOf(const state::Control& control) {
  const auto* ratio = control.throttle.if_contains("ratio");
  if (ratio == nullptr || !ratio->is_string()) return 1;
  const std::string text(ratio->get_string());
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end == text.c_str() ? 1 : value;  // "auto"
}

class Follower {
 public:
  Follower(const Context& context, guard::Session session, std::string run,
           const asio::any_io_executor& executor)
      : context_(context),
        session_(std::move(session)),
        id_(std::move(run)),
        wake_(executor),
        stdin_(executor, ::dup(STDIN_FILENO)) {}

  Task<std::optional<state::Run>> Run() {
    auto all = [this](async::TaskGroup& group) -> Task<> {
      group_ = &group;
      group.Spawn(Look());
      group.Spawn(ReadKeys());
      group.Spawn(MindSignals());
      group.Spawn(MindSize());
      co_return;
    };
    std::exception_ptr failure;
    try {
      co_await async::WithTaskGroup(all);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure && !(over_ && async::IsCancellation(failure))) std::rethrow_exception(failure);
    if (left_) co_return std::nullopt;
    co_return picture_.run;
  }

 private:
  using Deed = std::function<Task<std::string>(Follower&, guard::Session&)>;

  void Draw() { terminal_.Draw(Render(picture_, terminal_.size(), context_.result_color)); }

  void End() {
    over_ = true;
    group_->Cancel();
  }

  Task<> LookOnce() {
    if (!session_.open()) session_ = co_await OpenSession(context_);
    const auto run = co_await state::FindRun(session_, id_);
    if (!run) {
      picture_.problem = "this run is forgotten";
      End();
      co_return;
    }
    Picture seen;
    seen.run = *run;
    seen.runner = co_await state::LiveRunner(session_, id_);
    seen.steps = co_await state::LoadSteps(session_, id_);
    const std::int64_t waiters = co_await state::CountLockWaiters(session_);
    if (waiters > 0) seen.locks = co_await lock::ReadLocks(session_, std::nullopt);
    seen.events = co_await state::LastEvents(session_, id_, kEvents);
    seen.as_of = UtcNow();
    seen.question = picture_.question;
    seen.said = picture_.said;
    picture_ = std::move(seen);
    if (HasEnded(picture_.run.state)) End();
  }

  Task<> Look() {
    pg::ReconnectPolicy reconnect;
    for (;;) {
      std::exception_ptr problem;
      try {
        co_await LookOnce();
        reconnect.Reset();
      } catch (...) {
        problem = std::current_exception();
      }
      async::Milliseconds pause = kLook;
      if (problem) {
        if (!run::IsConnectionLoss(problem)) std::rethrow_exception(problem);
        picture_.problem = Judge(problem).text;
        pause = reconnect.Next().value_or(kLongestPause);
        session_ = guard::Session();
      }
      Draw();
      wake_.expires_after(pause);
      co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
      if (over_) co_return;
    }
  }

  void LookSoon() { wake_.cancel(); }

  Task<> ReadKeys() {
    for (;;) {
      // Waited for, then read: to make the descriptor non-blocking would be the shell's problem.
      co_await stdin_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
      char key = 0;
      const ssize_t got = ::read(STDIN_FILENO, &key, 1);
      if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) co_return;  // it is gone
      if (got == 1) Press(key);
      Draw();
    }
  }

  void Ask(Deed deed, std::string what) {
    asked_ = std::move(deed);
    picture_.question = std::move(what) + " Press y to do it, any other key to leave it.";
    picture_.said.clear();
  }

  void Press(char key) {
    const Deed asked = std::exchange(asked_, nullptr);
    const bool question = !picture_.question.empty();
    picture_.question.clear();
    if (asked != nullptr && key == 'y') {
      group_->Spawn(Do(asked));
    } else if (question) {
      picture_.said = "left as it is";
    } else if (key == 'p') {
      Ask(&Follower::Pause,
          "Pause? What is in flight is committed, then the run rests until somebody resumes it. "
          "Nothing is lost.");
    } else if (key == 'r') {
      AskToResume();
    } else if (key == '+' || key == '-') {
      faster_ = key == '+';
      group_->Spawn(Do(&Follower::Throttle));
    } else if (key == 'q') {
      left_ = true;
      End();
    }
  }

  void AskToResume() {
    if (state::RestsAtGate(picture_.run)) {
      const auto* gate = picture_.run.progress.if_contains("gate");
      picture_.said =
          fmt::format("it rests at a gate, which is opened by name: pgalter resume {} --gate {}",
                      id_, gate == nullptr ? "NAME" : std::string_view(gate->as_string()));
      return;
    }
    Ask(&Follower::Resume,
        "Resume? A runner starts on this machine, in the background, and goes on from the last "
        "chunk; it stays when you leave.");
  }

  Task<> Do(Deed deed) {
    if (doing_) {
      picture_.said = "still at the last key";
      co_return;
    }
    doing_ = true;
    picture_.said = "asked for";
    Draw();
    std::exception_ptr refused;
    try {
      guard::Session session = co_await OpenForChange(context_);
      picture_.said = co_await deed(*this, session);
    } catch (...) {
      refused = std::current_exception();
    }
    doing_ = false;
    if (refused && async::IsCancellation(refused)) std::rethrow_exception(refused);
    if (refused) {
      const run::Verdict verdict = Judge(refused);
      picture_.said =
          verdict.hint.empty() ? verdict.text : fmt::format("{} ({})", verdict.text, verdict.hint);
    }
    LookSoon();
  }

  Task<std::string> Pause(guard::Session& session) const {
    co_await PauseRun(session, picture_.run);
    co_return "paused";
  }

  Task<std::string> Resume(guard::Session& session) {
    co_await RefuseGoingOn(session, picture_.run, BesideRunner::kRefused);
    const Further as_far_as_before;
    co_await LetGoOn(session, id_, as_far_as_before);
    const int process = co_await StartRunner(context_, id_);
    co_return fmt::format("goes on in the background, process {}", process);
  }

  Task<std::string> Throttle(guard::Session& session) {
    const state::Control control = co_await state::ReadControl(session, id_);
    const double now = CeilingOf(control);
    const double next = std::clamp(now + (faster_ ? kStep : -kStep), 0.0, 1.0);
    const bool open = next > 1 - kStep / 2;
    const std::string ratio = open ? "auto" : fmt::format("{:.1f}", next);
    const std::vector<PaceSetting> settings{{"ratio", ratio}};
    co_await SetPace(session, picture_.run, settings);
    if (open) co_return "as fast as its limits for the load let it";
    if (next < kStep / 2) co_return "it stops moving rows, until + is pressed";
    co_return fmt::format("it works for at most {:.0f} % of the time; its limits hold besides",
                          next * 100);
  }

  // As what they are, once the terminal is as it was.
  Task<> MindSignals() {
    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM, SIGHUP);
    signals.add(SIGTSTP);
    for (;;) {
      const int signal = co_await signals.async_wait(asio::use_awaitable);
      terminal_.Leave();
      if (signal != SIGTSTP) {
        signals.clear();
        std::signal(signal, SIG_DFL);
        ::raise(signal);
      }
      ::raise(SIGSTOP);
      terminal_.Enter();
      Draw();
    }
  }

  Task<> MindSize() {
    asio::signal_set signals(co_await asio::this_coro::executor, SIGWINCH);
    for (;;) {
      co_await signals.async_wait(asio::use_awaitable);
      Draw();
    }
  }

  const Context& context_;
  guard::Session session_;
  std::string id_;
  Terminal terminal_;
  Picture picture_;
  Deed asked_ = nullptr;
  bool faster_ = false;
  bool doing_ = false;
  bool over_ = false;
  bool left_ = false;
  asio::steady_timer wake_;  // Look, between two looks
  asio::posix::stream_descriptor stdin_;
  async::TaskGroup* group_ = nullptr;
};

}  // namespace

Task<std::optional<state::Run>> FollowOnScreen(const Context& context, guard::Session session,
                                               std::string run) {
  Follower follower(context, std::move(session), std::move(run),
                    co_await asio::this_coro::executor);
  co_return co_await follower.Run();
}

}  // namespace pgalter::cli::screen
