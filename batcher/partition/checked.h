// Checked triggers: constraint triggers that keep the promise of a foreign key that the server
// cannot keep, because no unique key of a partitioned table has its columns alone. Text only.
//
// A row that refers locks the row that it refers to FOR KEY SHARE, as a foreign key does; a DELETE
// or a change of the key waits for that lock, and its check, which reads in a snapshot of its own,
// sees who has come before. So they hold under READ COMMITTED whoever comes first, and for rows
// that refer under every isolation. A DELETE or TRUNCATE under REPEATABLE READ or SERIALIZABLE
// would look for them in its old snapshot (the server's own keys use another one, which no function
// can): it is refused.
#pragma once

#include <string>
#include <vector>

#include "batcher/partition/reference.h"

namespace pgalter::partition {

struct CheckedTriggers {
  // Quoted, with the child's schema: of the rows that refer, of those referred to.
  std::string refers_function;
  std::string referred_function;
  std::vector<std::string> names;  // of the triggers on the parent, not quoted
  std::vector<std::string> make;   // in this order
  std::vector<std::string> drop;
  // Rows that refer, and to what: "ONLY public.line AS y", "x.id OPERATOR(pg_catalog.=) y.event".
  std::string rows;
  std::string refers;
};

// `part_columns`, quoted: of the parent; an UPDATE of one of them may move a row. `taken`: names
// that triggers and constraints of the parent have already, not quoted.
CheckedTriggers CheckedTriggersOf(const Reference& reference,
                                  const std::vector<std::string>& part_columns,
                                  const std::vector<std::string>& taken);

}  // namespace pgalter::partition
