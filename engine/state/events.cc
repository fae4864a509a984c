#include "engine/state/events.h"

#include <algorithm>

namespace pgalter::state {

Task<> RecordEvent(Session& session, std::string run, Event event) {
  co_await session.db().Query(
      "INSERT INTO pgalter.event (run, event, kind, name, code, said)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      run, event.event, event.kind, event.name, event.code, event.said);
}

Task<std::optional<double>> CanaryOf(Session& session, std::string run, std::string rule) {
  const pg::Result there =
      co_await session.db().Query("SELECT to_regclass('pgalter.event') IS NOT NULL");
  if (!there.Get<bool>(0, 0)) co_return std::nullopt;
  const pg::Result rows = co_await session.db().Query(
      "SELECT said::float8 FROM pgalter.event WHERE run = $1 AND event = 'canary'"
      " AND kind = 'rule' AND name = $2 ORDER BY id DESC LIMIT 1",
      run, rule);
  if (rows.empty()) co_return std::nullopt;
  co_return rows.Get<double>(0, 0);
}

Task<std::vector<Event>> LastEvents(Session& session, std::string run, int most) {
  std::vector<Event> events;
  const pg::Result there =
      co_await session.db().Query("SELECT to_regclass('pgalter.event') IS NOT NULL");
  if (!there.Get<bool>(0, 0)) co_return events;
  const pg::Result rows = co_await session.db().Query(
      "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), event, kind, name, "
      "code, said"
      " FROM pgalter.event WHERE run = $1 ORDER BY id DESC LIMIT $2",
      run, most);
  for (int row = 0; row < rows.rows(); ++row)
    events.push_back({rows.Get<std::string>(row, 0), rows.Get<std::string>(row, 1),
                      rows.Get<std::string>(row, 2), rows.Get<std::string>(row, 3),
                      rows.Get<std::optional<std::int32_t>>(row, 4),
                      rows.Get<std::string>(row, 5)});
  std::reverse(events.begin(), events.end());
  co_return events;
}

}  // namespace pgalter::state
