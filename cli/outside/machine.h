// Machine: what the machine of a runner adds to its run, by pgalter.toml: signals and abort rules
// of its own, hooks and webhooks; and the windows of the database's policy.
//
//   co_await machine.Prepare(stopper);               // baselines; refuses what cannot be read
//   machine.Follow(group, stopper, progress);        // beside the run
//   co_await machine.End("done", progress);          // always: the last ones are told
#pragma once

#include <map>
#include <memory>

#include "cli/outside/notify.h"
#include "cli/outside/probe.h"
#include "cli/outside/windows.h"
#include "engine/async/stopper.h"
#include "engine/async/task_group.h"
#include "engine/run/outside.h"
#include "engine/run/progress.h"

namespace pgalter::cli::outside {

class Machine final : public run::Outside {
 public:
  Machine(const Context& context, Config config, std::string run);

  // Throws Rejected (refused), and what stops `stopper`.
  Task<> Prepare(async::Stopper& stopper);
  void Follow(async::TaskGroup& group, async::Stopper& stopper, const run::Progress& progress);
  Task<> End(std::string event, std::string note, const run::Progress& progress);

  [[nodiscard]] std::vector<watch::Reading> Readings() const override;
  Task<std::optional<std::string>> WhyNot(std::string event, std::string what) override;

 private:
  struct Signal {
    Signal(const UserSignal& of, const guard::SessionOptions& session)
        : prober(of.probe, session), limit(of.limit) {}
    Prober prober;
    double limit;
    watch::Observation seen;
  };
  struct Rule {
    Rule(const AbortRule& of, const guard::SessionOptions& session)
        : prober(of.probe, session), rule(of) {}
    Prober prober;
    AbortRule rule;
    double baseline = 0;
    std::vector<double> during_canary;
  };
  // Of the run when this runner takes it.
  enum class Canary { kNone, kNow, kOver };
  struct Refusal {
    async::Clock::time_point until;
    std::optional<std::string> why;
  };

  // What the canary of an earlier runner has left.
  Task<> LoadCanary(guard::Session& session);
  void KeepCanary(const run::Progress& progress);
  Task<> MeasureBaseline(Rule& rule, async::Stopper& stopper);
  Task<> FollowSignal(Signal& signal);
  Task<> FollowRule(Rule& rule, async::Stopper& stopper);
  Task<> FollowProgress(const run::Progress& progress);
  [[nodiscard]] boost::json::object Facts(const std::string& event,
                                          const run::Progress& progress) const;

  Config config_;
  guard::SessionOptions session_;
  std::string run_;
  std::string table_;
  std::string command_;
  std::vector<std::unique_ptr<Signal>> signals_;
  std::vector<std::unique_ptr<Rule>> rules_;
  Canary canary_ = Canary::kNone;
  Windows windows_;
  Notifier notifier_;
  std::map<std::string, Refusal> asked_;  // by event and step
  std::string cutting_over_;              // the step that was let through to its cut-over
  const run::Progress* progress_ = nullptr;
};

}  // namespace pgalter::cli::outside
