#include "engine/state/retention.h"

namespace pgalter::state {

Task<> MarkFinished(Session& session, std::string run) {
  co_await session.db().Query(
      "UPDATE pgalter.run SET finished_at = clock_timestamp(), updated_at = clock_timestamp()"
      " WHERE run = $1 AND state = 'done' AND finished_at IS NULL",
      run);
}

Task<std::int64_t> ForgetEnded(Session& session, int days) {
  const pg::Result gone = co_await session.db().Query(
      "DELETE FROM pgalter.run r"
      " WHERE state IN ('done', 'failed', 'aborted', 'reverted')"
      " AND COALESCE(ended_at, updated_at) <= clock_timestamp() - make_interval(days => $1)"
      " AND NOT EXISTS (SELECT FROM pgalter.artefact a"
      " WHERE a.run = r.run AND a.dropped_at IS NULL)",
      days);
  co_return gone.affected();
}

}  // namespace pgalter::state
