#include "batcher/partition/plain_definition.h"

#include <fmt/format.h>

#include <optional>

#include "batcher/rebuild/definition.h"

namespace pgalter::partition {

namespace {

constexpr const char* kKeys = R"sql(
SELECT format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE conrelid = $1 AND contype IN ('p', 'u', 'x') ORDER BY contype, conname
)sql";

// Of the partitions, if all agree.
constexpr const char* kStorage = R"sql(
SELECT CASE WHEN bool_and(c.relpersistence = 'u') THEN 'UNLOGGED ' ELSE '' END,
       CASE WHEN count(DISTINCT coalesce(c.reloptions, '{}')) = 1
            THEN coalesce(' WITH (' || array_to_string(min(c.reloptions), ', ') || ')', '')
            ELSE '' END
FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid AND t.isleaf
WHERE c.relkind = 'r'
)sql";

}  // namespace

Task<std::string> PlainDefinition(Session& session, const Whole& whole) {
  std::string keys;
  const pg::Result constraints = co_await session.db().Query(kKeys, whole.table.oid);
  for (int i = 0; i < constraints.rows(); ++i) keys += ",\n  " + constraints.Get<std::string>(i, 0);
  const pg::Result storage = co_await session.db().Query(kStorage, whole.table.oid);
  std::string script = fmt::format(
      "CREATE {0}TABLE {1} (LIKE {1} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
      "INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS{2}){3};\n",
      storage.Get<std::optional<std::string>>(0, 0).value_or(""), whole.table.name, keys,
      storage.Get<std::optional<std::string>>(0, 1).value_or(""));
  const auto indexes = co_await rebuild::ReadIndexes(session, whole.table.oid, whole.table.name,
                                                     whole.table.name, whole.home);
  for (const rebuild::Index& index : indexes)
    if (index.constraint.empty()) script += index.create + ";\n";
  co_return script;
}

}  // namespace pgalter::partition
