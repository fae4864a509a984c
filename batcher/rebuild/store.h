// Store: what a rebuild knows of itself in pgalter.rebuild.
#pragma once

#include <string>
#include <vector>

#include "batcher/rebuild/definition.h"
#include "engine/state/artefacts.h"

namespace pgalter::rebuild {

struct Stored {
  int number = 1;  // of the run's tables
  pg::Oid source = 0;
  pg::Oid shadow = 0;
  std::string schema;  // of shadow and log; the old table goes to the one with _old behind it
  Definition definition;
};

// In the caller's transaction.
Task<> Record(Session& session, std::string run, const Stored& stored);
Task<> RecordDefinition(Session& session, std::string run, const Stored& stored);
pg::Statement RecordDefinitionStatement(const std::string& run, const Stored& stored);
// Of the only table, or the first.
Task<Stored> Load(Session& session, std::string run);
// Of all tables, in their order.
Task<std::vector<Stored>> LoadAll(Session& session, std::string run);
// It never was: another may begin in the same run.
Task<> Forget(Session& session, std::string run);

// Whether a thing in a run's ledger was made by a rebuild, not by a backfill or an index build.
[[nodiscard]] bool IsOfRebuild(const state::Artefact& artefact);

}  // namespace pgalter::rebuild
