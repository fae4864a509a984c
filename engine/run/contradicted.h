// Contradicted: a constraint that an earlier step has added NOT VALID, users' or one of ours, and
// rows which it forbids. It goes again, as nobody is to be kept from writing for the sake of a run
// that cannot go on (the plain statement would have left nothing, too); and its step is to be done
// again.
#pragma once

#include "engine/pg/error.h"
#include "engine/run/step_handler.h"

namespace pgalter::run {

// Of a VALIDATE: rows that it forbids.
[[nodiscard]] bool IsContradiction(const pg::PgError& error);

// `step` validates, and has failed with `error`. Throws Failure (refused), with the query that
// finds the rows; or `error` where no step has added it, or not it alone.
Task<> TakeBackContradicted(Environment& env, const state::Step& step, pg::PgError error);

// The same of a step that is taken back by statements of their own, of which `validating` has
// failed with `error`.
Task<> DropContradicted(Environment& env, guard::Session& session, const state::Step& step,
                        std::string validating, pg::PgError error);

}  // namespace pgalter::run
