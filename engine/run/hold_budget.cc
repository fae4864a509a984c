#include "engine/run/hold_budget.h"

#include <boost/json/serialize.hpp>

#include "engine/run/plan_spec.h"

namespace pgalter::run {

guard::Task<> SetHoldBudget(guard::Session& session, std::string run, async::Milliseconds budget) {
  const std::string usual = boost::json::serialize(ToJson(PlanSpec()).at("ladder"));
  co_await session.db().Query(
      "UPDATE pgalter.run SET spec = jsonb_set(spec, '{ladder}', COALESCE(spec->'ladder', "
      "$2::jsonb) || jsonb_build_object('hold_budget_ms', $3::int8)) WHERE run = $1",
      run, usual, budget.count());
}

}  // namespace pgalter::run
