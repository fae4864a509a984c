// Sequences of identity columns, where a table takes the place of another: each goes on where the
// other one was, with its rights and its comment. No number is given twice, however users ask for
// it: nextval() takes no lock on the table, only on the sequence itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/rebuild/names.h"
#include "engine/guard/session.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

// What becomes of the sequence that leaves.
enum class Former : std::uint8_t { kStays, kIsDropped };

// One statement, under the lock on the tables: nobody takes a number from `leaving` from then on,
// and `coming` goes on from there. Names are quoted, with their schemas.
//
// Lock: ACCESS EXCLUSIVE on `leaving`, as its table's change of schema takes it.
// Who waits for that lock asks `leaving` afterwards, whatever it is called by then. Where it stays,
// `coming` leaves out as many numbers as all sessions of the server may get of one call each, and
// `leaving` ends behind these; where few are left, `leaving` has none. Where it is dropped, they
// fail.
std::string HandOver(const std::string& leaving, const std::string& coming, Former former);

// Of all columns of the two tables. Its rows are those of a carry-over: b(efore); and r(eturn), by
// which the sequences that leave, under the name that they are to have, get their bounds back.
pg::Statement AskSequences(pg::Oid leaving, pg::Oid coming, std::string name_to_be,
                           const std::vector<rebuild::SameColumn>& renamed);

}  // namespace pgalter::cutover
