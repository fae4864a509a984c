#pragma once

// Users' triggers, where a backfill stands for a statement that fires none: ALTER TABLE writes rows
// without them, an UPDATE fires them for each. Under session_replication_role = replica only those
// fire that are ENABLE ALWAYS or ENABLE REPLICA. Pure.

#include <string>
#include <vector>

#include "planner/plan/recipe.h"

namespace pgalter::plan {

// Of a table, its partitions and the tables that inherit from it: those that an UPDATE may fire;
// what WHEN says is not judged. Quoted.
struct FiringTriggers {
  std::vector<std::string> usually;      // of whoever writes
  std::vector<std::string> replicating;  // under that setting
};
[[nodiscard]] FiringTriggers FindFiring(const catalog::Schema& schema, const Backfill& backfill,
                                        const Firing& firing);

// Which of them chunks of the backfill would fire, and why; empty: none, or nobody has asked
// whether the role may set session_replication_role.
[[nodiscard]] std::string WhyFiring(const Situation& situation, const Backfill& backfill);

// Somebody has said so.
[[nodiscard]] bool MayFire(const Situation& situation);

// Backfills of the recipe get what is agreed to. Where nothing is, and triggers would fire, the
// proposal becomes a refusal, with the ways out.
void SettleTriggers(const Situation& situation, Proposal& proposal);

// What is to be known of them, where the backfill is carried out; empty: nothing. `schema` is as
// it is then.
[[nodiscard]] std::string AboutTriggers(const catalog::Schema& schema, const Backfill& backfill,
                                        const Firing& firing);

}  // namespace pgalter::plan
