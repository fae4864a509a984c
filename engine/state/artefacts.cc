#include "engine/state/artefacts.h"

#include <utility>

namespace pgalter::state {

Task<> RecordArtefact(Session& session, const Artefact& artefact) {
  co_await session.db().Query(
      "INSERT INTO pgalter.artefact (run, kind, name, relation, relid)"
      " VALUES ($1, $2, $3, $4, $5)"
      " ON CONFLICT (run, kind, name) DO UPDATE SET dropped_at = NULL,"
      " relation = excluded.relation, relid = excluded.relid",
      artefact.run, artefact.kind, artefact.name, artefact.relation, artefact.relid);
}

Task<> RecordTriggers(Session& session, std::string run, std::vector<std::string> names,
                      std::vector<std::string> relations) {
  co_await session.db().Query(
      "INSERT INTO pgalter.artefact (run, kind, name, relation, relid, recorded_at)"
      " SELECT $1, 'trigger', name, relation, relation::regclass::oid,"
      "   clock_timestamp() + n * interval '1 microsecond'"
      " FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS t (name, relation, n)"
      " ON CONFLICT (run, kind, name) DO UPDATE SET dropped_at = NULL,"
      " relation = excluded.relation, relid = excluded.relid, recorded_at = excluded.recorded_at",
      run, names, relations);
}

Task<> RecordDropped(Session& session, const Artefact& artefact) {
  co_await session.db().Query(
      "UPDATE pgalter.artefact SET dropped_at = clock_timestamp()"
      " WHERE run = $1 AND kind = $2 AND name = $3",
      artefact.run, artefact.kind, artefact.name);
}

Task<> RecordAllDropped(Session& session, std::string run, std::vector<Artefact> artefacts) {
  std::vector<std::string> kinds;
  std::vector<std::string> names;
  for (Artefact& artefact : artefacts) {
    kinds.push_back(std::move(artefact.kind));
    names.push_back(std::move(artefact.name));
  }
  co_await session.db().Query(
      "UPDATE pgalter.artefact a SET dropped_at = clock_timestamp()"
      " FROM unnest($2::text[], $3::text[]) AS gone (kind, name)"
      " WHERE a.run = $1 AND a.kind = gone.kind AND a.name = gone.name",
      run, kinds, names);
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
