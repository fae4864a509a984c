// Homeless: rows that no partition to be would hold. They are looked for before anything is copied,
// for as long as people wait for an answer; what a longer look would have found, the copy finds.
// Reads only.
#pragma once

#include <string>

#include "batcher/backfill/target.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// Of rows that the condition `inside` does not hold for; `why` says for people what that means for
// them, with the way out. Empty: there are none; else what is to be said where the table is too
// large to be read now. Throws run::Failure (refused): there are some.
Task<std::string> RefuseHomeless(Session& session, const backfill::Table& table, std::string inside,
                                 std::string why);

}  // namespace pgalter::partition
