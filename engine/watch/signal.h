// Signal: one thing that pgalter looks at to decide how fast it may go. One file a signal under
// signals/, one line in signals.def.
//
// A signal reads with plain SELECTs on the watching session: it waits for no lock, and writes
// nothing (the commit canary writes WAL only). It says what it cannot read; it never guesses zero.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/async/task.h"
#include "engine/guard/session.h"
#include "engine/watch/counter_history.h"
#include "engine/watch/reading.h"

namespace pgalter::watch {

using async::Milliseconds;
using async::Task;

struct WatchOptions {
  std::string run;    // whose sessions are "ours", by application_name
  std::string table;  // as SQL quotes it; empty: none
  std::optional<std::int64_t> table_bytes_at_start;  // nullopt: what the first round finds
  std::string made_in;  // schema of what the run makes, all of which is growth; empty: none
  std::optional<int> expect_standbys;  // fewer connected standbys than this: unreadable
  std::set<std::string, std::less<>> ignore_standbys;  // application_name
  std::map<std::string, double, std::less<>> limits;   // by signal id, instead of the defaults
  std::set<std::string, std::less<>> without;          // signal ids that are not read at all
  std::string throttle_query;                          // one row, first column a number
  Milliseconds deadline{5'000};                        // for all signals of one round
};

// What has to be remembered from round to round. Survives a reconnect.
struct Memory {
  CounterHistory wal;
  CounterHistory transactions;
  std::set<std::string, std::less<>> standbys;  // that have been seen connected
  std::optional<std::uint64_t> first_wal;
  std::optional<std::int64_t> first_table_size;
  std::deque<double> commit_times;
};

struct SignalContext {
  guard::Session& session;
  const WatchOptions& options;
  Memory& memory;
  CounterHistory::Time now;
  double limit;  // of the signal that is being read
};

struct Observation {
  Seen seen = Seen::kAbsent;
  double value = 0;
  std::string text;
  std::optional<double> server_limit;  // the server's own, used where the user set none

  static Observation Measured(double value, std::string detail = {}) {
    return {Seen::kMeasured, value, std::move(detail), std::nullopt};
  }
  static Observation Absent(std::string why) {
    return {Seen::kAbsent, 0, std::move(why), std::nullopt};
  }
  static Observation Unreadable(std::string why) {
    return {Seen::kUnreadable, 0, std::move(why), std::nullopt};
  }
  static Observation MissingRight(std::string why) {
    return {Seen::kMissingRight, 0, std::move(why), std::nullopt};
  }
};

struct Signal {
  std::string_view id;  // kebab-case; what the user writes
  std::string_view summary;
  Unit unit = Unit::kNumber;
  Effect effect = Effect::kPaces;
  double default_limit = 0;  // 0: shown only, until the user gives one
  // May throw pg::PgError, which counts as unreadable.
  Task<Observation> (*read)(SignalContext& context) = nullptr;
};

}  // namespace pgalter::watch
