// A transaction under REPEATABLE READ or SERIALIZABLE whose snapshot is from before a cut-over does
// not see what was carried over last, under the lock: most of all the one whose first statement
// waited for that lock. Its UPDATE would change no row, in silence. The guard is a trigger for each
// statement on the table that came, which ends such an UPDATE or DELETE with 40001, the error that
// these transactions are repeated for. Who only reads sees the table as of shortly before.
//
// The trigger of a partitioned table does not fire for who names a partition, so each partition
// that came has one of its own.
//
// It lets everybody pass who began a minute after the cut-over.
//
// A trigger for each of many partitions takes long: before the cut-over, while nobody uses the
// table, they may be made asleep, and be woken under the locks.
#pragma once

#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::cutover {

struct SnapshotGuard {
  std::string function;  // quoted, with its schema
  std::string trigger;

  // Of the partitions, from 0 on: the ledger tells triggers apart by their names, so none is that
  // of the run's next table.
  [[nodiscard]] std::string TriggerOf(std::size_t partition) const;
};

// `number`: of the run's tables. The names are kept in the run's ledger, so each has its own.
SnapshotGuard GuardOf(const std::string& run, const std::string& schema, int number = 1);

// In the transaction of the cut-over: its id is what a snapshot must see. `table`: the one that
// comes, quoted; `partitions`: those of it that came with it.
async::Task<std::vector<std::string>> MakeGuard(guard::Session& session, SnapshotGuard guard,
                                                std::string table,
                                                std::vector<std::string> partitions);

// Statements that make it asleep, on what no user has yet: it lets everybody pass.
std::vector<std::string> MakeSleepingGuard(const SnapshotGuard& guard, const std::string& table,
                                           const std::vector<std::string>& partitions);
// Whether all of it is there, on that table and each of these partitions.
async::Task<bool> Sleeps(guard::Session& session, SnapshotGuard guard, std::string table,
                         std::vector<std::string> partitions);
// In the transaction of the cut-over, in place of MakeGuard.
async::Task<std::vector<std::string>> WakeGuard(guard::Session& session, SnapshotGuard guard);

// After the way back, which ends the run, the guard goes at once: this waits until nobody is left
// who began before, a minute at most. Transactions that were idle then have been waited for already
// (old_snapshots.h); what is left is busy with other tables.
async::Task<> AwaitOlderTransactions(guard::Session& session);

// From wherever it is by now.
async::Task<std::vector<std::string>> DropGuard(guard::Session& session, SnapshotGuard guard);

}  // namespace pgalter::cutover
