// Grants: up to PostgreSQL 17 GRANT and REVOKE take no lock on a table, so one may be committed
// between the moment at which rights were read, to be given to another table, and the end of the
// transaction. It writes the table's row in pg_class anew: once an open transaction has done so,
// too, as any renaming does, nobody's goes through any more. That is when what was read is
// compared.
//
// GRANT of a column writes its row in pg_attribute alone: one that comes behind the comparison is
// not seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

struct GrantsOf {
  std::vector<std::int64_t> relations;
  std::vector<std::int64_t> trees;  // with their partitions at whatever depth
};

// What they are granted, as one text. Before any of it is read to be carried over.
Task<std::string> ReadGrants(Session& session, GrantsOf of);

// `statements`, which rename or move each of these, and the same question, in one round trip.
// Throws PgError (55P03), which makes another attempt, where the answer is not `before`, or where
// one of the statements met a GRANT that was just committed.
Task<> ExecuteBesideGrants(Session& session, const std::vector<std::string>& statements,
                           GrantsOf of, std::string before);

}  // namespace pgalter::cutover
