#include "tests/integration/ddl_probe.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgalter::test {
namespace {

using locks::LockMode;

struct Relation {
  std::string name;
  char kind = 'r';
  std::string file;
  long long rows_read = 0;
  std::string table;  // of an index
};

using Relations = std::map<std::string, Relation>;  // by oid

Relations Look(Session& session) {
  const Rows rows = session.Exec(
      "SELECT c.oid, c.relname, c.relkind, coalesce(pg_relation_filenode(c.oid), 0),"
      " pg_stat_get_xact_tuples_returned(c.oid), coalesce(t.relname, '')"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid"
      " WHERE n.nspname IN ('public', 'probe2')");
  Relations relations;
  for (const auto& row : rows)
    relations[row[0]] = {row[1], row[2][0], row[3], std::stoll(row[4]), row[5]};
  return relations;
}

bool IsIndex(const Relation& relation) { return relation.kind == 'i' || relation.kind == 'I'; }
bool HasRows(const Relation& relation) { return relation.kind == 'r' || relation.kind == 'm'; }

void NoteIndexes(const Relations& relations, Observed& observed) {
  for (const auto& [oid, relation] : relations)
    if (IsIndex(relation)) observed.table_of_index[relation.name] = relation.table;
}

void NoteLock(const Relation& relation, LockMode mode, Observed& observed) {
  if (relation.kind == 'S' || relation.kind == 'c') return;
  auto& locks = IsIndex(relation) ? observed.index_locks : observed.table_locks;
  const auto [place, fresh] = locks.emplace(relation.name, mode);
  if (!fresh) place->second = std::max(place->second, mode);
}

void NoteLocks(Session& session, const std::string& condition, const Relations& before,
               Observed& observed) {
  for (const auto& row : session.Exec(
           "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND " + condition)) {
    const auto found = before.find(row[0]);
    if (found == before.end()) continue;
    if (const auto mode = locks::FromServerName(row[1])) NoteLock(found->second, *mode, observed);
  }
}

void NoteFiles(const Relations& before, const Relations& after, Observed& observed) {
  for (const auto& [oid, was] : before) {
    const auto found = after.find(oid);
    if (found == after.end() || !HasRows(was)) continue;
    if (found->second.file != was.file) observed.rewritten.insert(was.name);
    if (found->second.rows_read > was.rows_read) observed.scanned.insert(was.name);
  }
}

}  // namespace

Observed ObserveInTransaction(const FreshDatabase& database, const std::string& statement) {
  Session session = database.Connect();
  Observed observed;
  session.Exec("BEGIN");
  const Relations before = Look(session);
  NoteIndexes(before, observed);
  try {
    session.Exec(statement);
  } catch (const SqlError& error) {
    observed.sqlstate = error.sqlstate();
    observed.message = error.what();
    return observed;
  }
  NoteLocks(session, "pid = pg_backend_pid()", before, observed);
  NoteFiles(before, Look(session), observed);
  session.Exec("ROLLBACK");
  return observed;
}

Observed ObserveAlone(const FreshDatabase& database, const std::string& statement,
                      const std::string& table) {
  Session blocker = database.Connect();
  Session runner = database.Connect();
  Session observer = database.Connect();
  Observed observed;
  const Relations before = Look(observer);
  NoteIndexes(before, observed);
  blocker.Exec(fmt::format("BEGIN; LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE", table));
  runner.Send(statement);
  try {
    const std::string waits = fmt::format(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = {}", runner.backend_pid());
    while (runner.busy() && observer.Value(waits) == "0") {
    }
    NoteLocks(observer, fmt::format("NOT granted AND pid = {}", runner.backend_pid()), before,
              observed);
    blocker.Exec("ROLLBACK");
    runner.Wait();
  } catch (const SqlError& error) {
    observed.sqlstate = error.sqlstate();
    observed.message = error.what();
    return observed;
  }
  NoteFiles(before, Look(observer), observed);
  return observed;
}

std::string ErrorInTransaction(const FreshDatabase& database, const std::string& statement) {
  Session session = database.Connect();
  session.Exec("BEGIN");
  try {
    session.Exec(statement);
  } catch (const SqlError& error) {
    return error.sqlstate();
  }
  return {};
}

}  // namespace pgalter::test
