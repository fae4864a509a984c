#include <fmt/format.h>

#include <optional>

#include "engine/check/checks.h"
#include "engine/watch/unit.h"

namespace pgalter::check {

namespace {

// SQL sees what is used, not what is left.
constexpr const char* kSql = R"sql(
SELECT CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) END::float8,
       has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE')
FROM pg_database d WHERE d.datname = current_database()
)sql";

constexpr const char* kWal = "SELECT coalesce(sum(size), 0)::float8 FROM pg_ls_waldir()";

// Below this the copy is found on any disk.
constexpr double kSmall = 64.0 * 1024 * 1024;

std::string Bytes(double value) { return watch::Format(value, watch::Unit::kBytes); }

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  std::string used =
      fmt::format("the database has {}", Bytes(row.Get<std::optional<double>>(0, 0).value_or(0)));
  if (row.Get<bool>(0, 1)) {
    const pg::Result wal = co_await context.db.Query(kWal);
    used += fmt::format(", WAL {}", Bytes(wal.Get<double>(0, 0)));
  }
  double named = 0;
  for (const TargetTable& table : context.target.tables) named += static_cast<double>(table.bytes);
  if (named > 0) used += fmt::format(", the tables named {}", Bytes(named));
  const auto rewritten = static_cast<double>(context.target.RewrittenBytes());
  if (rewritten > kSmall) {
    answers.push_back(Warning(
        used,
        fmt::format("the change writes {} anew: about as much again in the tables and in WAL, on "
                    "every standby, too; how much is free is not to be seen through SQL",
                    Bytes(rewritten)),
        fmt::format("see that {} and more are free on each server", Bytes(2 * rewritten))));
  } else {
    answers.push_back(Note(used, "how much is free is not to be seen through SQL",
                           "look at the disk; --throttle extra-bytes=50GB stops a run in time"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kDiskSpace{.id = "disk-space", .fine = "see the sizes", .run = &Run};

}  // namespace pgalter::check
