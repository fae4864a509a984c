#include <fmt/format.h>

#include <algorithm>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

constexpr const char* kSizes =
    "SELECT (pg_current_wal_lsn() - '0/0')::bigint,"
    " pg_total_relation_size(to_regclass(nullif($1, '')))";

// SQL cannot see free disk: what this server wrote since the start is the measure that is left. It
// counts everybody's WAL, so it errs on the safe side.
Task<Observation> Read(SignalContext& context) {
  const pg::Result sizes = co_await context.session.db().Query(kSizes, context.options.table);
  const auto position = static_cast<std::uint64_t>(sizes.Get<std::int64_t>(0, 0));
  const auto table = sizes.Get<std::optional<std::int64_t>>(0, 1);
  Memory& memory = context.memory;
  if (!memory.first_wal || *memory.first_wal > position) memory.first_wal = position;
  if (!memory.first_table_size) memory.first_table_size = table;
  const auto wal = static_cast<double>(position - *memory.first_wal);
  double growth = 0;
  if (table && memory.first_table_size)
    growth = static_cast<double>(std::max<std::int64_t>(*table - *memory.first_table_size, 0));
  co_return Observation::Measured(
      wal + growth,
      fmt::format("WAL {}, table {}", Format(wal, Unit::kBytes), Format(growth, Unit::kBytes)));
}

}  // namespace

constinit const Signal kExtraBytes{.id = "extra-bytes",
                                   .summary = "WAL and growth of the table since the start",
                                   .unit = Unit::kBytes,
                                   .effect = Effect::kBudget,
                                   .read = &Read};

}  // namespace pgalter::watch
