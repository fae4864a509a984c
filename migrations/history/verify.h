#pragma once

// The questions of a migration's `verify` section: each is a query, and holds when it returns rows
// and the first column of every row is true; or one that has a name (assertion.h). Read only.

#include <chrono>
#include <string>
#include <vector>

#include "engine/guard/role_settings.h"
#include "engine/guard/session.h"

namespace pgalter::history {

using async::Task;

struct Answered {
  int line = 1;
  std::string question;  // as it stands in the file
  bool holds = false;
  std::string why;  // it does not
  std::chrono::duration<double> took{0};
};

// `settings`: those under which users' SQL means what it means to the role.
Task<std::vector<Answered>> Verify(guard::Session& session, guard::Settings settings,
                                   std::string section);

}  // namespace pgalter::history
