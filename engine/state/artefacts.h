// The ledger of what a run makes: written before the thing exists, so that cleanup finds it.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

struct Artefact {
  std::string run;
  std::string kind;      // trigger, function, matview, table, schema
  std::string name;      // quoted as SQL; with its schema where it has one of its own
  std::string relation;  // for a trigger: its table, quoted as SQL
  pg::Oid relid = 0;     // finds the table again when it has been renamed
};

Task<> RecordArtefact(Session& session, const Artefact& artefact);
Task<> RecordArtefact(Session& session, std::string run, std::string kind, std::string name);
// Triggers in one statement, by name and table, however many there are: for who holds locks. The
// first is dropped last.
Task<> RecordTriggers(Session& session, std::string run, std::vector<std::string> names,
                      std::vector<std::string> relations);
Task<> RecordDropped(Session& session, const Artefact& artefact);
// In one statement, too.
Task<> RecordAllDropped(Session& session, std::string run, std::vector<Artefact> artefacts);

// The same for who records more in the same round trip.
pg::Statement RecordArtefactStatement(const Artefact& artefact);
pg::Statement RecordTriggersStatement(const std::string& run, const std::vector<std::string>& names,
                                      const std::vector<std::string>& relations);
pg::Statement RecordAllDroppedStatement(const std::string& run,
                                        const std::vector<Artefact>& artefacts);

// What has not been dropped yet, in the order in which it must be: newest first.
Task<std::vector<Artefact>> LiveArtefacts(Session& session, std::string run);

}  // namespace pgalter::state
