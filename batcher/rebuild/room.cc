#include "batcher/rebuild/room.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/run/failure.h"
#include "engine/watch/unit.h"

namespace pgalter::rebuild {

namespace {

constexpr const char* kLocks = R"sql(
WITH source AS (SELECT $1::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass))
SELECT (SELECT count(*) FROM source)
         + (SELECT count(*) FROM pg_index JOIN source ON indrelid = source.oid),
       current_setting('max_locks_per_transaction')::int8
         * (current_setting('max_connections')::int8
            + current_setting('max_prepared_transactions')::int8),
       current_setting('max_locks_per_transaction')::int8
)sql";

constexpr const char* kTables =
    "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1)"
    " AND relkind IN ('r', 'p')";

}  // namespace

Task<> RefuseTooManyLocks(Session& session, const std::vector<ToBe>& all, std::string tables) {
  std::int64_t needed = 0;
  std::int64_t pool = 0;
  std::int64_t setting = 0;
  for (const ToBe& table : all) {
    const pg::Result row = co_await session.db().Query(kLocks, table.source);
    needed += table.relations + row.Get<std::int64_t>(0, 0);
    pool = row.Get<std::int64_t>(0, 1);
    setting = row.Get<std::int64_t>(0, 2);
  }
  if (2 * needed <= pool) co_return;
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("cannot rebuild {}: its swap would lock {} tables, partitions and indexes at "
                  "once, and the server has room for about {} locks of everybody's. Raise "
                  "max_locks_per_transaction to {} or more (it takes a restart), or have fewer "
                  "partitions",
                  tables, needed, pool, (2 * needed * setting + pool - 1) / pool));
}

Task<> RefuseTooManyLocks(Session& session, const std::vector<Stored>& all, std::string tables) {
  std::vector<ToBe> made;
  for (const Stored& stored : all) {
    const pg::Result row = co_await session.db().Query(kTables, stored.schema);
    ToBe& table = made.emplace_back();
    table.source = stored.source;
    table.relations =
        row.Get<std::int64_t>(0, 0) + static_cast<std::int64_t>(stored.definition.indexes.size());
  }
  co_await RefuseTooManyLocks(session, made, std::move(tables));
}

void RefuseTooSmallBudget(const Spec& spec, const std::string& tables, std::int64_t bytes) {
  const auto given = spec.throttle.find("extra-bytes");
  if (given == spec.throttle.end()) return;
  const auto limit = watch::Parse(given->second, watch::Unit::kBytes);
  const auto needed = 2 * static_cast<double>(bytes);
  if (!limit || *limit <= 0 || *limit >= needed) return;
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("cannot rebuild {}: that takes up to {} of disk, {} for what is made anew and as "
                  "much WAL, and extra-bytes={} is allowed. Nothing was changed. Allow {} or more, "
                  "where the disk has them: --throttle extra-bytes={:.0f}MB. A table of which most "
                  "is dead rows takes less: leave the limit out, and give it to the run, with: "
                  "pgalter throttle RUN --set extra-bytes={}",
                  tables, watch::Format(needed, watch::Unit::kBytes),
                  watch::Format(needed / 2, watch::Unit::kBytes), given->second,
                  watch::Format(needed, watch::Unit::kBytes), std::ceil(needed / (1024 * 1024)),
                  given->second));
}

}  // namespace pgalter::rebuild
