#include "batcher/copy/log_folder.h"

#include "batcher/capture/catch_up.h"
#include "engine/async/fail_point.h"

namespace pgalter::copy {

namespace {

constexpr async::Milliseconds kEvery{10'000};

}  // namespace

async::Task<> LogFolder::MayFold(run::Environment& env) {
  if (async::Clock::now() - folded_ < async::LimitOf("log-folded-every", kEvery)) co_return;
  for (const capture::Flow& flow : co_await capture::LoadFlows(env.main, env.run.id, "forward"))
    if (!flow.from_partitioned) co_await capture::FoldLog(env.main, flow, env.lease);
  folded_ = async::Clock::now();
}

}  // namespace pgalter::copy
