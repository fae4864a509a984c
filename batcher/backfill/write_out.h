// A user's expressions with every name's schema and every literal's type written out, so that they
// mean the same under whatever settings they are run.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/role_settings.h"
#include "engine/guard/session.h"
#include "engine/pg/params.h"
#include "planner/sql/set_clause.h"

namespace pgalter::backfill {

using async::Task;
using guard::Session;

struct Expressions {
  std::vector<sql::Assignment> set;
  std::string where;  // empty: all rows
};

// `text` as it means something under `settings`: about rows of the table `from` (SQL), assigned to
// columns of `to`. Runs in the caller's transaction, and leaves nothing there. Throws run::Failure
// (kUsage) for what the server does not take.
Task<Expressions> WriteOut(Session& session, const guard::Settings& settings,
                           const std::string& from, pg::Oid to, Expressions text);

}  // namespace pgalter::backfill
