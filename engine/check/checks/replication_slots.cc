#include <fmt/format.h>

#include <algorithm>

#include "engine/check/checks.h"
#include "engine/watch/unit.h"
#include "planner/sql/identifier.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT s.slot_name::text, s.slot_type, s.active, coalesce(s.wal_status, ''),
       coalesce(here.lsn - s.restart_lsn, 0)::float8,
       current_setting('max_slot_wal_keep_size') = '-1', current_setting('max_slot_wal_keep_size')
FROM pg_replication_slots s,
     (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                  ELSE pg_current_wal_lsn() END AS lsn) here
WHERE NOT s.temporary
ORDER BY s.slot_name
)sql";

constexpr double kMuch = 1024.0 * 1024 * 1024;

Answer JudgeActive(const pg::Result& rows, int row, std::string what, double bytes) {
  if (rows.Get<bool>(row, 5))
    return Note(std::move(what),
                "max_slot_wal_keep_size is -1: when its consumer stops, WAL fills the disk, and a "
                "change writes much of it",
                "set max_slot_wal_keep_size, or watch the disk");
  if (bytes > kMuch)
    return Warning(std::move(what),
                   fmt::format("past {} the slot is lost, and its consumer has to be built anew",
                               rows.Get<std::string>(row, 6)),
                   "let it catch up before the change");
  return Ok(std::move(what));
}

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result rows = co_await context.db.Query(kSql);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto name = rows.Get<std::string>(row, 0);
    const auto bytes = rows.Get<double>(row, 4);
    std::string what = fmt::format("{} slot {}{} keeps {}", rows.Get<std::string>(row, 1), name,
                                   rows.Get<bool>(row, 2) ? "" : ", which nobody reads,",
                                   watch::Format(std::max(bytes, 0.0), watch::Unit::kBytes));
    if (rows.Get<std::string>(row, 3) == "lost") {
      answers.push_back(Note(fmt::format("slot {} is lost", name),
                             "its consumer does not follow any more",
                             fmt::format("build it anew; SELECT pg_drop_replication_slot({})",
                                         sql::QuoteLiteral(name))));
    } else if (!rows.Get<bool>(row, 2)) {
      answers.push_back(Warning(std::move(what),
                                "all WAL of a change stays on disk until somebody reads it",
                                "start its consumer, or drop the slot if it has none any more"));
    } else {
      answers.push_back(JudgeActive(rows, row, std::move(what), bytes));
    }
  }
  co_return answers;
}

}  // namespace

constinit const Check kReplicationSlots{
    .id = "replication-slots", .fine = "no replication slot keeps WAL", .run = &Run};

}  // namespace pgalter::check
