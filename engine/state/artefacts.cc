#include "engine/state/artefacts.h"

#include <utility>

namespace pgalter::state {

namespace {

Task<> Execute(Session& session, pg::Statement statement) {
  co_await session.db().QueryParams(std::move(statement.sql), std::move(statement.params),
                                    pg::Format::kText);
}

}  // namespace

pg::Statement RecordArtefactStatement(const Artefact& artefact) {
  return {
      "INSERT INTO pgalter.artefact (run, kind, name, relation, relid)"
      " VALUES ($1, $2, $3, $4, $5)"
      " ON CONFLICT (run, kind, name) DO UPDATE SET dropped_at = NULL,"
      " relation = excluded.relation, relid = excluded.relid",
      pg::Params::Of(artefact.run, artefact.kind, artefact.name, artefact.relation,
                     artefact.relid)};
}

pg::Statement RecordTriggersStatement(const std::string& run, const std::vector<std::string>& names,
                                      const std::vector<std::string>& relations) {
  return {
      "INSERT INTO pgalter.artefact (run, kind, name, relation, relid, recorded_at)"
      " SELECT $1, 'trigger', name, relation, relation::regclass::oid,"
      "   clock_timestamp() + n * interval '1 microsecond'"
      " FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS t (name, relation, n)"
      " ON CONFLICT (run, kind, name) DO UPDATE SET dropped_at = NULL,"
      " relation = excluded.relation, relid = excluded.relid, recorded_at = excluded.recorded_at",
      pg::Params::Of(run, names, relations)};
}

pg::Statement RecordAllDroppedStatement(const std::string& run,
                                        const std::vector<Artefact>& artefacts) {
  std::vector<std::string> kinds;
  std::vector<std::string> names;
  for (const Artefact& artefact : artefacts) {
    kinds.push_back(artefact.kind);
    names.push_back(artefact.name);
  }
  return {
      "UPDATE pgalter.artefact a SET dropped_at = clock_timestamp()"
      " FROM unnest($2::text[], $3::text[]) AS gone (kind, name)"
      " WHERE a.run = $1 AND a.kind = gone.kind AND a.name = gone.name",
      pg::Params::Of(run, kinds, names)};
}

Task<> RecordArtefact(Session& session, const Artefact& artefact) {
  co_await Execute(session, RecordArtefactStatement(artefact));
}

Task<> RecordArtefact(Session& session, std::string run, std::string kind, std::string name) {
  const Artefact artefact{std::move(run), std::move(kind), std::move(name), {}};
  co_await RecordArtefact(session, artefact);
}

Task<> RecordTriggers(Session& session, std::string run, std::vector<std::string> names,
                      std::vector<std::string> relations) {
  co_await Execute(session, RecordTriggersStatement(run, names, relations));
}

Task<> RecordAllDropped(Session& session, std::string run, std::vector<Artefact> artefacts) {
  co_await Execute(session, RecordAllDroppedStatement(run, artefacts));
}

Task<> RecordDropped(Session& session, const Artefact& artefact) {
  co_await session.db().Query(
      "UPDATE pgalter.artefact SET dropped_at = clock_timestamp()"
      " WHERE run = $1 AND kind = $2 AND name = $3",
      artefact.run, artefact.kind, artefact.name);
}

Task<std::vector<Artefact>> LiveArtefacts(Session& session, std::string run) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT kind, name, relation, relid FROM pgalter.artefact"
      " WHERE run = $1 AND dropped_at IS NULL ORDER BY recorded_at DESC",
      run);
  std::vector<Artefact> artefacts;
  for (int i = 0; i < rows.rows(); ++i) {
    Artefact artefact;
    artefact.run = run;
    artefact.kind = rows.Get<std::string>(i, 0);
    artefact.name = rows.Get<std::string>(i, 1);
    artefact.relation = rows.Get<std::string>(i, 2);
    artefact.relid = rows.Get<pg::Oid>(i, 3);
    artefacts.push_back(std::move(artefact));
  }
  co_return artefacts;
}

}  // namespace pgalter::state
