#include <fmt/format.h>

#include <algorithm>

#include "engine/watch/signals.h"
#include "engine/watch/table_bytes.h"

namespace pgalter::watch {

namespace {

constexpr const char* kPosition = "SELECT (pg_current_wal_lsn() - '0/0')::bigint";

// SQL cannot see free disk: what this server wrote since this runner came is the measure that is
// left. It counts everybody's WAL, so it errs on the safe side; what was written before a pause has
// been recycled, or is somebody else's to keep. The table's growth, and what is made beside it, is
// that of the whole run.
Task<Observation> Read(SignalContext& context) {
  pg::Connection& db = context.session.db();
  const pg::Result now = co_await db.Query(kPosition);
  const auto position = static_cast<std::uint64_t>(now.Get<std::int64_t>(0, 0));
  const auto table = co_await ReadTableBytes(context.session, context.options.table);
  Memory& memory = context.memory;
  if (!memory.first_wal || *memory.first_wal > position) memory.first_wal = position;
  if (!memory.first_table_size) memory.first_table_size = table;
  const auto wal = static_cast<double>(position - *memory.first_wal);
  const auto first = context.options.table_bytes_at_start ? context.options.table_bytes_at_start
                                                          : memory.first_table_size;
  double growth = 0;
  if (table && first) growth = static_cast<double>(std::max<std::int64_t>(*table - *first, 0));
  std::string made;
  double beside = 0;
  if (!context.options.made_in.empty()) {
    const std::int64_t bytes = co_await ReadSchemaBytes(context.session, context.options.made_in);
    beside = static_cast<double>(bytes);
    made = fmt::format(", new table and log {}", Format(beside, Unit::kBytes));
  }
  co_return Observation::Measured(wal + growth + beside,
                                  fmt::format("WAL {}, table {}{}", Format(wal, Unit::kBytes),
                                              Format(growth, Unit::kBytes), made));
}

}  // namespace

constinit const Signal kExtraBytes{
    .id = "extra-bytes",
    .summary = "WAL since this runner came, the table's growth, and what is made beside it",
    .unit = Unit::kBytes,
    .effect = Effect::kBudget,
    .every = 36,
    .read = &Read};

}  // namespace pgalter::watch
