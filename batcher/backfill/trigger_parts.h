// What the triggers of a backfill have in common: their names, and what an expression over the
// table's row becomes in one.
#pragma once

#include <map>
#include <string>

#include "batcher/backfill/target.h"
#include "engine/state/artefacts.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"

namespace pgalter::backfill {

// Of the run, or of that step of its plan: a plan may have several.
std::string TagOf(const state::Run& run, const state::Step& step);

struct Names {
  explicit Names(const std::string& tag);
  std::string bare;      // of the trigger, not quoted; sorts behind every letter of ASCII
  std::string trigger;   // the same, quoted
  std::string function;  // with its schema, without brackets
};

// As the ledger has them.
state::Artefact FunctionArtefact(const std::string& run, const Names& names);
state::Artefact TriggerArtefact(const std::string& run, const Names& names, const Table& table);

// Column -> expression. A stored generated column has no value yet in a BEFORE trigger: its
// expression stands for it.
using Generated = std::map<std::string, std::string>;
Task<Generated> GeneratedColumns(Session& session, pg::Oid table);

// Over `new`. Throws run::Failure where it cannot be said so.
std::string OnNewRow(const std::string& expression, const Spec& spec, const Generated& generated);

// The server's own judgement of the condition and of the values.
struct Nature {
  bool immutable = false;  // the condition
  bool users_code = false;
};
Task<Nature> NatureOf(Session& session, const Table& table, const Spec& spec,
                      const Resolved& resolved, std::string condition);

// Throws run::Failure where a trigger of users would run behind ours.
Task<> RefuseLaterTriggers(Session& session, const Table& table, const Spec& spec,
                           const Names& names);

// The SET clauses of a trigger's function, so that values mean the same whoever writes.
std::string SettingsOf(const Spec& spec, bool users_code, bool immutable);

}  // namespace pgalter::backfill
