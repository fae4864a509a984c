#include "engine/state/cutover_wish.h"

namespace pgalter::state {

Task<bool> MayCutOver(Session& session, std::string run, CutoverDefault otherwise) {
  std::string unsaid = "now";
  if (otherwise == CutoverDefault::kWait) unsaid = "wait";
  const pg::Result row = co_await session.db().Query(
      // Not there in a schema that an older program has made.
      "SELECT COALESCE(to_jsonb(c)->>'cutover', $2) <> 'wait'"
      " AND COALESCE((to_jsonb(c)->>'cutover_at')::timestamptz <= clock_timestamp(), true)"
      " FROM pgalter.control c WHERE run = $1",
      run, unsaid);
  co_return row.empty() || row.Get<bool>(0, 0);
}

Task<std::string> CutOverNotBefore(Session& session, std::string run) {
  const pg::Result row = co_await session.db().Query(
      "SELECT to_char((to_jsonb(c)->>'cutover_at')::timestamptz AT TIME ZONE 'UTC',"
      " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM pgalter.control c WHERE run = $1"
      " AND (to_jsonb(c)->>'cutover_at')::timestamptz > clock_timestamp()",
      run);
  co_return row.empty() ? "" : row.Get<std::string>(0, 0);
}

Task<bool> HasPassed(Session& session, std::string at) {
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  const pg::Result row = co_await session.db().Query(
      "SELECT $1::timestamptz < clock_timestamp() - interval '1 minute'", at);
  co_return row.Get<bool>(0, 0);
}

Task<std::string> LetCutOver(Session& session, std::string run, std::optional<std::string> at) {
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  const pg::Result row = co_await session.db().Query(
      "UPDATE pgalter.control SET cutover = 'now', changed_by = session_user,"
      " changed_at = clock_timestamp(), cutover_at = $2::timestamptz WHERE run = $1"
      " RETURNING to_char(COALESCE(cutover_at, changed_at), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
      run, at);
  co_return row.empty() ? "" : row.Get<std::string>(0, 0);
}

Task<> PostponeCutOver(Session& session, std::string run) {
  co_await session.db().Query(
      "UPDATE pgalter.control SET cutover = 'wait', cutover_at = NULL, changed_by = session_user,"
      " changed_at = clock_timestamp() WHERE run = $1",
      run);
}

}  // namespace pgalter::state
