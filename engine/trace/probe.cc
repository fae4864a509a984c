#include "engine/trace/probe.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "engine/async/task_group.h"
#include "planner/sql/identifier.h"

namespace pgalter::trace {

namespace {

using locks::LockMode;

constexpr const char* kLook = R"sql(
SELECT c.oid::pg_catalog.int8, n.nspname, c.relname, c.relkind,
       coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::pg_catalog.int8,
       {}(c.oid), c.reltuples <= 0,
       coalesce(tn.nspname, ''), coalesce(t.relname, '')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
)sql";

constexpr const char* kLocks =
    "SELECT l.relation::pg_catalog.int8, l.mode FROM pg_catalog.pg_locks l"
    " WHERE l.locktype = 'relation' AND l.pid = $1 AND l.granted = $2 AND l.database ="
    " (SELECT d.oid FROM pg_catalog.pg_database d"
    "  WHERE d.datname = pg_catalog.current_database())";

std::string NameOf(const std::string& schema, const std::string& name) {
  return sql::ToString({schema, name});
}

bool IsIndex(const Relation& relation) { return relation.kind == 'i' || relation.kind == 'I'; }
bool HasRows(const Relation& relation) { return relation.kind == 'r' || relation.kind == 'm'; }
// A sequence's or composite type's lock stops nobody's statements on tables.
bool IsOfInterest(const Relation& relation) { return relation.kind != 'S' && relation.kind != 'c'; }

void AddAll(const std::map<std::string, Observed::Modes>& more,
            std::map<std::string, Observed::Modes>& all) {
  for (const auto& [name, modes] : more) all[name].insert(modes.begin(), modes.end());
}

std::map<std::string, Observed::Modes> Added(const std::map<std::string, Observed::Modes>& before,
                                             const std::map<std::string, Observed::Modes>& after) {
  std::map<std::string, Observed::Modes> added;
  for (const auto& [name, modes] : after) {
    const auto had = before.find(name);
    for (const LockMode mode : modes)
      if (had == before.end() || !had->second.contains(mode)) added[name].insert(mode);
  }
  return added;
}

void NoteRelations(const Relations& relations, Observed& observed) {
  for (const auto& [oid, relation] : relations) {
    if (IsIndex(relation)) observed.table_of_index[relation.name] = relation.table;
    if (HasRows(relation) && relation.empty) observed.empty.insert(relation.name);
  }
}

void NoteError(const pg::PgError& error, Observed& observed) {
  observed.sqlstate = error.sqlstate();
  observed.message = error.fields().message;
}

Task<> RunInto(pg::Connection& db, std::string statement, Observed& observed, bool& ended) {
  const auto begun = async::Clock::now();
  try {
    co_await db.Query(std::move(statement));
  } catch (const pg::PgError& error) {
    NoteError(error, observed);
  }
  observed.seconds = std::chrono::duration<double>(async::Clock::now() - begun).count();
  ended = true;
}

constexpr auto kGlance = async::Milliseconds(1);

// Until the statement waits for a lock or has ended.
Task<> AwaitWait(pg::Connection& observer, int pid, const Relations& before, const bool& ended,
                 Observed& observed) {
  while (!ended) {
    LocksSeen waits = co_await LocksOf(observer, pid, Standing::kWaiting, before);
    if (!waits.tables.empty() || !waits.indexes.empty()) {
      for (const auto& [name, modes] : waits.tables) observed.waited[name] = *modes.rbegin();
      AddAll(waits.tables, observed.table_locks);
      AddAll(waits.indexes, observed.index_locks);
      co_return;
    }
    co_await async::SleepFor(kGlance);
  }
}

Task<> Sample(pg::Connection& observer, int pid, const Relations& before, const bool& ended,
              Observed& observed) {
  while (!ended) {
    LocksSeen held = co_await LocksOf(observer, pid, Standing::kGranted, before);
    AddAll(held.tables, observed.table_locks);
    AddAll(held.indexes, observed.index_locks);
    co_await async::SleepFor(kGlance);
  }
}

// Not every relation can be locked by LOCK TABLE.
Task<bool> Block(pg::Connection& blocker, const std::string& table) {
  bool blocks = true;
  co_await blocker.Execute("BEGIN");
  try {
    co_await blocker.Execute(
        fmt::format("LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE", table));
  } catch (const pg::PgError&) {
    blocks = false;
  }
  if (!blocks) co_await blocker.Execute("ROLLBACK");
  co_return blocks;
}

// What a session has counted reaches the others when it is idle for a while, or is told to.
Task<bool> FlushCounters(pg::Connection& db, pg::Connection& observer) {
  constexpr int kCanBeTold = 150000;
  if (!db.open() || db.server_version() < kCanBeTold) co_return false;
  co_await db.Query("SELECT pg_catalog.pg_stat_force_next_flush()");
  co_await observer.Query("SELECT pg_catalog.pg_stat_clear_snapshot()");
  co_return true;
}

}  // namespace

Task<Relations> Look(pg::Connection& db, Counters counters) {
  const char* const function = counters == Counters::kTransaction
                                   ? "pg_catalog.pg_stat_get_xact_tuples_returned"
                                   : "pg_catalog.pg_stat_get_tuples_returned";
  const pg::Result rows = co_await db.Query(fmt::format(kLook, function));
  Relations relations;
  for (int row = 0; row < rows.rows(); ++row) {
    Relation relation;
    relation.name = NameOf(rows.Get<std::string>(row, 1), rows.Get<std::string>(row, 2));
    relation.kind = rows.Get<std::string>(row, 3).at(0);
    relation.file = rows.Get<std::int64_t>(row, 4);
    relation.rows_read = rows.Get<std::int64_t>(row, 5);
    relation.empty = rows.Get<bool>(row, 6);
    const auto table = rows.Get<std::string>(row, 8);
    if (!table.empty()) relation.table = NameOf(rows.Get<std::string>(row, 7), table);
    relations.emplace(rows.Get<std::int64_t>(row, 0), std::move(relation));
  }
  co_return relations;
}

Task<LocksSeen> LocksOf(pg::Connection& db, int backend_pid, Standing standing,
                        const Relations& known) {
  const bool granted = standing == Standing::kGranted;
  const pg::Result rows = co_await db.Query(kLocks, backend_pid, granted);
  LocksSeen seen;
  for (int row = 0; row < rows.rows(); ++row) {
    const auto found = known.find(rows.Get<std::int64_t>(row, 0));
    const auto mode = locks::FromServerName(rows.Get<std::string>(row, 1));
    if (found == known.end() || !mode || !IsOfInterest(found->second)) continue;
    auto& locks = IsIndex(found->second) ? seen.indexes : seen.tables;
    locks[found->second.name].insert(*mode);
  }
  co_return seen;
}

void Compare(const Relations& before, const Relations& after, Observed& observed) {
  for (const auto& [oid, was] : before) {
    const auto found = after.find(oid);
    if (found == after.end() || !HasRows(was)) continue;
    if (found->second.file != was.file) observed.rewritten.insert(was.name);
    if (found->second.rows_read > was.rows_read) observed.scanned.insert(was.name);
  }
}

Task<Observed> ObserveInside(pg::Connection& db, std::string statement) {
  Observed observed;
  const Relations before = co_await Look(db, Counters::kTransaction);
  NoteRelations(before, observed);
  const LocksSeen had = co_await LocksOf(db, db.backend_pid(), Standing::kGranted, before);
  bool ended = false;
  co_await RunInto(db, std::move(statement), observed, ended);
  if (!observed.sqlstate.empty()) co_return observed;
  const LocksSeen has = co_await LocksOf(db, db.backend_pid(), Standing::kGranted, before);
  observed.table_locks = Added(had.tables, has.tables);
  observed.index_locks = Added(had.indexes, has.indexes);
  observed.held = has.tables;
  AddAll(has.indexes, observed.held);
  const Relations after = co_await Look(db, Counters::kTransaction);
  Compare(before, after, observed);
  co_return observed;
}

Task<Observed> ObserveRolledBack(pg::Connection& db, std::string statement) {
  co_await db.Execute("BEGIN");
  Observed observed = co_await ObserveInside(db, std::move(statement));
  if (db.open()) co_await db.Execute("ROLLBACK");
  co_return observed;
}

Task<Observed> ObserveAlone(pg::Connection& db, std::string statement, std::string table,
                            Watchers watchers) {
  Observed observed;
  observed.all_locks_seen = false;
  // What these two read before must not count as the statement's.
  co_await FlushCounters(watchers.observer, watchers.observer);
  co_await FlushCounters(db, watchers.observer);
  const Relations before = co_await Look(watchers.observer, Counters::kServer);
  NoteRelations(before, observed);
  const int pid = db.backend_pid();
  bool blocks = false;
  if (!table.empty()) blocks = co_await Block(watchers.blocker, table);
  bool ended = false;
  auto body = [&](async::TaskGroup& group) -> Task<> {
    group.Spawn(RunInto(db, std::move(statement), observed, ended));
    if (blocks) {
      co_await AwaitWait(watchers.observer, pid, before, ended, observed);
      co_await watchers.blocker.Execute("ROLLBACK");
    }
    co_await Sample(watchers.observer, pid, before, ended, observed);
  };
  co_await async::WithTaskGroup(body);
  observed.held = observed.table_locks;
  AddAll(observed.index_locks, observed.held);
  if (!observed.sqlstate.empty()) co_return observed;
  observed.scans_seen = co_await FlushCounters(db, watchers.observer);
  const Relations after = co_await Look(watchers.observer, Counters::kServer);
  Compare(before, after, observed);
  if (!observed.scans_seen) observed.scanned.clear();
  co_return observed;
}

}  // namespace pgalter::trace
