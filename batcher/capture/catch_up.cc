#include "batcher/capture/catch_up.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "batcher/capture/dead_mans_switch.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"

namespace pgalter::capture {

namespace {

constexpr int kKeysATime = 500;

Task<> ApplyPicked(Session& session, const Flow& flow, const pg::Result& picked) {
  pg::Params arrays;
  for (int column = 0; column < picked.columns(); ++column) {
    std::vector<std::string> values;
    for (int row = 0; row < picked.rows(); ++row)
      values.push_back(picked.Get<std::string>(row, column));
    arrays.Add(values);
  }
  std::vector<pg::Statement> statements;
  if (async::SafeguardOn("catch-up-delete")) statements.push_back({DeleteStatement(flow), arrays});
  statements.push_back({InsertStatement(flow), arrays});
  co_await session.db().Pipeline(std::move(statements));
}

std::string Shown(const Flow& flow, const pg::Result& picked) {
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < flow.key.size(); ++i) {
    names += (i == 0 ? "" : ", ") + flow.key[i].from;
    values += (i == 0 ? "" : ", ") + picked.Get<std::string>(0, static_cast<int>(i));
  }
  return fmt::format("({}) = ({})", names, values);
}

// unique_violation, exclusion_violation.
bool MeetsAnother(const pg::PgError& error) { return error.Is("23505") || error.Is("23P01"); }

// In a transaction of its own: how many keys.
Task<std::int64_t> TakeAlone(Session& session, const Flow& flow, const guard::Lease& lease) {
  std::int64_t keys = 0;
  auto take = [&]() -> Task<> {
    co_await guard::CheckLease(session, lease);
    const Taken taken = co_await TakeChanges(session, flow);
    keys = taken.keys;
  };
  co_await guard::RunInTransaction(session, take);
  co_return keys;
}

// Transactions before the snapshot's xmin have all ended: seen, or rolled back.
Task<> Trim(Session& session, const Flow& flow, const guard::Lease& lease) {
  auto trim = [&]() -> Task<> {
    co_await guard::CheckLease(session, lease);
    co_await session.db().Query(
        fmt::format("DELETE FROM {} WHERE x < (SELECT pg_snapshot_xmin(seen::pg_snapshot) FROM "
                    "pgalter.flow WHERE run = $1 AND name = $2)",
                    flow.log()),
        flow.run, flow.name);
  };
  co_await guard::RunInTransaction(session, trim);
}

}  // namespace

Task<Taken> TakeChanges(Session& session, const Flow& flow) {
  pg::Connection& db = session.db();
  const pg::Result before = co_await db.Query(
      "SELECT seen FROM pgalter.flow WHERE run = $1 AND name = $2", flow.run, flow.name);
  const std::string seen = before.Get<std::string>(0, 0);
  // Snapshot and keys come from one statement: between two of them somebody may commit.
  const pg::Result rows = co_await db.Query(TakeStatement(flow), seen);
  const std::string now = rows.Get<std::string>(0, 0);
  Taken taken;
  taken.keys = rows.Get<std::int64_t>(0, 1);
  taken.truncated = rows.Get<bool>(0, 2);
  if (const auto why = ReadGaveUp(rows, 3); why && async::SafeguardOn("given-up"))
    ThrowGivenUp(flow, *why);
  if (taken.truncated) co_await db.Query(fmt::format("TRUNCATE {}", flow.to));
  co_await FollowParts(session, flow);
  co_await db.Query("UPDATE pgalter.flow SET seen = $3 WHERE run = $1 AND name = $2", flow.run,
                    flow.name, now);
  // Not before: setval takes a transaction id (sequence.c), which the snapshot would leave out.
  if (flow.unattended.count() > 0) co_await db.Query(ExtendStatement(flow));
  co_return taken;
}

Task<std::int64_t> ApplyKeys(Session& session, const Flow& flow, int limit) {
  const pg::Result picked = co_await session.db().Query(PickStatement(flow), limit, 0);
  if (picked.empty()) co_return 0;
  co_await ApplyPicked(session, flow, picked);
  co_return picked.rows();
}

// A row that meets another may only wait for it: a value went from the one to the other, and both
// are among the keys. It is looked at again behind the others, and to blame where no other is.
Task<std::optional<BadKey>> FindBadKey(Session& session, const Flow& flow,
                                       const guard::Lease& lease) {
  int limit = kKeysATime;
  int passed = 0;
  bool progress = false;
  std::optional<BadKey> met;
  for (;;) {
    std::string key;
    std::int64_t applied = 0;
    auto apply = [&]() -> Task<> {
      co_await guard::CheckLease(session, lease);
      const pg::Result picked = co_await session.db().Query(PickStatement(flow), limit, passed);
      if (picked.empty()) co_return;
      key = Shown(flow, picked);
      applied = picked.rows();
      co_await ApplyPicked(session, flow, picked);
    };
    std::optional<pg::PgError> error;
    try {
      co_await guard::RunInTransaction(session, apply);
    } catch (const pg::PgError& caught) {
      if (caught.klass() != pg::SqlstateClass::kData) throw;
      error = caught;
    }
    if (error && limit > 1) {
      limit /= 2;
    } else if (error) {
      const bool meets = MeetsAnother(*error);
      if (!meets) co_return BadKey{std::move(key), *error};
      if (!met) met = BadKey{std::move(key), *error};
      ++passed;
      limit = kKeysATime;
    } else if (applied > 0) {
      progress = true;
    } else {
      if (!progress || passed == 0) co_return met;
      met.reset();
      passed = 0;
      progress = false;
      limit = kKeysATime;
    }
  }
}

Task<std::int64_t> FoldLog(Session& session, const Flow& flow, const guard::Lease& lease) {
  const std::int64_t taken = co_await TakeAlone(session, flow, lease);
  async::FailPoint("log-folded");
  co_await Trim(session, flow, lease);
  co_return taken;
}

Task<Round> CatchUp(Session& session, const Flow& flow, const guard::Lease& lease,
                    async::Milliseconds longest) {
  const auto begun = async::Clock::now();
  Round round;
  round.taken = co_await TakeAlone(session, flow, lease);
  async::FailPoint("changes-taken");
  std::int64_t applied = 0;
  auto apply = [&]() -> Task<> {
    co_await guard::CheckLease(session, lease);
    const pg::Result picked = co_await session.db().Query(PickStatement(flow), kKeysATime, 0);
    applied = picked.rows();
    // A switch for tests: what is lost where keys are forgotten before they are applied.
    if (!async::SafeguardOn("requeue")) co_await session.db().Query("COMMIT AND CHAIN");
    if (applied > 0) co_await ApplyPicked(session, flow, picked);
    async::FailPoint("keys-applied");
  };
  do {
    co_await guard::RunInTransaction(session, apply);
    round.applied += applied;
    round.whole = applied < kKeysATime;
  } while (!round.whole && async::Clock::now() - begun < longest);
  co_await Trim(session, flow, lease);
  co_return round;
}

Task<std::int64_t> Drain(Session& session, const Flow& flow) {
  co_await TakeChanges(session, flow);
  std::int64_t applied = 0;
  for (std::int64_t now = -1; now != 0; applied += now)
    now = co_await ApplyKeys(session, flow, 100 * kKeysATime);
  co_return applied;
}

}  // namespace pgalter::capture
