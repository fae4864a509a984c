#include "engine/state/control.h"

#include <array>
#include <boost/json/parse.hpp>
#include <stdexcept>
#include <string_view>

namespace pgalter::state {

namespace {

constexpr std::array<std::string_view, 3> kWanted{"run", "pause", "abort"};

Wanted Parse(std::string_view name) {
  for (std::size_t i = 0; i < kWanted.size(); ++i)
    if (kWanted.at(i) == name) return static_cast<Wanted>(i);
  throw std::logic_error("no such wish in pgalter.control");
}

}  // namespace

Task<Control> ReadControl(Session& session, std::string run) {
  const pg::Result row = co_await session.db().Query(
      "SELECT wanted, throttle::text, changed_by FROM pgalter.control WHERE run = $1", run);
  Control control;
  if (row.empty()) co_return control;
  control.wanted = Parse(row.Bytes(0, 0));
  control.throttle = boost::json::parse(row.Bytes(0, 1)).as_object();
  control.changed_by = row.Get<std::string>(0, 2);
  co_return control;
}

Task<> Ask(Session& session, std::string run, Wanted wanted) {
  co_await session.db().Query(
      "WITH changed AS (UPDATE pgalter.control SET wanted = $2, changed_by = session_user,"
      " changed_at = clock_timestamp() WHERE run = $1)"
      " SELECT pg_catalog.pg_notify($3, $1::text)",
      run, kWanted.at(static_cast<std::size_t>(wanted)), kControlChannel);
}

Task<> SetThrottle(Session& session, std::string run, std::string key, std::string value) {
  co_await session.db().Query(
      "WITH changed AS (UPDATE pgalter.control SET throttle = throttle ||"
      " pg_catalog.jsonb_build_object($2::text, $3::text), changed_by = session_user,"
      " changed_at = clock_timestamp() WHERE run = $1)"
      " SELECT pg_catalog.pg_notify($4, $1::text)",
      run, key, value, kControlChannel);
}

}  // namespace pgalter::state
