#include "batcher/capture/crash_mark.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::capture {

namespace {

struct Emptied {
  bool from = false;
  bool to = false;
};

Task<Emptied> ReadEmptied(Session& session, const Flow& flow) {
  Emptied emptied;
  if (!async::SafeguardOn("crash-mark")) co_return emptied;
  // Partitions are logged or not each by itself.
  const pg::Result unlogged = co_await session.db().Query(
      "WITH unlogged AS (SELECT m.root FROM ("
      "   SELECT root, root AS oid FROM unnest($1::int8[]::oid[] || $2::oid) AS g (root)"
      "   UNION SELECT root, relid FROM unnest($1::int8[]::oid[] || $2::oid) AS g (root),"
      "     pg_partition_tree(root)) m"
      "   CROSS JOIN LATERAL (SELECT relpersistence FROM pg_class WHERE oid = m.oid OFFSET 0) c"
      "   WHERE c.relpersistence = 'u')"
      " SELECT EXISTS (SELECT FROM unlogged WHERE root = ANY ($1::int8[]::oid[])), $2 IN (SELECT "
      "root FROM unlogged),"
      " to_regclass($3) IS NOT NULL",
      flow.source_oids(), flow.to_oid, flow.crash_mark());
  emptied.from = unlogged.Get<bool>(0, 0);
  emptied.to = unlogged.Get<bool>(0, 1);
  // Runs that were begun before there were marks have none.
  const bool any = (emptied.from || emptied.to) && unlogged.Get<bool>(0, 2);
  if (!any) co_return Emptied{};
  const pg::Result alive =
      co_await session.db().Query(fmt::format("SELECT FROM {}", flow.crash_mark()));
  co_return alive.empty() ? emptied : Emptied{};
}

}  // namespace

Task<> RefuseEmptied(Session& session, const Flow& flow) {
  const Emptied emptied = co_await ReadEmptied(session, flow);
  const bool back = flow.name.starts_with("reverse");
  if (back && emptied.to)
    throw run::Failure(
        run::ExitCode::kRefused,
        fmt::format("the server crashed since run {} was begun, and has emptied the old table, "
                    "which is UNLOGGED. There is nothing to go back to, and {} stays in place: "
                    "pgalter finish {}",
                    flow.run, flow.from, flow.run));
  if (back && emptied.from)
    throw run::Failure(
        run::ExitCode::kRefused,
        fmt::format("the server crashed since run {0} was begun, and has emptied {1}, as it does "
                    "with UNLOGGED tables. What was changed there since the cut-over is gone, so "
                    "there is no way back without a loss; the rows as they were at the cut-over "
                    "are in {2}. Take from there what you need (INSERT INTO {1} SELECT … ON "
                    "CONFLICT DO NOTHING), then: pgalter finish {0}",
                    flow.run, flow.from, flow.to));
  if (!back && (emptied.from || emptied.to))
    throw run::Failure(
        run::ExitCode::kRefused,
        fmt::format("the server crashed since run {} was begun, and has emptied {}, as it does "
                    "with UNLOGGED tables. Nothing was swapped, and {} is what the crash left. "
                    "pgalter abort {} --yes, and begin again",
                    flow.run, emptied.from ? flow.source_names() : "the copy, which is UNLOGGED",
                    flow.source_names(), flow.run));
}

}  // namespace pgalter::capture
