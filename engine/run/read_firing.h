// What a plan has to know of users' triggers and of the role that the schema does not say.
#pragma once

#include "engine/guard/session.h"
#include "planner/plan/recipe.h"

namespace pgalter::run {

using async::Task;

// Nobody has said that they may fire.
Task<plan::Firing> ReadFiring(guard::Session& session);

}  // namespace pgalter::run
