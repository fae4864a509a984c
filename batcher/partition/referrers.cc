#include "batcher/partition/referrers.h"

#include <fmt/format.h>

#include "engine/run/long_work.h"

namespace pgalter::partition {

namespace {

constexpr const char* kInstalled =
    "SELECT coalesce(has_table_privilege(to_regclass('pgalter.run'), 'SELECT'), false)";

// Where the triggers are still there, and the table that refers.
constexpr const char* kChecks = R"sql(
SELECT DISTINCT c ->> 'table', c ->> 'name', c ->> 'rows', c ->> 'refers'
FROM pgalter.run r
CROSS JOIN LATERAL jsonb_array_elements((r.spec -> 'inbound_checks')::jsonb) c
JOIN pg_trigger t ON t.tgrelid = $1 AND t.tgfoid = to_regprocedure(c ->> 'function')
WHERE r.command = 'partition convert' AND to_regclass(c ->> 'table') IS NOT NULL
ORDER BY 1, 2
)sql";

Task<pg::Result> ChecksOf(Session& session, pg::Oid whole) {
  co_return co_await session.db().Query(kChecks, whole);
}

Task<bool> IsInstalled(Session& session) {
  const pg::Result row = co_await session.db().Query(kInstalled);
  co_return row.Get<bool>(0, 0);
}

}  // namespace

Task<std::string> FindReferrers(Session& session, pg::Oid whole, std::string partition) {
  const bool installed = co_await IsInstalled(session);
  if (!installed) co_return "";
  const pg::Result checks = co_await ChecksOf(session, whole);
  const run::PatientSession patient(session);  // it may have to read both tables
  for (int i = 0; i < checks.rows(); ++i) {
    const auto table = checks.Get<std::string>(i, 0);
    const std::string sql =
        fmt::format("SELECT EXISTS (SELECT FROM {} AS x JOIN {} ON {})", partition,
                    checks.Get<std::string>(i, 2), checks.Get<std::string>(i, 3));
    const pg::Result refer = co_await session.db().Query(sql);
    if (refer.Get<bool>(0, 0))
      co_return fmt::format(
          "rows of {0} refer to its rows, and the triggers that stand for foreign key {1} do not "
          "fire when a partition goes: DELETE FROM {2} does with each row what the foreign key "
          "did; then again",
          table, checks.Get<std::string>(i, 1), partition);
  }
  co_return "";
}

Task<bool> TriggerReferrers::Possible(Session& session, pg::Oid parent) const {
  const pg::Result checks = co_await ChecksOf(session, parent);
  co_return !checks.empty();
}

Task<std::string> TriggerReferrers::Find(Session& session, pg::Oid parent,
                                         std::string partition) const {
  return FindReferrers(session, parent, std::move(partition));
}

}  // namespace pgalter::partition
