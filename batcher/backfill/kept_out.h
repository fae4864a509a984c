// A command that has no run yet, and a table that somebody has locked: he is waited for without a
// word, and so not for long, and is named. In the queue it is in the way of DDL alone.
#pragma once

#include <chrono>
#include <string>

#include "batcher/backfill/target.h"

namespace pgalter::backfill {

constexpr std::chrono::milliseconds kPatience{10'000};

enum class KeptOut { kReaders, kWriters };

// Throws run::Failure (lock not obtained) that says what cannot be done and who holds such a lock
// on the table or one of its partitions, or waits for it, since others stand behind him.
Task<> ThrowKeptOut(Session& session, const Table& table, std::string what, KeptOut whom);

// In a transaction of its own; takes SELECT on the table. Throws as above.
Task<> RefuseUnreadable(Session& session, const Table& table, std::string what);

}  // namespace pgalter::backfill
