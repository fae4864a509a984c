#include "engine/state/steps.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <string_view>

#include "engine/async/fail_point.h"

namespace pgalter::state {

namespace {

constexpr std::array<std::string_view, 4> kNames{"pending", "running", "done", "undone"};

std::string_view Name(StepState state) { return kNames.at(static_cast<std::size_t>(state)); }

StepState Parse(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames.at(i) == name) return static_cast<StepState>(i);
  throw std::logic_error("no such step state");
}

std::vector<std::string> Texts(std::string_view json) {
  std::vector<std::string> texts;
  const boost::json::value array = boost::json::parse(json);
  for (const auto& text : array.as_array()) texts.emplace_back(text.as_string());
  return texts;
}

}  // namespace

Task<> CreateSteps(Session& session, std::string run, const std::vector<Step>& steps) {
  for (const Step& step : steps)
    co_await session.db().Query(
        "INSERT INTO pgalter.step (run, ordinal, id, kind, phase, sql, undo, spec)"
        " VALUES ($1, $2, $3, $4, $5, $6::text[], $7::text[], $8::jsonb)",
        run, step.ordinal, step.id, step.kind, step.phase, step.sql, step.undo,
        boost::json::serialize(step.spec));
}

Task<std::vector<Step>> LoadSteps(Session& session, std::string run) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT ordinal, id, kind, phase, to_jsonb(sql)::text, state,"
      // Not there in a schema that an older program has made.
      " COALESCE(to_jsonb(s)->>'undo', '[]'), COALESCE(to_jsonb(s)->>'spec', '{}')"
      " FROM pgalter.step s WHERE run = $1 ORDER BY ordinal",
      run);
  std::vector<Step> steps;
  for (int i = 0; i < rows.rows(); ++i) {
    Step step;
    step.ordinal = rows.Get<std::int32_t>(i, 0);
    step.id = rows.Get<std::string>(i, 1);
    step.kind = rows.Get<std::string>(i, 2);
    step.phase = rows.Get<std::string>(i, 3);
    step.sql = Texts(rows.Bytes(i, 4));
    step.state = Parse(rows.Bytes(i, 5));
    step.undo = Texts(rows.Bytes(i, 6));
    step.spec = boost::json::parse(rows.Bytes(i, 7)).as_object();
    steps.push_back(std::move(step));
  }
  co_return steps;
}

Task<> RecordStep(Session& session, const guard::Lease& lease, int ordinal, StepState state) {
  const pg::Result changed = co_await session.db().Query(
      "UPDATE pgalter.step s SET state = $4,"
      " started_at = CASE WHEN $4 = 'running' THEN COALESCE(started_at, clock_timestamp())"
      " ELSE started_at END,"
      " ended_at = CASE WHEN $4 IN ('done', 'undone') THEN clock_timestamp() END"
      " FROM pgalter.lease l WHERE l.run = s.run AND s.run = $1 AND l.epoch = $2"
      " AND s.ordinal = $3",
      lease.run, lease.epoch, ordinal, Name(state));
  if (changed.affected() != 1 && async::SafeguardOn("lease")) throw guard::LeaseLost(lease);
}

Task<> RecordSpec(Session& session, const guard::Lease& lease, const Step& step) {
  const pg::Result changed = co_await session.db().Query(
      "UPDATE pgalter.step s SET spec = $4::jsonb FROM pgalter.lease l"
      " WHERE l.run = s.run AND s.run = $1 AND l.epoch = $2 AND s.ordinal = $3",
      lease.run, lease.epoch, step.ordinal, boost::json::serialize(step.spec));
  if (changed.affected() != 1 && async::SafeguardOn("lease")) throw guard::LeaseLost(lease);
}

}  // namespace pgalter::state
