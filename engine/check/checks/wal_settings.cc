#include <fmt/format.h>

#include "engine/check/checks.h"
#include "engine/watch/unit.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT pg_size_bytes(current_setting('max_wal_size'))::bigint, current_setting('fsync') = 'off',
       current_setting('full_page_writes') = 'off', current_setting('wal_level') = 'minimal'
)sql";

constexpr std::int64_t kOrdinary = 1LL << 30;

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  const auto size = row.Get<std::int64_t>(0, 0);
  const std::int64_t rewritten = context.target.RewrittenBytes();
  if (size < kOrdinary || rewritten > size)
    answers.push_back(Note(
        fmt::format("max_wal_size is {}",
                    watch::Format(static_cast<double>(size), watch::Unit::kBytes)),
        "a change that writes more than that makes checkpoints come one after the other, and each "
        "makes the WAL larger (full pages)",
        "raise it for the time of the change (pg_reload_conf() is enough)"));
  if (row.Get<bool>(0, 1) || row.Get<bool>(0, 2))
    answers.push_back(
        Warning(fmt::format("{} is off", row.Get<bool>(0, 1) ? "fsync" : "full_page_writes"),
                "after a crash of the machine the database may be broken, whatever "
                "pgalter recorded",
                "only for servers whose data nobody needs"));
  if (row.Get<bool>(0, 3))
    answers.push_back(Note("wal_level is minimal", "no standby and no archive can follow",
                           "take a backup before a change that cannot be undone"));
  co_return answers;
}

}  // namespace

constinit const Check kWalSettings{
    .id = "wal-settings", .fine = "WAL is written as a change likes it", .run = &Run};

}  // namespace pgalter::check
