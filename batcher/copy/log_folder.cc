#include "batcher/copy/log_folder.h"

#include <utility>

#include "batcher/capture/catch_up.h"
#include "batcher/copy/pace.h"
#include "engine/async/fail_point.h"

namespace pgalter::copy {

namespace {

constexpr async::Milliseconds kEvery{10'000};
constexpr std::chrono::hours kLongest{1};

}  // namespace

async::Task<> LogFolder::MayFold(run::Environment& env) {
  if (async::Clock::now() - folded_ < async::LimitOf("log-folded-every", kEvery)) co_return;
  if (!session_) {
    guard::Session session = co_await OpenSession(env);
    session.db().set_query_deadline(kLongest);
    session_.emplace(std::move(session));
  }
  for (const capture::Flow& flow : co_await capture::LoadFlows(*session_, env.run.id, "forward"))
    if (!flow.in_parts()) co_await Fold(env, flow);
  folded_ = async::Clock::now();
}

async::Task<> LogFolder::Fold(run::Environment& env, const capture::Flow& flow) {
  try {
    co_await capture::FoldLog(*session_, flow, env.lease);
  } catch (const pg::PgError& error) {
    // A TRUNCATE that empties the copy waits for the chunks there, and not for long: next time.
    if (!session_->db().open() || !error.Is(pg::sqlstate::kLockNotAvailable)) throw;
  }
}

}  // namespace pgalter::copy
