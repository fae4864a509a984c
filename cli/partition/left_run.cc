#include "cli/partition/left_run.h"

#include <fmt/format.h>

#include "cli/foreground.h"
#include "cli/report.h"
#include "cli/wishes.h"
#include "engine/state/runs.h"
#include "engine/state/schema.h"

namespace pgalter::cli {

namespace {

constexpr int kSinceRunTable = 3;  // versions of our schema

}  // namespace

Task<std::string> FindLeftRun(guard::Session& session, pg::Oid table,
                              std::vector<std::string> commands, std::string marked) {
  const int version = co_await state::InstalledVersion(session);
  if (version < kSinceRunTable) co_return "";
  const pg::Result row = co_await session.db().Query(
      "SELECT r.run::text FROM pgalter.run r JOIN pgalter.run_table t USING (run)"
      " JOIN pgalter.control c USING (run)"
      " WHERE t.relid = $1 AND (r.command = ANY ($2) OR r.spec ? $3) AND c.wanted = 'run'"
      " AND (r.state IN ('running', 'paused') OR r.state = 'failed' AND (EXISTS"
      "  (SELECT FROM pgalter.artefact a WHERE a.run = r.run AND a.dropped_at IS NULL) OR EXISTS"
      "  (SELECT FROM pgalter.step s WHERE s.run = r.run AND s.state = 'done')))"
      " ORDER BY r.created_at LIMIT 1",
      table, commands, marked);
  co_return row.empty() ? std::string() : row.Get<std::string>(0, 0);
}

Task<ExitCode> GoOnWithLeftRun(const Context& context, guard::Session& session, std::string run) {
  const auto found = co_await state::FindRun(session, run);
  const bool retains = found && found->command == "partition retain";
  Say(context, fmt::format("goes on with run {}, which an earlier `partition {}` has left", run,
                           retains ? "retain" : "maintain"));
  if (found) co_await RefuseGoingOn(session, *found, BesideRunner::kRefused);
  co_return co_await RunInForeground(context, run);
}

}  // namespace pgalter::cli
