// Steps of kind "partition-parts": the new partitions of a repart, empty, below a table in a schema
// of the run's own, with a CHECK each that proves its bound.
//
// Lock: ACCESS SHARE on the source. Blocks: nobody. On crash: rolled back; it records itself in its
// transaction. Undo: all of it is dropped, with the log and its triggers.
#pragma once

#include <string>

#include "batcher/partition/repart.h"
#include "batcher/rebuild/shadow.h"
#include "engine/run/step_handler.h"

namespace pgalter::partition {

// In the caller's transaction; rolled back, it was a rehearsal. Throws run::Failure.
Task<rebuild::Shadow> MakeParts(Session& session, std::string run, const backfill::Table& source,
                                const rebuild::Spec& rebuild, const RepartSpec& spec);

// What a swap relies on: columns, indexes and constraints of the whole and of each source, and
// where and how these are stored.
Task<std::string> ShapesOf(Session& session, pg::Oid whole, std::vector<capture::Source> sources);

class PartsStep : public run::StepHandler {
 public:
  run::Task<bool> Done(run::Environment& env, const state::Step& step) override;
  run::Task<> Do(run::Environment& env, const state::Step& step) override;
  run::Task<> Undo(run::Environment& env, const state::Step& step) override;
};

}  // namespace pgalter::partition
