#pragma once

// Statements that end transactions inside: DO and CALL whose body says COMMIT or ROLLBACK. No
// transaction may hold one, so it is carried out by itself, where its file says that it may be.
// Private to migrations/history but for LearnCalled().

#include <string>
#include <vector>

#include "engine/guard/session.h"
#include "migrations/history/collection.h"

namespace pgalter::history {

using async::Task;

struct Ending {
  int line = 1;
  std::string what;  // "this DO block", "the procedure public.p"
};
// In their order. Pure.
[[nodiscard]] std::vector<Ending> FindEndings(const Script& script);

// Notes in `script` which of the procedures that it calls end transactions, by their definitions in
// the database; those that the script itself makes are known without.
Task<> LearnCalled(guard::Session& session, Script& script);

}  // namespace pgalter::history
