#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT current_setting('synchronous_standby_names') <> '',
       (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'),
       (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),
       (SELECT count(*) FROM pg_stat_replication WHERE sync_state IS NULL)
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  if (!row.Get<bool>(0, 0)) co_return answers;
  const auto commit = row.Get<std::string>(0, 1);
  const bool waits = commit == "on" || commit == "remote_write" || commit == "remote_apply";
  if (waits && row.Get<std::int64_t>(0, 2) == 0 && row.Get<std::int64_t>(0, 3) == 0) {
    answers.push_back(
        Blocker("synchronous_standby_names is set, and no such standby is connected",
                "every COMMIT waits for one: a change would hold its locks for as long",
                "bring the standby back, or take it out of synchronous_standby_names"));
  } else if (commit == "remote_apply") {
    answers.push_back(Note("synchronous_commit is remote_apply",
                           "a COMMIT waits until the standby has replayed it: a lock that a query "
                           "there holds up is held here, too",
                           "expect the hold of a lock to last as long as the standby's conflicts"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kSynchronousStandby{.id = "synchronous-standby",
                                          .fine = "commits wait for no standby that is missing",
                                          .run = &Run};

}  // namespace pgalter::check
