// Blocker: one session (or prepared transaction) that stands between a waiter and its lock.
// Values only; none of them holds a literal of a user's statement.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "planner/locks/lock_mode.h"

namespace pgalter::lock {

using Milliseconds = std::chrono::milliseconds;

enum class BlockerKind : std::uint8_t {
  kClient,
  kAutovacuum,
  kAutovacuumWraparound,  // the server never cancels it for a waiting lock
  kWalSender,
  kBackup,  // pg_dump and the like: idle in transaction while its workers read
  kPreparedTransaction,
  kParallelWorker,
  kOwnRun,      // a session of a pgalter run, this one or another
  kOther,       // a server process
  kNotVisible,  // hidden from our role
};

struct SessionInfo {
  int pid = 0;  // 0: a prepared transaction
  BlockerKind kind = BlockerKind::kNotVisible;
  std::string user;
  std::string application_name;
  std::string client_address;  // empty: a local socket, or hidden
  std::string state;           // as in pg_stat_activity; empty: hidden
  std::string wait_event;      // "Lock: relation"
  std::string backend_start;   // with the pid it names one session
  std::optional<Milliseconds> transaction_age;
  std::optional<Milliseconds> state_age;
  std::string query;  // normalised; empty: none, or hidden
  std::string prepared_gid;
};

// A lock that a session holds or, not granted, waits for.
struct LockInfo {
  std::string lock_type;  // as in pg_locks: "relation", "transactionid", …
  std::string relation;   // as SQL, qualified; empty: the lock is on no relation of this database
  std::optional<locks::LockMode> mode;
  bool granted = true;
};

struct Blocker {
  SessionInfo session;
  LockInfo lock;  // the strongest that is in the waiter's way
};

// What tells a session's kind. The server hides most of it from a role without pg_monitor.
struct SessionTraits {
  std::string backend_type;
  std::string application_name;
  std::string query;            // as the server has it
  bool has_user = true;         // never hidden; autovacuum has none
  bool wraparound_due = false;  // the table is older than autovacuum_freeze_max_age
  std::optional<locks::LockMode> lock_mode;
};
[[nodiscard]] BlockerKind KindOf(const SessionTraits& traits);

// "pid 4711 (app «x», user y)".
[[nodiscard]] std::string Who(const SessionInfo& session);

// A line for people: "pid 4711 (app «x», user y) holds ROW EXCLUSIVE on public.t, transaction open
// for 3 min, idle in transaction for 2 min: «UPDATE t SET a = $1»".
[[nodiscard]] std::string Describe(const Blocker& blocker);

// "850 ms", "12 s", "3 min", "2 h", "4 d".
[[nodiscard]] std::string HumanAge(Milliseconds age);

}  // namespace pgalter::lock
