// Carry-over: what hangs on a table and is no part of its definition, as statements that take it
// from the table that leaves its place and make it again on the one that comes. Read under the
// swap's lock, so that it is true; the same for the way there and for the way back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/rebuild/names.h"
#include "batcher/rebuild/noted.h"
#include "engine/guard/session.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

struct CarryOver {
  std::vector<std::string> before;    // while the table that leaves still has its name
  std::vector<std::string> after;     // when the other one has it
  std::vector<std::string> validate;  // once users work on, in transactions of their own
  std::vector<std::string> adopt;     // then, each once and under the ladder
  std::vector<std::string> back;      // first, when the table that leaves comes back
};

// What the leaving table keeps, where it becomes a part of the one that comes, and what was left to
// be done for it.
struct Staying {
  bool own_keys = false;    // its foreign keys
  bool identities = false;  // their sequences: the caller sees to them
  // `validate` of the swap before, as far as it was not run to its end: keys that are not valid now
  // and were before it.
  std::vector<std::string> unsettled;
  std::vector<std::string> unadopted;  // `adopt` of the swap before, as far as it was not run
  // Tables that change places in the same transaction: a foreign key of theirs is theirs to carry.
  std::vector<std::int64_t> companions;
  // Foreign keys that are dropped and not made again: "ALTER TABLE … ADD CONSTRAINT …".
  std::vector<std::string> going;
  std::vector<std::int64_t> views_anew;  // dropped and made again by the caller
  // Each partition that comes has what the one of its name has that leaves.
  bool alike = false;
  // How the table that leaves was when the one that comes was made, and what of its definition is
  // added to that one in the swap: "ADD CONSTRAINT …".
  rebuild::Noted noted;
  std::vector<std::string> checks;
  // Columns of the table that leaves that have other names in the one that comes.
  std::vector<rebuild::SameColumn> renamed;
};

// `name`: the name in question, quoted with its schema; `name_to_be`: that of the leaving table.
Task<CarryOver> ReadCarryOver(Session& session, pg::Oid leaving, pg::Oid coming, std::string name,
                              std::string name_to_be, Staying staying);

// Of the foreign keys of other tables that refer to `table`, alone: those of a partitioned table
// that stays, while partitions of it change places.
Task<CarryOver> ReadInboundKeys(Session& session, pg::Oid table, Staying staying);

// Tables that foreign keys join to this one, in the order in which to lock them: quoted names, the
// referenced ones first.
struct Joined {
  std::vector<std::string> referenced;
  std::vector<std::string> referencing;
};
Task<Joined> ReadJoined(Session& session, pg::Oid table);

}  // namespace pgalter::cutover
