#include "cli/pace.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "batcher/throttle/settings.h"
#include "cli/rejected.h"
#include "engine/run/canary.h"
#include "engine/run/make_run.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, what, hint);
}

}  // namespace

void AddThrottleOptions(po::options_description& options) {
  options.add_options()  //
      ("max-lag", po::value<std::string>(),
       "replay lag of a standby at which all stops, as 10s")  //
      ("replica", po::value<Words>()->value_name("DSN")->composing(),
       "a standby to ask directly, without a password; more than once")  //
      ("throttle", po::value<Words>()->composing(),
       "KEY=VALUE: a limit, as for pgalter throttle")  //
      ("without-signal", po::value<Words>()->composing(), "go on without this signal");
}

std::map<std::string, std::string> ThrottleOf(const Context& context) {
  std::map<std::string, std::string> keys;
  if (context.Has("max-lag")) keys["replay-lag-seconds"] = context.Get("max-lag");
  if (context.Has("replica"))
    for (const std::string& dsn : context.Get<Words>("replica"))
      keys["replicas"] += (keys["replicas"].empty() ? "" : "; ") + dsn;
  if (context.Has("throttle")) {
    for (const std::string& text : context.Get<Words>("throttle")) {
      const std::size_t at = text.find('=');
      if (at == std::string::npos || at == 0)
        Refuse(fmt::format("--throttle \"{}\" is not understood", text), "write KEY=VALUE");
      keys[text.substr(0, at)] = text.substr(at + 1);
    }
  }
  if (context.Has("without-signal"))
    for (const std::string& signal : context.Get<Words>("without-signal")) keys[signal] = "off";
  throttle::Settings settings;
  for (const auto& [key, value] : keys)
    if (const auto refused = throttle::Change(settings, key, value)) Refuse(*refused, "");
  return keys;
}

void AddCanaryOption(po::options_description& options) {
  options.add_options()("canary", po::value<std::string>()->value_name("SHARE"),
                        "rest at the gate canary after this first part of the table, as 1%");
}

void AddCanary(const Context& context, std::map<std::string, std::string>& throttle) {
  if (!context.Has("canary")) return;
  std::string text = context.Get("canary");
  if (text.ends_with('%')) text.pop_back();
  while (text.ends_with(' ')) text.pop_back();
  const auto percent = watch::Parse(text, watch::Unit::kNumber);
  const bool said = context.Get("canary").ends_with('%');
  if (!said || !percent || !(*percent > 0 && *percent < 100))
    Refuse(fmt::format("--canary \"{}\" is no share of a table", context.Get("canary")),
           "write 1% or 0.1%: more than nothing, less than all");
  throttle[run::kCanaryKey] = fmt::format("{}", *percent / 100);
}

bool HasRoomForCanary(const plan::Plan& plan) {
  for (const plan::Step& step : plan.steps)
    if (step.rebuild && !step.rebuild->order_by.empty())
      Refuse(fmt::format("--canary and step {}, which brings rows into another order, do not go "
                         "together",
                         step.id),
             "leave --canary out");
  const auto steps = run::StepsOf(plan);
  return std::ranges::any_of(
      steps, [](const state::Step& step) { return !run::CanaryGateOf(step).empty(); });
}

void AddPaceOptions(po::options_description& options) {
  options.add_options()  //
      ("workers", po::value<int>()->value_name("N"),
       "sessions that change or copy rows at a time; default: 1")  //
      ("chunk-time", po::value<std::string>()->value_name("DURATION"),
       "how long a chunk takes; default: 100ms of a backfill, 500ms of a rebuild");
  AddThrottleOptions(options);
}

run::Pace PaceOf(const Context& context) {
  constexpr int kMostWorkers = 64;
  run::Pace pace;
  if (context.Has("workers")) {
    pace.workers = context.Get<int>("workers");
    if (*pace.workers < 1 || *pace.workers > kMostWorkers)
      Refuse(fmt::format("--workers {} is out of range", *pace.workers), "1 to 64");
  }
  if (context.Has("chunk-time")) {
    const auto& text = context.Get("chunk-time");
    const auto seconds = watch::Parse(text, watch::Unit::kSeconds);
    if (!seconds || *seconds < 0.005 || *seconds > 10)
      Refuse(fmt::format("--chunk-time \"{}\" is out of range", text),
             "5ms to 10s; users may wait for as long as that");
    pace.chunk_time = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
  }
  pace.throttle = ThrottleOf(context);
  return pace;
}

}  // namespace pgalter::cli
