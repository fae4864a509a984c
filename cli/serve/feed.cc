#include "cli/serve/feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/json/serialize.hpp>

#include "cli/human.h"
#include "cli/report.h"
#include "cli/serve/run_json.h"
#include "engine/pg/reconnect_policy.h"
#include "engine/state/schema.h"
#include "engine/state/view.h"

namespace pgalter::cli::serve {

namespace {

constexpr async::Milliseconds kAnew{0};
constexpr async::Milliseconds kWatched{1'000};
constexpr async::Milliseconds kUnwatched{5'000};
constexpr async::Milliseconds kLongestPause{10'000};
constexpr async::Milliseconds kDeadline{10'000};
// Between two looks at all runs only those are read that changed in the meantime.
constexpr std::chrono::seconds kWholeLook{10};
constexpr std::chrono::seconds kRecent{60};

std::string Why(const std::exception_ptr& error) {
  const run::Verdict verdict = Judge(error);
  return verdict.hint.empty() ? verdict.text : fmt::format("{} ({})", verdict.text, verdict.hint);
}

}  // namespace

Task<> Feed::Connect() {
  session_ = guard::Session();
  guard::SessionOptions options;
  options.connect = connect_;
  options.connect.application_name = "pgalter serve";
  options.connect.query_deadline = kDeadline;
  options.settings = {{"default_transaction_read_only", "on"}, {"TimeZone", "UTC"}};
  session_ = co_await guard::Session::Open(std::move(options));
  installed_ = false;
  next_whole_look_ = {};
}

Task<> Feed::Open() {
  co_await Connect();
  co_await LookInTurn(kAnew);
}

Task<> Feed::LookInTurn(async::Clock::duration fresh) {
  co_await TakeTurn();
  const Turn turn(*this);
  // Somebody who was before us in the queue has done it.
  if (async::Clock::now() - looked_at_ < fresh) co_return;
  co_await Look();
  looked_at_ = async::Clock::now();
  SetLink(true, "");
}

Task<> Feed::Freshen() {
  if (!session_.open() || async::Clock::now() - looked_at_ < kWatched) co_return;
  try {
    co_await LookInTurn(kWatched);
  } catch (const pg::PgError& error) {
    Log(error.what());
  }
}

Task<> Feed::Look() {
  if (!installed_) {
    const int version = co_await state::InstalledVersion(session_);
    installed_ = version > 0;
    if (!installed_) {
      ForgetMissing({});
      co_return;
    }
  }
  const auto now = async::Clock::now();
  const bool whole = now >= next_whole_look_;
  std::vector<state::Run> runs;
  if (whole)
    runs = co_await state::ListRuns(session_);
  else
    runs = co_await state::ListRecentRuns(session_, kRecent);
  const auto runners = co_await state::LiveRunners(session_);
  if (whole) {
    ForgetMissing(runs);
    next_whole_look_ = now + kWholeLook;
  }
  Take(std::move(runs), runners);
}

void Feed::Take(std::vector<state::Run> runs, const std::map<std::string, state::Runner>& runners) {
  const std::int64_t next = revision_ + 1;
  for (state::Run& run : runs) {
    const auto runner = runners.find(run.id);
    ShownRun shown{std::move(run), std::nullopt, "", next};
    if (runner != runners.end()) shown.runner = runner->second;
    shown.json = boost::json::serialize(ShownRunJson(shown.run, shown.runner));
    ShownRun& known = runs_[shown.run.id];
    if (known.json == shown.json) continue;
    known = std::move(shown);
    revision_ = next;
  }
  if (revision_ == next) Wake(watching_);
}

void Feed::ForgetMissing(const std::vector<state::Run>& all) {
  std::set<std::string_view> there;
  for (const state::Run& run : all) there.insert(run.id);
  const auto gone =
      std::erase_if(runs_, [&](const auto& entry) { return there.count(entry.first) == 0; });
  if (gone == 0) return;
  removal_revision_ = ++revision_;
  Wake(watching_);
}

void Feed::SetLink(bool connected, std::string problem) {
  const bool changed = connected != link_.connected || problem != link_.problem;
  link_.connected = connected;
  link_.problem = std::move(problem);
  if (connected) link_.as_of = UtcNow();
  if (!changed) return;
  link_revision_ = ++revision_;
  Wake(watching_);
}

Task<> Feed::Follow() {
  pg::ReconnectPolicy reconnect;
  for (;;) {
    std::exception_ptr problem;
    try {
      if (!session_.open()) co_await Connect();
      co_await LookInTurn(kAnew);
    } catch (...) {
      problem = std::current_exception();
    }
    async::Milliseconds pause = watchers_ > 0 ? kWatched : kUnwatched;
    if (problem) {
      if (async::IsCancellation(problem)) std::rethrow_exception(problem);
      SetLink(false, Why(problem));
      pause = reconnect.Next().value_or(kLongestPause);
    } else {
      reconnect.Reset();
    }
    co_await Sleep(idle_, pause);
  }
}

std::vector<const ShownRun*> Feed::Runs() const {
  std::vector<const ShownRun*> runs;
  for (const auto& [id, shown] : runs_) runs.push_back(&shown);
  std::sort(runs.begin(), runs.end(), [](const ShownRun* a, const ShownRun* b) {
    return std::tie(a->run.created_at, a->run.id) > std::tie(b->run.created_at, b->run.id);
  });
  return runs;
}

const ShownRun* Feed::Find(const std::string& id_or_prefix) const {
  const auto first = runs_.lower_bound(id_or_prefix);
  if (first == runs_.end() || !first->first.starts_with(id_or_prefix)) return nullptr;
  const auto second = std::next(first);
  if (second != runs_.end() && second->first.starts_with(id_or_prefix)) return nullptr;
  return &first->second;
}

Task<> Feed::AwaitChange(std::int64_t seen, async::Milliseconds limit) {
  if (revision_ == seen) co_await Sleep(watching_, limit);
}

Task<> Feed::TakeTurn() {
  while (taken_) co_await Sleep(queue_, kLongestPause);
  taken_ = true;
}

// A wake-up and the end of the time look the same to the sleeper; being cancelled is thrown.
Task<> Feed::Sleep(Sleepers& among, async::Milliseconds limit) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, limit);
  among.insert(&timer);
  struct Leave {
    Sleepers& among;
    boost::asio::steady_timer* timer;
    ~Leave() { among.erase(timer); }
  } const leave{among, &timer};
  co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  const auto cancelled = co_await boost::asio::this_coro::cancellation_state;
  if (cancelled.cancelled() != boost::asio::cancellation_type::none)
    throw boost::system::system_error(boost::asio::error::operation_aborted);
}

void Feed::Wake(Sleepers& sleepers) {
  for (boost::asio::steady_timer* sleeper : sleepers) sleeper->cancel();
}

}  // namespace pgalter::cli::serve
