#include <fmt/format.h>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// A lost slot has no restart_lsn any more and retains nothing.
constexpr const char* kSlots = R"sql(
SELECT s.slot_name, (pg_current_wal_lsn() - s.restart_lsn)::float8, s.active,
       nullif(pg_size_bytes(current_setting('max_slot_wal_keep_size')), -1)::float8
FROM pg_replication_slots s
WHERE s.restart_lsn IS NOT NULL AND coalesce(s.wal_status, '') <> 'lost'
ORDER BY s.restart_lsn
LIMIT 1
)sql";

Task<Observation> Read(SignalContext& context) {
  const pg::Result slot = co_await context.session.db().Query(kSlots);
  if (slot.empty()) co_return Observation::Absent("there is no replication slot");
  const char* const activity = slot.Get<bool>(0, 2) ? "active" : "inactive";
  Observation seen = Observation::Measured(
      slot.Get<double>(0, 1), fmt::format("{} slot {}", activity, slot.Get<std::string>(0, 0)));
  // Past max_slot_wal_keep_size the server invalidates the slot, and its standby or subscriber has
  // to be built anew.
  seen.server_limit = slot.Get<std::optional<double>>(0, 3);
  co_return seen;
}

}  // namespace

constinit const Signal kSlotRetentionBytes{.id = "slot-retention-bytes",
                                           .summary = "WAL kept on disk for a replication slot",
                                           .unit = Unit::kBytes,
                                           .default_limit = 8.0 * 1024 * 1024 * 1024,
                                           .every = 36,
                                           .read = &Read};

}  // namespace pgalter::watch
