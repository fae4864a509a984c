// What `plan` and `run` are given: DDL from a file, standard input or --sql, or a plan that was
// kept as JSON; and what is known of the database that it is for.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>

#include "cli/context.h"
#include "engine/guard/session.h"
#include "planner/catalog/schema.h"
#include "planner/plan/planner.h"

namespace pgalter::cli {

// --sql, --split, --prefer, --rebuild-matviews and --fire-triggers
void AddPlanInput(boost::program_options::options_description& options);

// --rebuild-matviews and --fire-triggers alone.
void AddConsents(boost::program_options::options_description& options);
struct Consents {
  plan::Matviews matviews = plan::Matviews::kInTheWay;
  bool fire_triggers = false;

  void AddTo(plan::PlanOptions& options) const {
    options.matviews = matviews;
    options.firing.accepted = fire_triggers;
  }
};
// Throws Rejected (usage) where statements run as they are written.
[[nodiscard]] Consents ConsentsOf(const Context& context);

// What of these is the planner's. Throws Rejected (usage).
struct PlanWishes {
  plan::Preference prefer = plan::Preference::kInPlace;
  Consents consents;

  void AddTo(plan::PlanOptions& options) const {
    options.prefer = prefer;
    consents.AddTo(options);
  }
};
[[nodiscard]] PlanWishes ReadPlanWishes(const Context& context);

// The text of the operand ("-": standard input), or of --sql; of --split none, which PlanOfSplit
// reads. Throws Rejected (usage): several, none, or it cannot be read.
std::string ReadPlanText(const Context& context);

// Whether it is a plan, not SQL.
[[nodiscard]] bool IsPlan(const std::string& text);
// Throws Rejected (usage): it is not what `pgalter plan --out` writes.
plan::Plan ParsePlan(const std::string& text);

struct PlanBase {
  catalog::Schema schema;
  plan::PlanOptions options;
};

// Of the session's database. Throws Rejected (unsupported) where nobody knows what it does.
Task<PlanBase> ReadPlanBase(guard::Session& session);

// Of --split: what it can move is known by the database alone.
Task<plan::Plan> PlanOfSplit(const Context& context, guard::Session& session, PlanBase base);

// Both in one: the plan as it was kept, or one made now.
plan::Plan PlanOf(const std::string& text, PlanBase base);

}  // namespace pgalter::cli
