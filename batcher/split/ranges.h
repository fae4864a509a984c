// Ranges: the rows of a split's source, gone through in the order of the key.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "batcher/split/rows_sql.h"
#include "batcher/throttle/throttle.h"
#include "engine/run/step_handler.h"

namespace pgalter::split {

using run::Task;

using Key = std::vector<std::string>;  // texts; empty: the end of the table

struct Range {
  Key lower;
  Key upper;
  [[nodiscard]] Ends ends() const;
  [[nodiscard]] pg::Params params() const;
};

// Whose texts of a key mean the same key in every session, whatever the role has set.
Task<guard::Session> OpenSession(const run::Environment& env);

// The range of so many rows from `lower` on.
Task<Range> NextRange(guard::Session& session, const plan::Split& split, Key lower,
                      std::int64_t rows);

// The run as copy/pace.h knows it: with the plan's pace.
state::Run RunWithPace(const run::Environment& env);

// Throws run::Failure (mismatch): a row of one of the two is not the same in the other. Exact: each
// range is seen in one snapshot, and no change of a row is visible without what the triggers did.
Task<> CompareAll(run::Environment& env, const plan::Split& split);

plan::Split SplitOfStep(const run::Environment& env, const state::Step& step);

}  // namespace pgalter::split
