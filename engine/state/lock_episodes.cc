#include "engine/state/lock_episodes.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace pgalter::state {

Task<> RecordLockEpisode(Session& session, const guard::Lease& lease, LockEpisode episode) {
  co_await session.db().Query(
      "INSERT INTO pgalter.lock_episode (run, began_at, ended_at, step, waiters, trees)"
      " SELECT run, clock_timestamp() - make_interval(secs => $3), clock_timestamp(), $4, $5,"
      " $6::jsonb FROM pgalter.lease WHERE run = $1 AND epoch = $2",
      lease.run, lease.epoch, episode.seconds, episode.step, episode.waiters,
      boost::json::serialize(episode.trees));
}

Task<std::vector<LockEpisode>> LockEpisodes(Session& session, std::string run, int most) {
  std::vector<LockEpisode> episodes;
  const bool kept = co_await KeepsLockEpisodes(session);
  if (!kept) co_return episodes;
  const pg::Result rows = co_await session.db().Query(
      "SELECT to_char(began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
      " EXTRACT(epoch FROM ended_at - began_at)::float8, step, waiters, trees::text"
      " FROM pgalter.lock_episode WHERE run = $1 ORDER BY id DESC LIMIT $2",
      run, most);
  for (int row = 0; row < rows.rows(); ++row) {
    LockEpisode& episode = episodes.emplace_back();
    episode.began_at = rows.Get<std::string>(row, 0);
    episode.seconds = rows.Get<double>(row, 1);
    episode.step = rows.Get<std::string>(row, 2);
    episode.waiters = rows.Get<std::int32_t>(row, 3);
    episode.trees = boost::json::parse(rows.Bytes(row, 4)).as_array();
  }
  co_return episodes;
}

Task<bool> KeepsLockEpisodes(Session& session) {
  const pg::Result there = co_await session.db().Query(
      "SELECT pg_catalog.to_regclass('pgalter.lock_episode') IS NOT NULL");
  co_return there.Get<bool>(0, 0);
}

}  // namespace pgalter::state
