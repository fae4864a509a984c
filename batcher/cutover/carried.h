// Carried: one kind of thing that hangs on a table, is no part of its definition, and goes over to
// the table that takes its place. One file a kind under carried/, one line in carried.def.
//
// A kind is a query over the catalog, asked under the swap's lock together with all others: it
// waits for nothing and changes nothing. A row is a statement and when it runs, one of
//   b(efore)    while the table that leaves still has its name
//   a(fter)     when the other one has it
//   v(alidate)  once users work on, in a transaction of its own
//   l(ast)      then, once, under the ladder
//   r(eturn)    first, when the table that leaves comes back
//
// Parameters, by their names:
//   :leaving, :coming           the two tables
//   :name                       the name in question, quoted with its schema
//   :unsettled, :unadopted      what was still to be validated, and to be adopted
//   :companions                 tables that carry their own keys in the same transaction
//   :going_keys                 foreign keys that are not made again
//   :views_anew                 views that are seen to elsewhere
//   :alike                      whether each partition has one of its name that takes its place
//   :noted, :noted_of, :noted_text  whether it is known how the table that leaves was when the one
//                                   that comes was made, and how (noted.h)
//   :checks                     constraints of it that are added to the one that comes
//   :renamed_from, :renamed_to  columns that have other names in the table that comes
//
// Relations, made of these:
//   leaving, coming  the two tables with their partitions at whatever depth, by their names of now
//                    and by those to be; has_rows: not partitioned
//   called           the name that the table that comes has now
//   pair             which gets what which one has
//   users_trigger    triggers of the one that are its users', with the columns of pg_trigger
//   same             columns of the one and of the other
//   altered          what is another since, as noted_now of noted.h
//   carried          of a table in it the keys are seen to elsewhere
//   inbound_key      all foreign keys to the table, by what depends on it, as pg_constraint has no
//                    index for them
//   going            the keys of :going_keys, and their parts on partitions
#pragma once

#include <span>

#include "batcher/cutover/carry_over.h"

namespace pgalter::cutover {

// Two tables that change places.
struct Exchange {
  pg::Oid leaving = 0;
  pg::Oid coming = 0;
  std::string name{};        // the name in question, quoted with its schema
  std::string name_to_be{};  // that of the leaving table
  Staying staying{};
  int server_version = 0;
};

struct Carried {
  const char* rows = nullptr;
  // Instead of `rows`, where the text is not of this room.
  pg::Statement (*ask)(const Exchange& tables) = nullptr;
  bool Staying::*stays = nullptr;   // where this is set, it is not asked for
  const char* safeguard = nullptr;  // without it nothing is done before
};

#define PGALTER_CARRIED(name) extern const Carried k##name;
#include "batcher/cutover/carried.def"
#undef PGALTER_CARRIED

// In the order in which their statements run.
std::span<const Carried* const> AllCarried();

// The statement that asks for the rows of the kind.
pg::Statement Ask(const Carried& kind, const Exchange& tables);

}  // namespace pgalter::cutover
