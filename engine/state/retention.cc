#include "engine/state/retention.h"

namespace pgalter::state {

Task<> NoteReleased(Session& session, std::string run) {
  co_await session.db().Query(
      "SELECT pgalter.audit('migration.released', version, json_build_object('run', "
      "$1::text)::text)"
      " FROM pgalter.migration WHERE $1::text::uuid IN (run, down_run)",
      run);
}

Task<> MarkFinished(Session& session, std::string run) {
  co_await session.db().Query(
      "UPDATE pgalter.run SET finished_at = clock_timestamp(), updated_at = clock_timestamp()"
      " WHERE run = $1 AND state = 'done' AND finished_at IS NULL",
      run);
}

Task<Forgotten> ForgetEnded(Session& session, int days) {
  const pg::Result row = co_await session.db().Query(
      "WITH ended AS (SELECT run, COALESCE(ended_at, updated_at) AS at FROM pgalter.run r"
      " WHERE state IN ('done', 'failed', 'aborted', 'reverted')"
      " AND COALESCE(ended_at, updated_at) <= clock_timestamp() - make_interval(days => $1)"
      " AND NOT EXISTS (SELECT FROM pgalter.artefact a"
      " WHERE a.run = r.run AND a.dropped_at IS NULL)),"
      " policy AS (SELECT COALESCE((SELECT settings->>'retention' FROM pgalter.policy), '') AS "
      "kept),"
      " young AS (SELECT run FROM ended, policy"
      " WHERE kept <> '' AND at > clock_timestamp() - NULLIF(kept, '')::interval),"
      " gone AS (DELETE FROM pgalter.run WHERE run IN (SELECT run FROM ended)"
      " AND run NOT IN (SELECT run FROM young) RETURNING run)"
      " SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM young), kept FROM policy",
      days);
  co_return Forgotten{row.Get<std::int64_t>(0, 0), row.Get<std::int64_t>(0, 1),
                      row.Get<std::string>(0, 2)};
}

}  // namespace pgalter::state
