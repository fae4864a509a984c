#pragma once

// pgalter.migration: what is applied. Written by `up`, `down`, `baseline` and `repair`; the state
// follows that of the run by a trigger (migrations/state/0006_migrations.sql). Whoever changes it
// holds the HistoryLock. Each change is written down in pgalter.audit_log, in its transaction.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guard/session.h"
#include "migrations/history/compare.h"

namespace pgalter::history {

using async::Task;
using guard::Session;

// Versions of which the tool whose directory it is knows, or has known; none where the table is not
// there, or older than that.
Task<std::set<std::string>> ReadTold(Session& session);

// In the order in which they were applied; none where schema pgalter is not there, or is older than
// this table.
Task<std::vector<Applied>> ReadApplied(Session& session);

// A row in state `applying`, in the transaction that creates its run.
Task<> InsertApplying(Session& session, const Migration& migration, std::string run);
// A migration without anything to run, or one that is taken for applied.
Task<> InsertSettled(Session& session, const Migration& migration, State state, std::string reason);
// One that another tool applied, as its table says: a baseline, which that tool knows.
Task<> InsertImported(Session& session, const Migration& migration, std::string table);
Task<> MarkVerified(Session& session, std::string version);
// In the transaction that creates the run that takes it back.
Task<> MarkReverting(Session& session, std::string version, std::string run);
// One that has nothing to run on its way down.
// A row that is not there is no error: the log then says what is.
Task<> Remove(Session& session, std::string version, std::string event, std::string reason);
// The file's name, version and checksums as they are now; it counts as applied.
Task<> TakeAsItIs(Session& session, std::string version, const Migration& now, std::string reason);

// Applied migrations' runs that keep something in the database which only served to apply them.
Task<std::vector<std::string>> RunsToFinish(Session& session);

// What happened, newest last.
struct Event {
  std::string at;  // UTC, ISO 8601
  std::string user;
  std::string os_user;
  std::string event;
  std::string version;
  std::string payload;  // JSON
};
inline constexpr std::string_view kMigrationEvent = "migration.";  // in front of each
Task<std::vector<Event>> ReadEvents(Session& session);

// What is applied, and what the log says of it, of one snapshot.
struct Remembered {
  std::vector<Applied> applied;
  std::vector<Event> events;
};
Task<Remembered> ReadRemembered(Session& session);

}  // namespace pgalter::history
