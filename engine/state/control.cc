#include "engine/state/control.h"

#include <array>
#include <boost/json/parse.hpp>
#include <stdexcept>
#include <string_view>

namespace pgalter::state {

namespace {

constexpr std::array<std::string_view, 4> kWanted{"run", "pause", "abort", "revert"};
constexpr std::array<std::string_view, 3> kPhases{"expand", "migrate", "contract"};

Wanted Parse(std::string_view name) {
  for (std::size_t i = 0; i < kWanted.size(); ++i)
    if (kWanted.at(i) == name) return static_cast<Wanted>(i);
  throw std::logic_error("no such wish in pgalter.control");
}

}  // namespace

std::string_view Name(Phase phase) { return kPhases.at(static_cast<std::size_t>(phase)); }

std::optional<Phase> ParsePhase(std::string_view name) {
  for (std::size_t i = 0; i < kPhases.size(); ++i)
    if (kPhases.at(i) == name) return static_cast<Phase>(i);
  return std::nullopt;
}

Task<Control> ReadControl(Session& session, std::string run) {
  const pg::Result row = co_await session.db().Query(
      "SELECT wanted, throttle::text, changed_by,"
      // Not there in a schema that an older program has made.
      " COALESCE(to_jsonb(c)->>'through', 'contract'), COALESCE(to_jsonb(c)->>'passed', '[]')"
      " FROM pgalter.control c WHERE run = $1",
      run);
  Control control;
  if (row.empty()) co_return control;
  control.wanted = Parse(row.Bytes(0, 0));
  control.throttle = boost::json::parse(row.Bytes(0, 1)).as_object();
  control.changed_by = row.Get<std::string>(0, 2);
  control.through = ParsePhase(row.Bytes(0, 3)).value_or(Phase::kContract);
  const boost::json::value passed = boost::json::parse(row.Bytes(0, 4));
  for (const auto& gate : passed.as_array()) control.passed.emplace_back(gate.as_string());
  co_return control;
}

Task<> Ask(Session& session, std::string run, Wanted wanted) {
  co_await session.db().Query(
      "WITH changed AS (UPDATE pgalter.control SET wanted = $2, changed_by = session_user,"
      " changed_at = clock_timestamp() WHERE run = $1)"
      " SELECT pg_catalog.pg_notify($3, $1::text)",
      run, kWanted.at(static_cast<std::size_t>(wanted)), kControlChannel);
}

Task<> GoThrough(Session& session, std::string run, Phase through) {
  co_await session.db().Query(
      "UPDATE pgalter.control SET through = $2, changed_by = session_user,"
      " changed_at = clock_timestamp() WHERE run = $1",
      run, Name(through));
}

Task<> PassGate(Session& session, std::string run, std::string gate) {
  co_await session.db().Query(
      "UPDATE pgalter.control SET passed = passed || $2::text, changed_by = session_user,"
      " changed_at = clock_timestamp() WHERE run = $1 AND $2::text <> ALL (passed)",
      run, gate);
}

Task<> ForgetGate(Session& session, std::string run, std::string gate) {
  co_await session.db().Query(
      "UPDATE pgalter.control SET passed = pg_catalog.array_remove(passed, $2::text) WHERE run = "
      "$1",
      run, gate);
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
