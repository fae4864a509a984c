// Question: what is asked of the rows of tables in use, before anything is changed. For the answer
// there is time; for a lock that somebody has there is little: readers of the table wait behind it,
// and whoever waits for a lock of ours waits with them.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

struct Question {
  std::string sql;
  std::string what;                 // "whether rows of a refer to those of b"
  std::vector<std::string> tables;  // that it reads: quoted, with their schemas
};

// Outside a transaction. Throws run::Failure (lock not obtained), with who keeps readers out.
Task<pg::Result> Ask(Session& session, Question question);

}  // namespace pgalter::partition
