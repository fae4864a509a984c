#include "engine/watch/subscribers.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgalter::watch {

namespace {

// The slots of a subscription's first copy come and go by themselves.
constexpr const char* kSlots = R"sql(
SELECT (pg_current_wal_lsn() - '0/0')::bigint, s.slot_name, s.active,
       (s.confirmed_flush_lsn - '0/0')::bigint
FROM pg_replication_slots s
WHERE s.slot_type = 'logical' AND s.database = current_database() AND NOT s.temporary
  AND s.confirmed_flush_lsn IS NOT NULL AND coalesce(s.wal_status, '') <> 'lost'
  AND s.slot_name !~ '^pg_[0-9]+_sync_[0-9]+_[0-9]+$'
ORDER BY s.confirmed_flush_lsn
)sql";

struct Worst {
  double share = -1;
  Observation seen;
};

void Weigh(Worst& worst, const SignalContext& context, const std::string& slot, double value,
           std::string text, LagMeasure measure) {
  std::optional<double> own;
  const auto given = context.options.standby_limits.find(slot);
  if (given != context.options.standby_limits.end()) {
    if (measure == LagMeasure::kBytes) return;  // it may lag more than others
    own = given->second;
  }
  const double limit = own.value_or(context.limit);
  const double share = limit > 0 ? value / limit : value;
  if (share <= worst.share) return;
  worst.share = share;
  worst.seen = Observation::Measured(value, std::move(text));
  worst.seen.own_limit = own;
}

}  // namespace

Task<Observation> ReadSubscribers(SignalContext& context, LagMeasure measure) {
  const pg::Result slots = co_await context.session.db().Query(kSlots);
  auto& seen_in_use = context.memory.subscribers;
  std::set<std::string, std::less<>> there;
  std::optional<std::string> gone;
  Worst worst;
  for (int row = 0; row < slots.rows(); ++row) {
    const auto position = static_cast<std::uint64_t>(slots.Get<std::int64_t>(row, 0));
    const auto slot = slots.Get<std::string>(row, 1);
    const auto confirmed = static_cast<std::uint64_t>(slots.Get<std::int64_t>(row, 3));
    context.memory.wal.Record(position, context.now);
    if (context.options.ignore_standbys.contains(slot)) continue;
    there.insert(slot);
    const bool active = slots.Get<bool>(row, 2);
    if (active) seen_in_use.insert(slot);
    if (!seen_in_use.contains(slot)) continue;
    if (!active && !gone) gone = slot;
    const double bytes = static_cast<double>(position - std::min(position, confirmed));
    const double seconds =
        bytes > 0 ? context.memory.wal.AgeOf(confirmed, context.now).at_least.count() : 0;
    Weigh(worst, context, slot, measure == LagMeasure::kBytes ? bytes : seconds,
          fmt::format("subscriber {}: {} and {} behind", slot, Format(seconds, Unit::kSeconds),
                      Format(bytes, Unit::kBytes)),
          measure);
  }
  // Dropped on purpose: nobody waits for it.
  std::erase_if(seen_in_use, [&there](const std::string& slot) { return !there.contains(slot); });
  if (gone && worst.share < 1)
    co_return Observation::Unreadable(
        fmt::format("subscriber {} was connected and is not any more", *gone));
  if (worst.share < 0) co_return Observation::Absent("no logical subscriber is connected");
  co_return worst.seen;
}

}  // namespace pgalter::watch
