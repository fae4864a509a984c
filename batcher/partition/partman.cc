#include "batcher/partition/partman.h"

#include <fmt/format.h>

#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

constexpr const char* kInstalled = R"sql(
SELECT quote_ident(n.nspname), coalesce(has_table_privilege(c.oid, 'SELECT'), false)
         AND has_schema_privilege(n.oid, 'USAGE'),
       format('GRANT USAGE ON SCHEMA %1$I TO %2$I; GRANT SELECT ON %1$I.part_config TO %2$I',
              n.nspname, current_user)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'part_config'
WHERE e.extname = 'pg_partman'
)sql";

// Its columns differ between versions; it names tables without quotes.
constexpr const char* kConfig = R"sql(
SELECT quote_literal(j ->> 'parent_table'), coalesce(j ->> 'partition_interval', ''), coalesce((j ->> 'premake')::int, 0),
       coalesce(j ->> 'retention', ''), coalesce(j ->> 'automatic_maintenance', 'on') = 'on'
FROM (SELECT to_jsonb(p) FROM %s.part_config p) c (j)
WHERE j ->> 'parent_table' = (SELECT n.nspname || '.' || r.relname FROM pg_class r
                              JOIN pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = $1)
)sql";

[[noreturn]] void RefuseUnread(const backfill::Table& table, const Partman& partman) {
  throw Failure(ExitCode::kUnsupported,
                fmt::format("pg_partman is installed, and whether it looks after {} cannot be "
                            "read: {}. Nothing was changed",
                            table.name, partman.grant));
}

}  // namespace

std::string Partman::Text() const {
  if (unreadable)
    return fmt::format(
        "pg_partman is installed, and what it does with the table cannot be read: "
        "{}",
        grant);
  std::string text =
      fmt::format("pg_partman looks after it: every {}, {} ahead", interval, premake);
  if (!automatic) text += ", when it is asked for this table";
  if (!retention.empty()) text += fmt::format("; what is older than {} goes", retention);
  return text;
}

Task<std::optional<Partman>> FindPartman(Session& session, pg::Oid table) {
  const pg::Result installed = co_await session.db().Query(kInstalled);
  if (installed.empty()) co_return std::nullopt;
  Partman partman;
  partman.schema = installed.Get<std::string>(0, 0);
  if (!installed.Get<bool>(0, 1)) {
    partman.unreadable = true;
    partman.grant = installed.Get<std::string>(0, 2);
    co_return partman;
  }
  std::string query = kConfig;
  query.replace(query.find("%s"), 2, partman.schema);
  const pg::Result row = co_await session.db().Query(query, table);
  if (row.empty()) co_return std::nullopt;
  partman.parent = row.Get<std::string>(0, 0);
  partman.interval = row.Get<std::string>(0, 1);
  partman.premake = row.Get<int>(0, 2);
  partman.retention = row.Get<std::string>(0, 3);
  partman.automatic = row.Get<bool>(0, 4);
  co_return partman;
}

std::string Partman::FunctionOf(const char* verb) const {
  const bool numbers =
      !interval.empty() && interval.find_first_not_of("0123456789") == std::string::npos;
  return fmt::format("{}.{}_partition_{}", schema, verb, numbers ? "id" : "time");
}

Task<> RefuseBesidePartman(Session& session, const backfill::Table& table, PartmanKeeps keeps) {
  const auto partman = co_await FindPartman(session, table.oid);
  if (!partman) co_return;
  if (partman->unreadable) RefuseUnread(table, *partman);
  std::string why;
  std::string way;
  switch (keeps) {
    case PartmanKeeps::kNames:
      why = "it knows its partitions by names that it gives itself";
      way = fmt::format("SELECT {}({}, ARRAY[…])", partman->FunctionOf("create"), partman->parent);
      break;
    case PartmanKeeps::kWidths:
      why = "it expects partitions of its own names, all as wide as it makes them";
      way = fmt::format(
          "rows leave the default partition with: CALL {0}.partition_data_proc({1}); another width "
          "comes with: CALL {0}.undo_partition_proc({1}, …) and {0}.create_parent",
          partman->schema, partman->parent);
      break;
    case PartmanKeeps::kPartitioning:
      why =
          "its run_maintenance() would fail, for the others of its tables, too, once this one is "
          "not partitioned";
      way = fmt::format("CALL {}.undo_partition_proc({}, …)", partman->schema, partman->parent);
      break;
    case PartmanKeeps::kRetention:
      if (partman->retention.empty()) co_return;  // it lets nothing go: that is ours to do
      why = "it lets partitions go itself";
      way = fmt::format("SELECT {}({}, p_keep_table := true)", partman->FunctionOf("drop"),
                        partman->parent);
      break;
  }
  throw Failure(
      ExitCode::kRefused,
      fmt::format(
          "{}: {}, and {}. Nothing was changed. In its way: {}. To let pgalter do it: DELETE "
          "FROM {}.part_config WHERE parent_table = {}",
          table.name, partman->Text(), why, way, partman->schema, partman->parent));
}

Task<> RefuseToMakeBesidePartman(Session& session, const backfill::Table& table) {
  const auto partman = co_await FindPartman(session, table.oid);
  if (!partman) co_return;
  if (partman->unreadable) RefuseUnread(table, *partman);
  throw Failure(
      ExitCode::kRefused,
      fmt::format("{}: {}, and two that make its partitions would be in each other's way. Nothing "
                  "was changed. It makes them with: SELECT {}.run_maintenance(). To let pgalter do "
                  "it instead: DELETE FROM {}.part_config WHERE parent_table = {}",
                  table.name, partman->Text(), partman->schema, partman->schema, partman->parent));
}

Task<> RefuseToDropBesidePartman(Session& session, const backfill::Table& table) {
  const auto partman = co_await FindPartman(session, table.oid);
  if (!partman) co_return;
  if (partman->unreadable) RefuseUnread(table, *partman);
  if (partman->retention.empty()) co_return;  // it lets nothing go: that is ours to do
  throw Failure(
      ExitCode::kRefused,
      fmt::format("{}: {}, so pgalter does not. Nothing was changed. To let pgalter do it instead: "
                  "UPDATE {}.part_config SET retention = NULL WHERE parent_table = {}",
                  table.name, partman->Text(), partman->schema, partman->parent));
}

}  // namespace pgalter::partition
