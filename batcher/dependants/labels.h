// Security labels of a table whose place another one takes, and of its columns.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::dependants {

using async::Task;
using guard::Session;

// Columns that have other names in the table that comes, each with its new one.
struct NewNames {
  std::vector<std::string> from;
  std::vector<std::string> to;
};

// Its rows: 'a' and a statement, after which `coming`, called `name`, has the labels that `leaving`
// has now.
pg::Statement AskLabels(pg::Oid leaving, pg::Oid coming, std::string name, NewNames renamed);

// In a transaction: sets them. Why a provider does not have it, with the way out; empty: they are
// set. The transaction goes on either way.
Task<std::string> SetLabels(Session& session, pg::Statement asked);

// That the table or a column of it has one; empty: none has.
Task<std::string> FindLabel(Session& session, pg::Oid table);

// Why it cannot become a partitioned table, whose partitions would not have the label; empty: it
// can.
Task<std::string> FindLabelToBeLost(Session& session, pg::Oid table);
// The same under the lock. Throws run::Failure (refused): nothing was changed. `again`: the command
// to go on with when it is gone.
Task<> RefuseLabelToBeLost(Session& session, pg::Oid table, std::string name, std::string again);

}  // namespace pgalter::dependants
