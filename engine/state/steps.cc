#include "engine/state/steps.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <stdexcept>
#include <string_view>

namespace pgalter::state {

namespace {

constexpr std::array<std::string_view, 4> kNames{"pending", "running", "done", "undone"};

std::string_view Name(StepState state) { return kNames.at(static_cast<std::size_t>(state)); }

StepState Parse(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames.at(i) == name) return static_cast<StepState>(i);
  throw std::logic_error("no such step state");
}

}  // namespace

Task<> CreateSteps(Session& session, std::string run, const std::vector<Step>& steps) {
  for (const Step& step : steps)
    co_await session.db().Query(
        "INSERT INTO pgalter.step (run, ordinal, id, kind, phase, sql)"
        " VALUES ($1, $2, $3, $4, $5, $6::text[])",
        run, step.ordinal, step.id, step.kind, step.phase, step.sql);
}

Task<std::vector<Step>> LoadSteps(Session& session, std::string run) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT ordinal, id, kind, phase, to_jsonb(sql)::text, state FROM pgalter.step"
      " WHERE run = $1 ORDER BY ordinal",
      run);
  std::vector<Step> steps;
  for (int i = 0; i < rows.rows(); ++i) {
    Step step;
    step.ordinal = rows.Get<std::int32_t>(i, 0);
    step.id = rows.Get<std::string>(i, 1);
    step.kind = rows.Get<std::string>(i, 2);
    step.phase = rows.Get<std::string>(i, 3);
    const boost::json::value sql = boost::json::parse(rows.Bytes(i, 4));
    for (const auto& statement : sql.as_array()) step.sql.emplace_back(statement.as_string());
    step.state = Parse(rows.Bytes(i, 5));
    steps.push_back(std::move(step));
  }
  co_return steps;
}

Task<> RecordStep(Session& session, const guard::Lease& lease, int ordinal, StepState state) {
  const pg::Result changed = co_await session.db().Query(
      "UPDATE pgalter.step s SET state = $4,"
      " started_at = CASE WHEN $4 = 'running' THEN clock_timestamp() ELSE started_at END,"
      " ended_at = CASE WHEN $4 IN ('done', 'undone') THEN clock_timestamp() END"
      " FROM pgalter.lease l WHERE l.run = s.run AND s.run = $1 AND l.epoch = $2"
      " AND s.ordinal = $3",
      lease.run, lease.epoch, ordinal, Name(state));
  if (changed.affected() != 1) throw guard::LeaseLost(lease);
}

}  // namespace pgalter::state
