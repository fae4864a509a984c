#include "planner/plan/json.h"

#include <boost/json/serialize.hpp>

#include "planner/plan/render/format.h"

namespace pgalter::plan {

std::string RenderJson(const Plan& plan) { return boost::json::serialize(ToJson(plan)) + '\n'; }

}  // namespace pgalter::plan
