#include "cli/persist.h"

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <utility>

#include "cli/connect.h"
#include "cli/report.h"
#include "engine/async/fail_point.h"
#include "engine/pg/reconnect_policy.h"
#include "engine/run/failure.h"
#include "engine/run/given_up.h"

namespace pgalter::cli {

Task<> Persist(const Context& context, guard::Session& session, const OnSession& work,
               std::string next) {
  // A server without room for all sessions lets some in, for a moment: that is no success yet.
  constexpr async::Milliseconds kHolds{10'000};
  const auto budget = async::LimitOf("reconnect-budget", pg::kReconnectBudget);
  pg::ReconnectPolicy reconnect(budget);
  std::exception_ptr lost;
  for (;;) {
    std::optional<async::Clock::time_point> begun;
    try {
      if (lost) {
        guard::Session fresh = co_await OpenForChange(context);
        session = std::move(fresh);
      }
      begun = async::Clock::now();
      co_await work(session);
      co_return;
    } catch (...) {
      lost = std::current_exception();
    }
    if (!run::IsConnectionLoss(lost)) std::rethrow_exception(lost);
    if (begun) Say(context, "connection lost, trying again: " + run::Judge(lost).text);
    if (begun && async::Clock::now() - *begun > kHolds) reconnect.Reset();
    const auto pause = reconnect.Next();
    if (!pause) run::ThrowGivenUp(lost, budget, next);
    co_await async::SleepFor(*pause);
  }
}

}  // namespace pgalter::cli
