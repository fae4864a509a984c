#include "batcher/verify/verify_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/backfill/window_set.h"
#include "batcher/capture/catch_up.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/copy/pace.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"

namespace pgalter::verify {

using backfill::Block;
using capture::Flow;
using guard::Session;
using run::Task;

namespace {

constexpr Block kWindow = 512;

struct Found {
  std::int64_t rows = 0;
  std::string keys;  // some of them
};

// The locks come before the snapshot, or a TRUNCATE between the two would look like a difference.
Task<Found> Compare(Session& session, const Flow& flow, std::string statement, Block first,
                    Block end) {
  Found found;
  auto compare = [&]() -> Task<> {
    co_await session.db().Query(fmt::format("LOCK TABLE {}, {}, {}, {} IN ACCESS SHARE MODE",
                                            flow.from, flow.to, flow.log(), flow.dirty()));
    const pg::Result row =
        co_await session.db().Query(statement, backfill::Tid(first), backfill::Tid(end));
    found.rows = row.Get<std::int64_t>(0, 0);
    found.keys = row.Get<std::optional<std::string>>(0, 1).value_or("");
  };
  co_await guard::RunInTransaction(session, compare);
  co_return found;
}

Task<Block> Blocks(Session& session, pg::Oid relation) {
  const pg::Result row = co_await session.db().Query(
      "SELECT pg_relation_size($1::oid::regclass) / current_setting('block_size')::int8", relation);
  co_return row.Get<std::int64_t>(0, 0);
}

struct Scan {
  bool missing = false;  // rows of the source that the shadow lacks; else the other way round
  std::string statement;
  Block blocks = 0;
};

Task<std::vector<Scan>> ScansOf(Session& session, const Flow& flow) {
  std::vector<Scan> scans;
  const Block of_source = co_await Blocks(session, flow.from_oid);
  scans.push_back({true, capture::MissingStatement(flow), of_source});
  const std::vector<capture::Part> parts = co_await capture::ReadParts(session, flow.to_oid);
  for (const capture::Part& part : parts) {
    const Block of_part = co_await Blocks(session, part.oid);
    scans.push_back({false, capture::SurplusStatement(flow, part.name), of_part});
  }
  co_return scans;
}

}  // namespace

Task<bool> VerifyStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> VerifyStep::Do(run::Environment& env, const state::Step&) {
  const Flow flow = co_await capture::LoadFlow(env.main, env.run.id, "forward");
  Session session = co_await copy::OpenSession(env);
  session.db().set_query_deadline(std::chrono::hours(1));
  auto check = [&](throttle::Throttle& throttle) -> Task<> {
    const std::vector<Scan> scans = co_await ScansOf(env.main, flow);
    Block all = 1;
    for (const Scan& scan : scans) all += scan.blocks;
    Block done = 0;
    for (const Scan& scan : scans) {
      const bool missing = scan.missing;
      const Block blocks = scan.blocks;
      const std::string& statement = scan.statement;
      for (Block first = 0; first < blocks; first += kWindow) {
        co_await throttle.Admit(env.stopper);
        const auto begun = async::Clock::now();
        const Found found =
            co_await Compare(session, flow, statement, first, std::min(first + kWindow, blocks));
        if (found.rows > 0)
          throw run::Failure(
              run::ExitCode::kMismatch,
              fmt::format(
                  "{} rows of {} {} {}, and no change explains it; keys {}. Nothing was "
                  "swapped, the table is as it was. This should never happen: please report "
                  "it. Then: pgalter abort {} --yes",
                  found.rows, missing ? flow.from : flow.to,
                  missing ? "are not the same in" : "are not in", missing ? flow.to : flow.from,
                  found.keys, env.run.id));
        done += std::min(kWindow, blocks - first);
        env.progress.fraction = static_cast<double>(done) / static_cast<double>(all);
        co_await throttle.After(async::Clock::now() - begun, env.stopper);
      }
      async::FailPoint("verified-one-way");
    }
  };
  const std::function<Task<>(throttle::Throttle&)> body = check;
  co_await copy::WithThrottle(env, flow.from, body);
}

Task<> VerifyStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::verify
