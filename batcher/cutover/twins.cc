#include "batcher/cutover/twins.h"

#include <fmt/format.h>

#include <algorithm>

#include "batcher/capture/catch_up.h"
#include "batcher/copy/pace.h"
#include "batcher/cutover/carry_over.h"
#include "batcher/rebuild/follow.h"
#include "batcher/rebuild/spec.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/state/artefacts.h"

namespace pgalter::cutover {

using rebuild::Matview;
using rebuild::Replaced;
using rebuild::Twin;

namespace {

constexpr const char* kKind = "matview";
constexpr int kMostTimes = 10;
constexpr std::chrono::hours kLong{24 * 7};
constexpr std::int64_t kFew = 100;  // keys that are carried over in an instant

const char* Again(Way way) { return way == Way::kBack ? "revert" : "resume"; }

bool Asked(const run::Environment& env) { return rebuild::FromJson(env.run.spec).rebuild_matviews; }

std::vector<Replaced> ReplacedBy(const std::vector<Swap>& swaps) {
  std::vector<Replaced> replaced;
  for (const Swap& swap : swaps) replaced.push_back({swap.flow.from_oid, swap.flow.to_oid});
  return replaced;
}

void Join(std::string& names, const std::string& name) {
  names += (names.empty() ? "" : ", ") + name;
}

// Of a runner before this one, or of an attempt: they may be of tables as these were then.
Task<> DropEarlier(run::Environment& env) {
  std::string names;
  for (const state::Artefact& artefact : co_await state::LiveArtefacts(env.main, env.run.id)) {
    if (artefact.kind != kKind) continue;
    Join(names, artefact.name);
    co_await state::RecordDropped(env.main, artefact);
  }
  if (!names.empty()) co_await env.main.db().Query("DROP MATERIALIZED VIEW IF EXISTS " + names);
}

Task<std::vector<Twin>> MakeEmpty(run::Environment& env, const std::vector<Replaced>& replaced) {
  auto make = [&]() -> Task<std::vector<Twin>> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await DropEarlier(env);
    std::vector<Twin> twins = co_await rebuild::MakeTwins(env.main, replaced);
    for (const Twin& twin : twins) {
      state::Artefact artefact;
      artefact.run = env.run.id;
      artefact.kind = kKind;
      artefact.name = twin.name;
      co_await state::RecordArtefact(env.main, artefact);
    }
    co_return twins;
  };
  co_return co_await guard::RunInTransaction(env.main, make);
}

// The tables that come are what those that leave were at one moment, after the last REFRESH of a
// user's that is known of: all of them at the same, since one view may read several.
Task<> MatchTables(run::Environment& env, async::Stopper& stopper, const std::vector<Swap>& swaps) {
  Session user = co_await copy::OpenSession(env);
  for (const Swap& swap : swaps) co_await rebuild::Follow(env, stopper, user, swap.flow, kFew);
  auto drain = [&]() -> Task<> {
    co_await guard::CheckLease(user, env.lease);
    for (const Swap& swap : swaps) co_await capture::Drain(user, swap.flow);
  };
  guard::TransactionOptions options;
  options.isolation = guard::Isolation::kRepeatableRead;
  co_await guard::RunInTransaction(user, options, drain);
}

// What its query meets, not the server or the connection.
bool IsOfQuery(const pg::PgError& error) {
  return error.klass() == pg::SqlstateClass::kPermanent ||
         error.klass() == pg::SqlstateClass::kData || error.klass() == pg::SqlstateClass::kNoRight;
}

Task<> Fill(run::Environment& env, Session& session, const Twin& twin, Way way) {
  env.progress.note = fmt::format("refreshing materialized view {}", twin.of.name);
  auto refresh = [&]() -> Task<> {
    co_await guard::CheckLease(session, env.lease);
    co_await session.db().Query("REFRESH MATERIALIZED VIEW " + twin.name);
    co_await session.db().Query("ANALYZE " + twin.name);
  };
  std::string refused;
  try {
    co_await guard::RunInTransaction(session, refresh);
  } catch (const pg::PgError& error) {
    if (!IsOfQuery(error)) throw;
    refused = error.what();
  }
  env.progress.note.clear();
  if (!refused.empty())
    throw run::Failure(
        run::ExitCode::kRefused,
        fmt::format("materialized view {} cannot be refreshed over the table that takes the place "
                    "of its own: {}. Nothing changed for its users. Mend that, or drop it, then: "
                    "pgalter {} {}",
                    twin.of.name, refused, Again(way), env.run.id));
}

}  // namespace

void Patience::Wear(const TwinsOutdated& outdated) {
  if (++times_ < kMostTimes) return;
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("the tables were not swapped: materialized view {} was altered, refreshed, made "
                  "or dropped each of the {} times that those over the tables had been made anew. "
                  "Nothing changed for its users. Keep it from being refreshed, then: pgalter "
                  "{} {}",
                  outdated.matview, times_, Again(way_), run_));
}

Task<std::vector<Twin>> MakeTwins(run::Environment& env, async::Stopper& stopper, Way way) {
  std::vector<Twin> twins;
  if (!Asked(env)) co_return twins;
  const std::vector<Swap> swaps = co_await ReadSwaps(env, way);
  const std::vector<Replaced> replaced = ReplacedBy(swaps);
  twins = co_await MakeEmpty(env, replaced);
  if (twins.empty()) co_return twins;
  async::FailPoint("matviews-made");
  co_await MatchTables(env, stopper, swaps);
  // As the role has it: functions of the queries may find their tables by the search_path.
  Session session = co_await copy::OpenSession(env);
  session.db().set_query_deadline(kLong);
  for (const Twin& twin : twins) {
    stopper.ThrowIfStopping();
    if (twin.of.populated) co_await Fill(env, session, twin, way);
    async::FailPoint("matview-filled");
  }
  co_return twins;
}

Task<> CheckTwins(run::Environment& env, const std::vector<Swap>& swaps, std::vector<Twin> twins) {
  if (!Asked(env) || !async::SafeguardOn("matview-twins")) co_return;
  const std::vector<Matview> now = co_await rebuild::ReadMatviews(env.main, ReplacedBy(swaps));
  for (const Matview& matview : now)
    if (std::ranges::none_of(twins, [&](const Twin& twin) { return twin.of == matview; }))
      throw TwinsOutdated(matview.name);
  if (now.size() != twins.size()) throw TwinsOutdated(twins.front().of.name);
}

Task<TwinStatements> WriteTwins(Session& session, std::vector<Twin> twins, std::string aside,
                                std::vector<std::int64_t> views_anew) {
  TwinStatements texts;
  std::string gone;
  for (const Twin& twin : twins) {
    const Matview& old = twin.of;
    const std::string name_to_be = aside + "." + old.relname;
    Staying staying;
    staying.views_anew = views_anew;
    CarryOver carry =
        co_await ReadCarryOver(session, old.oid, twin.oid, old.name, name_to_be, staying);
    std::ranges::move(carry.before, std::back_inserter(texts.before));
    texts.moves.push_back(fmt::format("ALTER MATERIALIZED VIEW {} SET SCHEMA {}", old.name, aside));
    texts.moves.push_back(
        fmt::format("ALTER MATERIALIZED VIEW {} SET SCHEMA {}", twin.name, old.schema));
    std::ranges::move(carry.after, std::back_inserter(texts.after));
    std::ranges::move(carry.validate, std::back_inserter(texts.validate));
    Join(gone, name_to_be);
  }
  if (!gone.empty()) texts.after.push_back("DROP MATERIALIZED VIEW " + gone);
  co_return texts;
}

}  // namespace pgalter::cutover
