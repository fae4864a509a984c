#include "cli/outside/machine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "cli/human.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/run/canary.h"
#include "engine/state/runs.h"

namespace pgalter::cli::outside {

namespace {

constexpr Milliseconds kLookAtProgress{250};
constexpr Milliseconds kAskAgain{10'000};      // a hook that said no
constexpr std::chrono::seconds kPatience{15};  // with a rule that cannot be read

// They come and go with a run's own sessions, and are no orphans of it.
guard::SessionOptions SessionOf(const Context& context) {
  guard::SessionOptions options;
  options.connect = context.Connect();
  return options;
}

async::StopReason ReasonOf(Reaction reaction) {
  switch (reaction) {
    case Reaction::kPause:
      return async::StopReason::kPause;
    case Reaction::kAbort:
      return async::StopReason::kAbort;
    case Reaction::kRevert:
      break;
  }
  return async::StopReason::kRevert;
}

std::string HostName() {
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  name.resize(std::strlen(name.c_str()));
  return name;
}

[[noreturn]] void Refuse(const std::string& kind, const Prober& prober,
                         const watch::Observation& seen, const std::string& run) {
  throw Rejected(ExitCode::kRefused,
                 fmt::format("{} \"{}\" cannot be read: {}. Nothing was begun", kind,
                             prober.probe().name, seen.text),
                 fmt::format("mend it in pgalter.toml, then: pgalter resume {}", run));
}

}  // namespace

Machine::Machine(const Context& context, Config config, std::string run)
    : config_(std::move(config)),
      session_(SessionOf(context)),
      run_(std::move(run)),
      windows_(session_, run_),
      notifier_(context, config_, session_, run_) {
  for (const UserSignal& signal : config_.signals)
    signals_.push_back(std::make_unique<Signal>(signal, session_));
  for (const AbortRule& rule : config_.rules)
    rules_.push_back(std::make_unique<Rule>(rule, session_));
}

Task<> Machine::MeasureBaseline(Rule& rule, async::Stopper& stopper) {
  std::vector<double> values;
  const auto until = async::Clock::now() + rule.rule.baseline;
  do {
    const watch::Observation seen = co_await rule.prober.Read();
    if (seen.seen != watch::Seen::kMeasured) Refuse("abort rule", rule.prober, seen, run_);
    values.push_back(seen.value);
    if (rule.rule.above.to_canary) co_return;  // that it can be read is all
    if (rule.rule.baseline > Milliseconds(0)) co_await stopper.SleepFor(rule.prober.probe().every);
  } while (async::Clock::now() < until);
  rule.baseline = Median(std::move(values));
}

Task<> Machine::LoadCanary(guard::Session& session) {
  for (const auto& rule : rules_) {
    if (!rule->rule.above.to_canary || canary_ == Canary::kNow) continue;
    const std::string& name = rule->prober.probe().name;
    std::optional<double> kept;
    if (canary_ == Canary::kOver) kept = co_await state::CanaryOf(session, run_, name);
    if (!kept)
      throw Rejected(
          ExitCode::kRefused,
          fmt::format(
              "abort rule \"{}\" compares with the canary, and {}. Nothing was begun", name,
              canary_ == Canary::kOver ? "none of this run has measured it" : "this run has none"),
          fmt::format("compare with \"baseline + …\" in pgalter.toml, then: pgalter resume {}",
                      run_));
    rule->baseline = *kept;
  }
}

// For the runner after this one.
void Machine::KeepCanary(const run::Progress& progress) {
  if (!run::IsCanaryGate(progress.gate)) return;
  for (const auto& rule : rules_) {
    if (rule->during_canary.empty()) continue;
    state::Event event;
    event.event = "canary";
    event.kind = "rule";
    event.name = rule->prober.probe().name;
    event.said = fmt::format("{}", Median(rule->during_canary));
    notifier_.Note(std::move(event));
  }
}

Task<> Machine::Prepare(async::Stopper& stopper) {
  if (const auto hidden = co_await windows_.WhyHidden())
    throw Rejected(ExitCode::kUnsupported, *hidden,
                   "without that nobody knows whether a run may work now; nothing was begun");
  const bool anything = !config_.hooks.directory.empty() || !config_.webhooks.empty() ||
                        !signals_.empty() || !rules_.empty();
  if (!anything) co_return;
  guard::Session session = co_await guard::Session::Open(session_);
  const auto found = co_await state::FindRun(session, run_);
  if (found) {
    table_ = found->target;
    command_ = found->command;
    const state::Control control = co_await state::ReadControl(session, run_);
    // Of a plan's several the first is what the rest is compared with.
    const bool opened = std::ranges::any_of(control.passed, run::IsCanaryGate);
    canary_ = run::CanaryOf(*found) == 0 ? Canary::kNone : opened ? Canary::kOver : Canary::kNow;
  }
  co_await LoadCanary(session);
  for (const auto& signal : signals_) {
    signal->seen = co_await signal->prober.Read();
    if (signal->seen.seen != watch::Seen::kMeasured)
      Refuse("signal", signal->prober, signal->seen, run_);
  }
  auto all = [&](async::TaskGroup& group) -> Task<> {
    for (const auto& rule : rules_) group.Spawn(MeasureBaseline(*rule, stopper));
    co_return;
  };
  co_await async::WithTaskGroup(all);
}

void Machine::Follow(async::TaskGroup& group, async::Stopper& stopper,
                     const run::Progress& progress) {
  progress_ = &progress;
  group.Spawn(windows_.Follow());
  for (const auto& signal : signals_) group.Spawn(FollowSignal(*signal));
  for (const auto& rule : rules_) group.Spawn(FollowRule(*rule, stopper));
  if (config_.hooks.directory.empty() && config_.webhooks.empty()) return;
  notifier_.Tell(Facts("started", progress));
  group.Spawn(FollowProgress(progress));
}

Task<> Machine::FollowSignal(Signal& signal) {
  for (;;) {
    co_await async::SleepFor(signal.prober.probe().every);
    signal.seen = co_await signal.prober.Read();
  }
}

Task<> Machine::FollowRule(Rule& rule, async::Stopper& stopper) {
  const std::string& name = rule.prober.probe().name;
  // While the canary lasts, what comes of it is measured, and not judged by itself.
  const bool measures = rule.rule.above.to_canary && canary_ == Canary::kNow;
  constexpr double kNever = std::numeric_limits<double>::infinity();
  RulePolicy policy(measures ? kNever : rule.rule.above.From(rule.baseline), rule.rule.hold,
                    kPatience);
  for (;;) {
    const watch::Observation seen = co_await rule.prober.Read();
    std::optional<double> value;
    if (seen.seen == watch::Seen::kMeasured) value = seen.value;
    if (measures && value) rule.during_canary.push_back(*value);
    const Judgement judgement = policy.Step(value, async::Clock::now());
    std::string why;
    auto reason = ReasonOf(rule.rule.action);
    if (judgement == Judgement::kBroken) {
      why = fmt::format("abort rule {}: {:g} is above {:g}", name, *value, policy.above());
      if (rule.rule.above.relative)
        why += fmt::format(" ({} {:g})", rule.rule.above.to_canary ? "canary" : "baseline",
                           rule.baseline);
    } else if (judgement == Judgement::kUnreadable) {
      why = fmt::format("abort rule {} cannot be read: {}", name, seen.text);
      reason = async::StopReason::kPause;  // nobody knows whether it holds
    }
    if (!why.empty()) {
      state::Event event;
      event.event = "rule";
      event.kind = "rule";
      event.name = name;
      event.said = why;
      notifier_.Note(std::move(event));
      stopper.Stop(reason, why);
      co_return;
    }
    co_await async::SleepFor(rule.prober.probe().every);
  }
}

// What has changed since it was last looked at.
Task<> Machine::FollowProgress(const run::Progress& progress) {
  std::string phase = progress.phase;
  bool waiting = false;
  bool throttled = false;
  for (;;) {
    if (progress.phase != phase) {
      if (!cutting_over_.empty() && phase == cutting_over_) {
        cutting_over_.clear();
        notifier_.Tell(Facts("after-cutover", progress));
      }
      phase = progress.phase;
      notifier_.Tell(Facts("step", progress));
    }
    const bool stopped = progress.throttle_ratio <= 0;
    if (stopped != throttled)
      notifier_.Tell(Facts(stopped ? "throttled" : "unthrottled", progress));
    throttled = stopped;
    const bool waits = !progress.note.empty();
    if (waits && !waiting) notifier_.Tell(Facts("waiting", progress));
    waiting = waits;
    // A run that ends meanwhile kills no hook in the middle, and loses nothing that was to be told.
    co_await async::MaskCancellation();
    co_await async::Apart(notifier_.Flush());
    co_await async::UnmaskCancellation();
    co_await async::SleepFor(kLookAtProgress);
  }
}

Task<> Machine::End(std::string event, std::string note, const run::Progress& progress) {
  boost::json::object facts = Facts(event, progress);
  if (!note.empty()) facts["note"] = note;
  if (event == "waiting") KeepCanary(progress);
  if (!cutting_over_.empty() && event == "done") notifier_.Tell(Facts("after-cutover", progress));
  notifier_.Tell(std::move(facts));
  co_await notifier_.Finish();
}

std::vector<watch::Reading> Machine::Readings() const {
  std::vector<watch::Reading> readings;
  if (const auto window = windows_.reading()) readings.push_back(*window);
  for (const auto& signal : signals_) {
    watch::Reading reading;
    reading.signal = signal->prober.probe().name;
    reading.limit = signal->limit;
    reading.seen = signal->seen.seen;
    reading.value = signal->seen.value;
    reading.text = signal->seen.text;
    readings.push_back(std::move(reading));
  }
  return readings;
}

Task<std::optional<std::string>> Machine::WhyNot(std::string event, std::string what) {
  std::optional<std::string> why = co_await windows_.WhyNot();
  if (why) co_return why;
  Refusal& refusal = asked_[event + " " + what];
  if (refusal.why && async::Clock::now() < refusal.until) co_return refusal.why;
  boost::json::object facts = Facts(event, *progress_);
  facts["step"] = what;
  why = co_await notifier_.Ask(std::move(facts));
  asked_[event + " " + what] = {async::Clock::now() + kAskAgain, why};
  if (!why && event == "before-cutover") cutting_over_ = what;
  co_return why;
}

boost::json::object Machine::Facts(const std::string& event, const run::Progress& progress) const {
  boost::json::value eta;  // null: nobody knows
  if (progress.eta_high_s >= 0) eta = progress.eta_high_s;
  return {{"version", 1},
          {"event", event},
          {"run", run_},
          {"command", command_},
          {"table", table_},
          {"at", UtcNow()},
          {"host", HostName()},
          {"step", progress.phase},
          {"rows_done", progress.done_rows},
          {"rows_total", progress.total_rows},
          {"progress", progress.fraction},
          {"eta_seconds", eta},
          {"throttle_ratio", progress.throttle_ratio},
          {"throttle_reason", progress.throttle_reason},
          {"note", progress.note}};
}

}  // namespace pgalter::cli::outside
