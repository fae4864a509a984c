// Signal: one thing that pgalter looks at to decide how fast it may go. One file a signal under
// signals/, one line in signals.def.
//
// A signal reads with plain SELECTs on the watching session: it waits for no lock, and writes
// nothing (the commit canary writes WAL only). It says what it cannot read; it never guesses zero.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/async/task.h"
#include "engine/guard/session.h"
#include "engine/watch/counter_history.h"
#include "engine/watch/reading.h"
#include "engine/watch/replay_track.h"
#include "engine/watch/sight.h"

namespace pgalter::watch {

using async::Milliseconds;
using async::Task;

struct WatchOptions {
  std::string run;    // whose sessions are "ours", by application_name
  std::string table;  // as SQL quotes it; empty: none
  std::optional<std::int64_t> table_bytes_at_start;  // nullopt: what the first round finds
  std::string made_in;  // schema of what the run makes, all of which is growth; empty: none
  std::optional<int> expect_standbys;  // fewer connected standbys than this: unreadable
  std::set<std::string, std::less<>> ignore_standbys;  // application_name, slot, cluster_name
  // Seconds, by the same names, instead of the signal's own limit: for those that may lag.
  std::map<std::string, double, std::less<>> standby_limits;
  std::set<std::string, std::less<>> replicas;        // conninfo of standbys to look at directly
  std::map<std::string, double, std::less<>> limits;  // by signal id, instead of the defaults
  std::set<std::string, std::less<>> without;         // signal ids that are not read at all
  std::string throttle_query;                         // one row, first column a number
  Milliseconds deadline{5'000};                       // for all signals of one round
  // Not every signal in every round, but each at its own rate (Signal::every).
  bool at_their_rates = false;
};

struct Standbys;   // standbys.h
struct LockWaits;  // lock_waits.h

struct Observation {
  Seen seen = Seen::kAbsent;
  double value = 0;
  std::string text;
  std::optional<double> server_limit{};  // the server's own, used where the user set none
  std::optional<double> own_limit{};     // of just this standby, whatever the signal's is

  static Observation Measured(double value, std::string detail = {}) {
    return {Seen::kMeasured, value, std::move(detail)};
  }
  static Observation Absent(std::string why) { return {Seen::kAbsent, 0, std::move(why)}; }
  static Observation Unreadable(std::string why) { return {Seen::kUnreadable, 0, std::move(why)}; }
  static Observation MissingRight(std::string why) {
    return {Seen::kMissingRight, 0, std::move(why)};
  }
};

// What has to be remembered from round to round. Survives a reconnect.
struct Memory {
  CounterHistory wal;
  std::deque<std::uint64_t> beats;  // of the run, in microseconds since 1970, ascending
  std::uint64_t primary_time = 0;   // the same, by the primary's clock, when it was last read
  bool has_beats = false;           // this database has the table of heartbeats
  CounterHistory transactions;
  std::set<std::string, std::less<>> standbys;             // that have been seen connected
  std::map<std::string, ReplayTrack, std::less<>> tracks;  // by standby
  std::optional<std::uint64_t> first_wal;
  std::optional<std::int64_t> first_table_size;
  std::deque<double> commit_times;
  std::set<std::string, std::less<>> subscribers;  // logical slots that have been seen in use
  std::map<std::string, ReplicaSight> replicas;    // by conninfo; whoever looks writes them
  std::int64_t round = 0;
  std::map<std::string, Observation, std::less<>> kept;  // of the last rounds, by signal id
  // What several signals read together, in this round.
  std::shared_ptr<const Standbys> round_standbys;
  std::shared_ptr<const LockWaits> round_waits;
};

struct SignalContext {
  guard::Session& session;
  const WatchOptions& options;
  Memory& memory;
  CounterHistory::Time now;
  double limit;  // of the signal that is being read
};

struct Signal {
  std::string_view id;  // kebab-case; what the user writes
  std::string_view summary;
  Unit unit = Unit::kNumber;
  Effect effect = Effect::kPaces;
  double default_limit = 0;  // 0: shown only, until the user gives one
  int every = 1;             // rounds: what changes slowly is read seldom
  // May throw pg::PgError, which counts as unreadable.
  Task<Observation> (*read)(SignalContext& context) = nullptr;
};

}  // namespace pgalter::watch
