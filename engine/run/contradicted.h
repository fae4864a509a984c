// Contradicted: a CHECK of ours, added by an earlier step so that a later one need not read the
// table, and rows that users wrote meanwhile which it forbids. It goes again, as nobody is to be
// kept from writing for the sake of a run that cannot go on; and its step is to be done again.
#pragma once

#include "engine/pg/error.h"
#include "engine/run/step_handler.h"

namespace pgalter::run {

// `step` validates, and has failed with `error`. Throws Failure (refused), with the query that
// finds the rows; or `error` where the CHECK is not ours.
Task<> TakeBackContradicted(Environment& env, const state::Step& step, pg::PgError error);

}  // namespace pgalter::run
