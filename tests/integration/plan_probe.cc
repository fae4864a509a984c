#include "tests/integration/plan_probe.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgalter::test {
namespace {

using locks::LockMode;
using Relation = Probe::Relation;
using Relations = Probe::Relations;

Relations ReadRelations(Session& session) {
  const Rows rows = session.Exec(
      "SELECT c.oid, c.relname, c.relkind, coalesce(pg_relation_filenode(c.oid), 0),"
      " pg_stat_get_xact_tuples_returned(c.oid)"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE c.relkind NOT IN ('i', 'I') AND n.nspname !~ '^(pg_|information_schema$)'");
  Relations relations;
  for (const auto& row : rows) relations[row[0]] = {row[1], row[2][0], row[3], std::stoll(row[4])};
  return relations;
}

bool HasRows(const Relation& relation) { return relation.kind == 'r' || relation.kind == 'm'; }

void NoteLocks(Session& session, const std::string& condition, const Relations& before,
               Observed& observed) {
  for (const auto& row : session.Exec(
           "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND " + condition)) {
    const auto found = before.find(row[0]);
    if (found == before.end() || found->second.kind == 'S' || found->second.kind == 'c') continue;
    const auto mode = locks::FromServerName(row[1]);
    if (!mode) continue;
    const auto [place, fresh] = observed.table_locks.emplace(found->second.name, *mode);
    if (!fresh) place->second = std::max(place->second, *mode);
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

Probe::Probe(Session& session, const Relations* of)
    : session_(session), before_(ReadRelations(session)) {
  if (of == nullptr) return;
  std::set<std::string> names;
  for (const auto& [oid, relation] : *of) names.insert(relation.name);
  std::erase_if(before_, [&](const auto& known) {
    return !of->contains(known.first) && !names.contains(known.second.name);
  });
}

Observed Probe::Look() const {
  Observed observed;
  NoteLocks(session_, "pid = pg_backend_pid()", before_, observed);
  NoteFiles(before_, ReadRelations(session_), observed);
  return observed;
}

Observed WatchAlone(const FreshDatabase& database, const std::string& statement,
                    const Relations& of) {
  Session runner = database.Connect();
  Session observer = database.Connect();
  Observed observed;
  const Relations before = Probe(observer, &of).before();
  const std::string own = fmt::format("granted AND pid = {}", runner.backend_pid());
  runner.Send(statement);
  while (runner.busy()) NoteLocks(observer, own, before, observed);
  runner.Wait();
  NoteFiles(before, ReadRelations(observer), observed);
  return observed;
}

}  // namespace pgalter::test
