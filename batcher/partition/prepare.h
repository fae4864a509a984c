// Prepare: what stands in the way of a conversion by attaching, and what it will look like, before
// anything is written.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/definition.h"
#include "batcher/partition/hindrance.h"
#include "batcher/partition/spec.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "planner/plan/plan.h"

namespace pgalter::partition {

// As the user gave it: a division by range.
struct Wish {
  std::string table;
  Division division;
  InboundFk inbound_fk = InboundFk::kRefuse;
};

struct Prepared {
  Spec spec;
  pg::Oid oid = 0;
  double rows = 0;
  std::int64_t bytes = 0;
  std::vector<std::string> remarks;  // what weakens, what is not known
  std::vector<plan::Step> before;    // of other tables, once the wide keys are there
  std::vector<pg::Oid> also;         // tables that these change: the run's, too
  run::Pace pace;                    // as the user gave it
};

// As it is, the table cannot become a partition; whether its rows can be copied, the hindrance
// says.
class CannotAttach : public run::Failure {
 public:
  CannotAttach(const std::string& table, Hindrance hindrance);
  [[nodiscard]] const std::string& table() const { return table_; }  // quoted, with its schema
  [[nodiscard]] const Hindrance& hindrance() const { return hindrance_; }

 private:
  std::string table_;
  Hindrance hindrance_;
};

// Throws CannotAttach, or another run::Failure: usage, refused with the way out, or a right that is
// missing. Writes nothing.
Task<Prepared> Prepare(Session& session, Wish wish);

// Throws state::TableTaken.
Task<std::string> CreateRun(Session& session, const Prepared& prepared);

}  // namespace pgalter::partition
