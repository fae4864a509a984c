#include "cli/follow_back.h"

#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "batcher/capture/flow.h"
#include "batcher/copy/pace.h"
#include "batcher/rebuild/follow.h"
#include "batcher/rebuild/way_back.h"
#include "cli/connect.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/async/fail_point.h"
#include "engine/async/task_group.h"
#include "engine/run/runner.h"

namespace pgalter::cli {

namespace {

constexpr async::Milliseconds kBetweenRounds{5'000};
constexpr std::int64_t kFew = 100;  // keys, as before a cut-over

Task<> AwaitSignal(async::Stopper& stopper) {
  boost::asio::signal_set signals(co_await boost::asio::this_coro::executor, SIGINT, SIGTERM);
  signals.add(SIGHUP);
  co_await signals.async_wait(boost::asio::use_awaitable);
  stopper.Stop(async::StopReason::kPause, "ended by a signal");
}

Task<> Rounds(run::Environment& env) {
  guard::Session user = co_await copy::OpenSession(env);
  for (;;) {
    const std::vector<capture::Flow> flows =
        co_await capture::LoadFlows(env.main, env.run.id, "reverse");
    for (const capture::Flow& flow : flows)
      co_await rebuild::Follow(env, env.stopper, user, flow, kFew);
    async::FailPoint("followed-back");
    co_await env.stopper.SleepFor(kBetweenRounds);
    env.stopper.ThrowIfStopping();
  }
}

Task<> Check(const Context& context, std::string run) {
  guard::Session session = co_await OpenForChange(context);
  co_await rebuild::RefuseLostWay(session, run);
  const auto runner = co_await state::LiveRunner(session, run);
  if (runner)
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("run {} is worked on by process {} on {}", run, runner->process, runner->host),
        "one is enough: pgalter status " + run);
  const std::string until = co_await rebuild::WayBackUntil(session, run);
  if (until.empty())
    throw Rejected(ExitCode::kRefused,
                   fmt::format("run {} has no old table that could be followed: it is not a done "
                               "rebuild, is finished, or cannot be taken back",
                               run),
                   "pgalter status " + run);
}

}  // namespace

Task<ExitCode> FollowBack(const Context& context, std::string run) {
  co_await Check(context, run);
  run::RunnerOptions options;
  options.connect = context.Connect();
  options.run = run;
  async::Stopper stopper;
  run::Progress progress;
  Say(context, fmt::format("the old table of run {} is kept up, until this is ended", run));
  std::exception_ptr failure;
  std::string ended;
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.Spawn(AwaitSignal(stopper));
  const run::Body rounds = [](run::Environment& env) { return Rounds(env); };
  try {
    co_await run::Accompany(options, rounds, stopper, progress);
  } catch (const async::Stopped& stopped) {
    ended = stopped.what();
  } catch (const guard::LeaseLost&) {
    ended = fmt::format("somebody else works on run {} now", run);
  } catch (...) {
    failure = std::current_exception();
  }
  group.Cancel();
  try {
    co_await group.Join();
  } catch (...) {
    if (!failure && !async::IsCancellation(std::current_exception()))
      failure = std::current_exception();
  }
  if (failure) std::rethrow_exception(failure);
  Say(context, ended);
  co_return ExitCode::kDone;
}

}  // namespace pgalter::cli
