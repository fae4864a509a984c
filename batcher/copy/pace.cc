#include "batcher/copy/pace.h"

#include <boost/json/array.hpp>

#include "batcher/backfill/wish.h"
#include "batcher/capture/flow.h"
#include "engine/async/fail_point.h"
#include "engine/async/finally.h"
#include "engine/async/task_group.h"
#include "engine/run/canary.h"
#include "engine/run/failure.h"

namespace pgalter::copy {

namespace {

constexpr async::Milliseconds kShowEvery{500};

throttle::ThrottleOptions OptionsFrom(const run::Environment& env, const std::string& table) {
  throttle::ThrottleOptions options;
  const auto grace = std::chrono::duration_cast<async::Milliseconds>(options.policy.grace);
  options.policy.grace = async::LimitOf("throttle-grace", grace);
  options.interval = async::LimitOf("throttle-interval", options.interval);
  options.settings.watch.run = env.run.id;
  if (env.outside != nullptr)
    options.more = [outside = env.outside] { return outside->Readings(); };
  options.settings.watch.table = table;
  options.settings.watch.made_in = capture::SchemaOf(env.run.id);
  for (const auto& [key, value] : PaceOf(env).throttle) {
    if (key == run::kCanaryKey) continue;
    if (const auto refused = throttle::Change(options.settings, key, value))
      throw run::Failure(run::ExitCode::kUsage, *refused);
  }
  return options;
}

// What an operator asks for while the step runs.
void ApplyWishes(run::Environment& env, throttle::Throttle& throttle,
                 std::map<std::string, std::string>& applied) {
  for (const auto& entry : env.control.throttle) {
    const std::string key(entry.key());
    const std::string value = entry.value().as_string().c_str();
    if (const auto seen = applied.find(key); seen != applied.end() && seen->second == value)
      continue;
    applied[key] = value;
    if (backfill::ReadWish(key, value)) continue;  // the step's own
    if (const auto refused = throttle.Set(key, value)) env.progress.remark = *refused;
  }
}

Task<> Show(run::Environment& env, throttle::Throttle& throttle) {
  std::map<std::string, std::string> applied;
  std::int64_t before = env.progress.done_rows;
  auto then = async::Clock::now();
  for (;;) {
    ApplyWishes(env, throttle, applied);
    const throttle::Verdict verdict = throttle.verdict();
    env.progress.throttle_ratio = verdict.ratio;
    env.progress.throttle_reason = verdict.reason;
    co_await env.stopper.SleepFor(kShowEvery);
    const auto now = async::Clock::now();
    const double seconds = std::chrono::duration<double>(now - then).count();
    env.progress.rows_per_s = static_cast<double>(env.progress.done_rows - before) / seconds;
    before = env.progress.done_rows;
    then = now;
  }
}

}  // namespace

Pace PaceOf(const run::Environment& env) {
  const boost::json::object& spec = env.run.spec;
  Pace pace;
  pace.workers = static_cast<int>(spec.at("workers").to_number<int>());
  pace.chunk_time = std::chrono::milliseconds(spec.at("chunk_time_ms").to_number<std::int64_t>());
  for (const auto& entry : spec.at("throttle").as_object())
    pace.throttle[std::string(entry.key())] = entry.value().as_string().c_str();
  for (const auto& entry : spec.at("settings").as_object())
    pace.settings.emplace_back(std::string(entry.key()), entry.value().as_string().c_str());
  return pace;
}

int WorkersOf(const run::Environment& env) {
  const auto* wanted = env.control.throttle.if_contains("workers");
  if (wanted == nullptr) return PaceOf(env).workers;
  const auto wish = backfill::ReadWish("workers", std::string_view(wanted->as_string()));
  return wish && wish->workers ? *wish->workers : PaceOf(env).workers;
}

Task<guard::Session> OpenSession(const run::Environment& env) {
  guard::SessionOptions options = env.sessions;
  options.settings = PaceOf(env).settings;
  co_return co_await guard::Session::Open(std::move(options));
}

Task<> WithThrottle(run::Environment& env, const std::string& table,
                    const std::function<Task<>(throttle::Throttle&)>& body) {
  throttle::Throttle throttle(co_await boost::asio::this_coro::executor, env.sessions,
                              OptionsFrom(env, table));
  bool done = false;
  auto both = [&](async::TaskGroup& group) -> Task<> {
    group.Spawn(Show(env, throttle));
    co_await body(throttle);
    done = true;
    group.Cancel();
  };
  auto work = [&]() -> Task<> {
    std::optional<run::Failure> refused;
    try {
      co_await throttle.Start(env.stopper, env.progress.note);
    } catch (const throttle::SignalsUnreadable& unreadable) {
      refused.emplace(
          unreadable.missing_right() ? run::ExitCode::kUnsupported : run::ExitCode::kRefused,
          unreadable.what());
    }
    if (refused) throw *refused;
    std::exception_ptr failure;
    try {
      co_await async::WithTaskGroup(both);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure && !(done && async::IsCancellation(failure))) std::rethrow_exception(failure);
  };
  co_await async::Finally(work(), throttle.Stop());
}

}  // namespace pgalter::copy
