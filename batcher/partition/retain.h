// Retain: which partitions are older than a table keeps, and the run that takes them out of it,
// then exports and drops them. Nothing is dropped that was to be exported and is not the same in
// its file, or that a legal hold names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/moment.h"
#include "batcher/partition/whole.h"
#include "engine/lock/ladder_policy.h"
#include "engine/run/plan_spec.h"

namespace pgalter::partition {

enum class Afterwards { kKeep, kDrop, kExport };

struct RetainWish {
  std::string table;
  std::string keep;  // an interval: newer ranges stay; a number: so many ranges stay
  Afterwards afterwards = Afterwards::kKeep;
  std::string folder;           // of an export: absolute
  Epoch epoch = Epoch::kNone;   // of integers: what they count
  std::string hold = "7 days";  // so long a detached partition waits before it is dropped
  run::Pace pace;
  lock::LadderOptions ladder;
};

struct Going {
  pg::Oid oid = 0;
  std::string name;  // quoted, with its schema
  std::string bound;
  std::string inside;  // the server's condition for it, while it is attached
  double rows = 0;     // estimate
  std::int64_t bytes = 0;
  bool attached = true;     // else an earlier run has detached it
  bool over = false;        // its time of waiting is: it is exported and dropped
  std::string kept_reason;  // it stays as it is: a legal hold, a detach that is pending; empty: no
};

struct RetainPlan {
  Whole whole;
  std::vector<Going> going;  // the oldest first
  // Not kept back: there is something to do.
  [[nodiscard]] bool any() const;
};

// Reads only. Throws run::Failure.
Task<RetainPlan> PlanRetain(Session& session, RetainWish wish);

// Throws state::TableTaken.
Task<std::string> CreateRetainRun(Session& session, const RetainPlan& plan, const RetainWish& wish);

// What became of a partition that was to go, as pgalter.retired has it. Times are UTC, ISO 8601;
// empty: that was not done.
struct Gone {
  std::string detached_at;
  std::string exported_at;
  std::string file;
  std::string sha256;
  std::optional<std::int64_t> rows;  // in the file
  std::string dropped_at;
};
Task<Gone> FindGone(Session& session, pg::Oid partition);

// Of a partition or of a whole table with all its partitions. The schema pgalter is installed.
// Throws run::Failure (usage): no such table.
// "legal hold of public.t_0 by … since …: …", or "". By what a relation is and by its name, as what
// has taken the place of one that is held (a rebuild's) holds its rows.
Task<std::string> FindLegalHold(Session& session, std::vector<std::int64_t> oids,
                                std::vector<std::string> names);
Task<std::string> SetLegalHold(Session& session, std::string table, std::string reason);
struct Released {
  std::string table;  // quoted, with its schema; empty: it was not held
  std::string reason;
  std::string held_by;
  std::string held_since;  // UTC, ISO 8601
};
Task<Released> ReleaseLegalHold(Session& session, std::string table);

}  // namespace pgalter::partition
