#include "engine/watch/table_bytes.h"

namespace pgalter::watch {

namespace {

// pg_partition_tree() has no rows for a table that is neither partitioned nor a partition.
constexpr const char* kBytes =
    "SELECT sum(pg_total_relation_size(relid))::bigint"
    " FROM (SELECT to_regclass(nullif($1, '')) AS relid"
    "       UNION SELECT relid FROM pg_partition_tree(to_regclass(nullif($1, '')))) tree";

}  // namespace

async::Task<std::optional<std::int64_t>> ReadTableBytes(guard::Session& session,
                                                        const std::string& table) {
  const pg::Result bytes = co_await session.db().Query(kBytes, table);
  co_return bytes.Get<std::optional<std::int64_t>>(0, 0);
}

async::Task<std::int64_t> ReadSchemaBytes(guard::Session& session, const std::string& schema) {
  const pg::Result bytes = co_await session.db().Query(
      "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
      " AND (n.nspname = $1 OR starts_with(n.nspname, $1)"
      "      AND substr(n.nspname, length($1) + 1) ~ '^_[0-9]+$')",
      schema);
  co_return bytes.Get<std::int64_t>(0, 0);
}

}  // namespace pgalter::watch
