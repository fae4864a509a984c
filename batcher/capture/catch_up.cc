#include "batcher/capture/catch_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <utility>
#include <vector>

#include "batcher/capture/dead_mans_switch.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"

namespace pgalter::capture {

namespace {

constexpr std::size_t kKeysATime = 500;
constexpr std::size_t kKeysAStatement = 100 * kKeysATime;

// A pair of few keys in one round trip; of many, each has the time of a statement.
Task<> Execute(Session& session, std::vector<pg::Statement> writes) {
  constexpr std::size_t kPair = 2;
  if (writes.size() == kPair) {
    co_await session.db().Pipeline(std::move(writes));
    co_return;
  }
  for (pg::Statement& write : writes) {
    std::vector<pg::Statement> one;
    one.push_back(std::move(write));
    co_await session.db().Pipeline(std::move(one));
  }
}

// Under the settings of users' code, where the session does not have them; again as one round trip.
Task<> ExecuteUnder(Session& session, const guard::Settings& settings,
                    std::vector<pg::Statement> writes) {
  if (settings.empty()) {
    co_await Execute(session, std::move(writes));
    co_return;
  }
  guard::Bracket bracket = guard::Under(settings);
  std::vector<pg::Statement> all = std::move(bracket.begin);
  const bool few = writes.size() <= 2;
  if (!few) {
    co_await session.db().Pipeline(std::move(all));
    co_await Execute(session, std::move(writes));
    all.clear();
  } else {
    std::ranges::move(writes, std::back_inserter(all));
  }
  all.push_back(std::move(bracket.end));
  co_await session.db().Pipeline(std::move(all));
}

// Texts, by column.
using Keys = std::vector<std::vector<std::string>>;

std::size_t Count(const Keys& keys) { return keys.front().size(); }

// Whatever the session's settings are: a key that came back as another would be forgotten.
Task<Keys> Pick(Session& session, const Flow& flow, std::size_t limit) {
  guard::Bracket bracket = guard::Under(guard::ExactTexts());
  std::vector<pg::Statement> statements = std::move(bracket.begin);
  statements.push_back({PickStatement(flow), pg::Params::Of(limit)});
  statements.push_back(std::move(bracket.end));
  const auto results = co_await session.db().Pipeline(std::move(statements));
  const pg::Result& picked = results.at(results.size() - 2);
  Keys keys(flow.key.size());
  for (int column = 0; column < picked.columns(); ++column)
    for (int row = 0; row < picked.rows(); ++row)
      keys[static_cast<std::size_t>(column)].push_back(picked.Get<std::string>(row, column));
  co_return keys;
}

Task<Keys> PickAll(Session& session, const Flow& flow) {
  Keys all(flow.key.size());
  for (;;) {
    Keys some = co_await Pick(session, flow, kKeysAStatement);
    const bool last = Count(some) < kKeysAStatement;
    for (std::size_t i = 0; i < all.size(); ++i)
      std::ranges::move(some[i], std::back_inserter(all[i]));
    if (last) co_return all;
  }
}

pg::Params Arrays(const Keys& keys, std::size_t begin, std::size_t end) {
  pg::Params arrays;
  for (const std::vector<std::string>& column : keys)
    arrays.Add(std::vector<std::string>(column.begin() + static_cast<std::ptrdiff_t>(begin),
                                        column.begin() + static_cast<std::ptrdiff_t>(end)));
  return arrays;
}

using Writes = std::vector<pg::Statement>;

// All of them away before the first one comes: a value may have gone from row to row, however many
// there are.
void AddRemovals(const Flow& flow, const Keys& keys, Writes& writes) {
  if (!async::SafeguardOn("catch-up-delete")) return;
  for (std::size_t begin = 0; begin < Count(keys); begin += kKeysAStatement)
    writes.push_back({DeleteStatement(flow),
                      Arrays(keys, begin, std::min(begin + kKeysAStatement, Count(keys)))});
}

Task<> Apply(Session& session, const Flow& flow, const Keys& keys,
             const guard::Settings& settings = {}) {
  Writes writes;
  AddRemovals(flow, keys, writes);
  for (std::size_t begin = 0; begin < Count(keys); begin += kKeysAStatement)
    writes.push_back({InsertStatement(flow),
                      Arrays(keys, begin, std::min(begin + kKeysAStatement, Count(keys)))});
  co_await ExecuteUnder(session, settings, std::move(writes));
}

std::string Shown(const Flow& flow, const Keys& keys, std::size_t row) {
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < flow.key.size(); ++i) {
    names += (i == 0 ? "" : ", ") + flow.key[i].from;
    values += (i == 0 ? "" : ", ") + keys[i][row];
  }
  return fmt::format("({}) = ({})", names, values);
}

struct Found : std::runtime_error {
  Found() : std::runtime_error("a row does not fit") {}
};

bool Meets(const pg::PgError& error) { return error.Is("23505") || error.Is("23P01"); }

// One by one in the end: the first row that does not fit beside those before it. Rows that keep
// something were not taken away beforehand, so one that meets another may only be waiting for it:
// it is to blame if no row is by itself.
Task<std::optional<BadKey>> InsertUntilOneIsBad(Session& session, const Flow& flow,
                                                const Keys& keys) {
  std::optional<BadKey> waiting;
  std::size_t step = kKeysAStatement;
  for (std::size_t begin = 0; begin < Count(keys);) {
    const std::size_t end = std::min(begin + step, Count(keys));
    std::vector<pg::Statement> statements;
    statements.push_back({"SAVEPOINT fits", {}});
    statements.push_back({InsertStatement(flow), Arrays(keys, begin, end)});
    statements.push_back({"RELEASE SAVEPOINT fits", {}});
    std::optional<pg::PgError> error;
    try {
      co_await session.db().Pipeline(std::move(statements));
    } catch (const pg::PgError& caught) {
      if (caught.klass() != pg::SqlstateClass::kData) throw;
      error = caught;
    }
    if (!error) {
      begin = end;
      continue;
    }
    co_await session.db().Query("ROLLBACK TO SAVEPOINT fits");
    if (end - begin > 1) {
      step = (end - begin) / 2;
      continue;
    }
    BadKey bad{Shown(flow, keys, begin), *error};
    if (!flow.in_place || !Meets(*error)) co_return bad;
    if (!waiting) waiting = std::move(bad);
    begin = end;
  }
  co_return waiting;
}

Task<std::string> ReadSeen(Session& session, const Flow& flow) {
  const pg::Result row = co_await session.db().Query(
      "SELECT seen FROM pgalter.flow WHERE run = $1 AND name = $2", flow.run, flow.name);
  co_return row.Get<std::string>(0, 0);
}

Task<> RecordSeen(Session& session, const Flow& flow, const std::string& seen) {
  co_await session.db().Query("UPDATE pgalter.flow SET seen = $3 WHERE run = $1 AND name = $2",
                              flow.run, flow.name, seen);
}

Task<> Extend(Session& session, const Flow& flow) {
  co_await session.db().Query(ExtendStatement(flow));
}

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
  const std::string seen = co_await ReadSeen(session, flow);
  // Snapshot and keys come from one statement: between two of them somebody may commit.
  const pg::Result rows = co_await db.Query(TakeStatement(flow), seen);
  const std::string now = rows.Get<std::string>(0, 0);
  Taken taken;
  taken.keys = rows.Get<std::int64_t>(0, 1);
  taken.truncated = rows.Get<bool>(0, 2);
  if (const auto why = ReadGaveUp(rows, 3); why && async::SafeguardOn("given-up"))
    ThrowGivenUp(flow, *why);
  if (taken.truncated) co_await db.Query(fmt::format("TRUNCATE {}", flow.to));
  std::vector<std::function<Task<>()>> rest;
  rest.push_back([&]() { return FollowParts(session, flow); });
  rest.push_back([&]() { return RecordSeen(session, flow, now); });
  // Not before: setval takes a transaction id (sequence.c), which the snapshot would leave out.
  if (flow.unattended.count() > 0) rest.push_back([&]() { return Extend(session, flow); });
  co_await db.Together(std::move(rest));
  co_return taken;
}

Task<std::optional<BadKey>> FindBadKey(Session& session, const Flow& flow,
                                       const guard::Lease& lease) {
  std::optional<BadKey> bad;
  auto find = [&]() -> Task<> {
    co_await guard::CheckLease(session, lease);
    co_await TakeChanges(session, flow);
    const Keys keys = co_await PickAll(session, flow);
    Writes writes;
    // What is checked at the end would not say which row it was.
    writes.push_back({"SET CONSTRAINTS ALL IMMEDIATE", {}});
    AddRemovals(flow, keys, writes);
    co_await Execute(session, std::move(writes));
    bad = co_await InsertUntilOneIsBad(session, flow, keys);
    if (bad) throw Found();
  };
  guard::TransactionOptions options;
  options.isolation = guard::Isolation::kRepeatableRead;
  try {
    co_await guard::RunInTransaction(session, options, find);
  } catch (const Found&) {
  }
  co_return bad;
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
  std::size_t applied = 0;
  auto apply = [&]() -> Task<> {
    co_await guard::CheckLease(session, lease);
    const Keys keys = co_await Pick(session, flow, kKeysATime);
    applied = Count(keys);
    // A switch for tests: what is lost where keys are forgotten before they are applied.
    if (!async::SafeguardOn("requeue")) co_await session.db().Query("COMMIT AND CHAIN");
    co_await Apply(session, flow, keys);
    async::FailPoint("keys-applied");
  };
  do {
    co_await guard::RunInTransaction(session, apply);
    round.applied += static_cast<std::int64_t>(applied);
    round.whole = applied < kKeysATime;
  } while (!round.whole && async::Clock::now() - begun < longest);
  co_await Trim(session, flow, lease);
  co_return round;
}

Task<std::int64_t> Drain(Session& session, const Flow& flow, guard::Settings settings) {
  co_await TakeChanges(session, flow);
  const Keys keys = co_await PickAll(session, flow);
  co_await Apply(session, flow, keys, settings);
  co_return static_cast<std::int64_t>(Count(keys));
}

// Of no key: since a snapshot of now next to nothing has been written. What parts have come is for
// the drain, too, as all their rows would be keys.
Task<> RehearseDrain(Session& session, const Flow& flow, guard::Settings settings) {
  pg::Connection& db = session.db();
  const std::string seen = co_await ReadSeen(session, flow);
  const pg::Result now = co_await db.Query("SELECT pg_current_snapshot()::text");
  co_await db.Query(TakeStatement(flow), now.Get<std::string>(0, 0));
  co_await HavePartsChanged(session, flow);
  co_await RecordSeen(session, flow, seen);
  const Keys none = co_await Pick(session, flow, 0);
  Writes writes;
  if (async::SafeguardOn("catch-up-delete"))
    writes.push_back({DeleteStatement(flow), Arrays(none, 0, 0)});
  writes.push_back({InsertStatement(flow), Arrays(none, 0, 0)});
  co_await ExecuteUnder(session, settings, std::move(writes));
}

}  // namespace pgalter::capture
