// Throttle: watches the server on a session of its own and tells workers when they may work.
//
//   co_await throttle.Start();               // connects, reads once, refuses what it cannot read
//   co_await throttle.Admit(stopper);        // before each chunk: returns while work is allowed
//   co_await throttle.After(took, stopper);  // after it: the pause that keeps the ratio
//   co_await throttle.Stop();                // always, before it is destroyed
//
// Fails closed: a lost connection is opened again by itself, and once the grace has passed without
// a reading, or a standby may be past its limit (lag_gate.h) or a budget spent (budget_gate.h),
// nobody is admitted. One thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "batcher/throttle/budget_gate.h"
#include "batcher/throttle/lag_gate.h"
#include "batcher/throttle/settings.h"
#include "batcher/throttle/snapshot.h"
#include "batcher/throttle/utilisation_policy.h"
#include "engine/async/stopper.h"
#include "engine/async/task_group.h"
#include "engine/guard/session.h"
#include "engine/pg/reconnect_policy.h"
#include "engine/watch/read_all.h"
#include "engine/watch/replicas.h"

namespace pgalter::throttle {

using async::Stopper;
using async::Task;

struct ThrottleOptions {
  Settings settings;
  UtilisationOptions policy;
  // Of the quickest signals; the others are read at so many times that (watch::Signal::every).
  async::Milliseconds interval{450};
  // Of others, judged with the signals; asked every round. Never waits.
  std::function<std::vector<watch::Reading>()> more;
  // With somebody who keeps everybody out of the table, at the start: as long as the ladder has.
  async::Milliseconds patience{60'000};
};

// Signals that cannot be read at the start: each has to be made readable or waived. what() names
// them all, why, and how.
class SignalsUnreadable : public std::runtime_error {
 public:
  explicit SignalsUnreadable(std::vector<watch::Reading> readings);
  const std::vector<watch::Reading>& readings() const { return readings_; }
  bool missing_right() const;  // at least one for want of a right

 private:
  std::vector<watch::Reading> readings_;
};

// The pause after `work` with which work / (work + pause) is `ratio`; at most 10 s.
async::Clock::duration PauseAfter(async::Clock::duration work, double ratio);

class Throttle {
 public:
  Throttle(boost::asio::any_io_executor executor, guard::SessionOptions session,
           ThrottleOptions options);

  // Throws pg::PgError, SignalsUnreadable; run::Failure (lock not obtained) where somebody keeps
  // everybody out of the table for as long as a lock is asked for. `note` says so meanwhile.
  Task<> Start(Stopper& stopper, std::string& note);
  Task<> Stop();  // throws what ended the watching too early

  Task<> Admit(Stopper& stopper);
  // A ratio that changes meanwhile changes the pause.
  Task<> After(async::Clock::duration work, Stopper& stopper) const;

  // What a chunk has written, about, rows and WAL together: a budget holds between two readings.
  void Spend(double bytes) { budget_.Spend(bytes); }
  // Of a budget, about, as of now; nullopt: there is none.
  [[nodiscard]] std::optional<double> BytesLeft() const { return budget_.left(); }

  Verdict verdict() const;
  double ratio() const { return verdict().ratio; }
  std::string reason() const { return verdict().reason; }
  Snapshot snapshot() const;

  // At any time, by the keys of settings.h. The error text; nullopt: it is set. A ratio works at
  // once, everything else when it is read next.
  [[nodiscard]] std::optional<std::string> Set(std::string_view key, std::string_view value);
  const Settings& settings() const { return options_.settings; }

 private:
  Task<std::string> WhoKeepsUsOut();  // empty: nobody
  Task<> Watch();
  Task<> Round();
  Task<> Reconnect();
  void Judge(std::vector<watch::Reading> readings);
  void WakeIfOpen();
  Task<> WaitUntilOpen(Stopper& stopper);

  guard::SessionOptions session_options_;
  ThrottleOptions options_;
  UtilisationPolicy policy_;
  LagGate gate_;
  BudgetGate budget_;
  bool stops_ = false;
  watch::Memory memory_;
  watch::Replicas replicas_;
  guard::Session session_;
  std::vector<watch::Reading> readings_;
  std::string trouble_;
  pg::ReconnectPolicy reconnect_;
  async::Clock::time_point next_attempt_;
  boost::asio::steady_timer open_;  // never expires; cancelled when work is allowed again
  async::TaskGroup group_;
};

}  // namespace pgalter::throttle
