#include "batcher/cutover/swap_checks.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "batcher/capture/crash_mark.h"
#include "batcher/capture/dead_mans_switch.h"
#include "batcher/capture/triggers.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::cutover {

using run::ExitCode;
using run::Failure;

namespace {

// SET SCHEMA takes a table's indexes and its own sequences along, not its partitions: these are
// moved by name, and those that were moved ahead met nothing. Row types bear their tables' names,
// and those of their arrays go with them, too: where two meet, neither gives way, as it would to a
// table that is made. What belongs to a table that leaves or comes is in nobody's way.
constexpr const char* kTaken = R"sql(
WITH RECURSIVE tree (root, oid) AS (
  SELECT t, t FROM (SELECT $1::oid UNION ALL SELECT unnest($2::int8[])::oid) r (t)
  UNION ALL
  SELECT t.root, i.inhrelid FROM tree t
  JOIN pg_inherits i ON i.inhparent = t.oid AND NOT i.inhdetachpending
), tables (oid) AS (
  SELECT t.oid FROM tree t JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE t.root = $1 AND format('%I', n.nspname) <> $3
), moved (oid) AS (
  SELECT oid FROM tables
  UNION ALL SELECT x.indexrelid FROM tables t JOIN pg_index x ON x.indrelid = t.oid
  UNION ALL SELECT d.objid FROM tables t
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
    AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
), typed (typname) AS (
  SELECT y.typname FROM moved m JOIN pg_class c USING (oid)
  JOIN pg_type r ON r.oid = c.reltype JOIN pg_type y ON y.oid IN (r.oid, r.typarray)
), met (kind, name, relid) AS (
  SELECT 1, format('%I.%I', n.nspname, o.relname), o.oid
  FROM moved m JOIN pg_class c USING (oid) JOIN pg_namespace n ON format('%I', n.nspname) = $3
  JOIN pg_class o ON o.relname = c.relname AND o.relnamespace = n.oid
  UNION ALL
  SELECT 2 + (e.oid IS NOT NULL)::int, format('type %I.%I%s', n.nspname, o.typname,
                   ', of arrays of ' || format_type(e.oid, NULL) || ','),
         coalesce(nullif(o.typrelid, 0), e.typrelid, 0)
  FROM typed y JOIN pg_namespace n ON format('%I', n.nspname) = $3
  JOIN pg_type o ON o.typname = y.typname AND o.typnamespace = n.oid
  LEFT JOIN pg_type e ON e.oid = o.typelem AND e.typarray = o.oid
)
SELECT m.kind, m.name
FROM met m LEFT JOIN pg_index x ON x.indexrelid = m.relid
LEFT JOIN LATERAL (
  SELECT d.refobjid FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.objid = m.relid AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0) s ON true
WHERE NOT EXISTS (SELECT FROM tree t WHERE t.oid IN (m.relid, x.indrelid, s.refobjid))
ORDER BY 1, 2 LIMIT 1
)sql";

}  // namespace

Task<> CheckCapture(Session& session, const capture::Flow& flow, const std::string& run) {
  bool whole = false;
  auto look = [&]() -> Task<> { whole = co_await capture::AreTriggersWhole(session, flow); };
  std::vector<std::function<Task<>()>> asks;
  asks.push_back([&]() { return capture::RefuseEmptied(session, flow); });
  asks.push_back([&]() { return capture::RefuseGivenUp(session, flow); });
  asks.emplace_back(look);
  co_await session.db().Together(std::move(asks));
  if (whole || !async::SafeguardOn("capture-check")) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("the capture on {} was dropped or disabled meanwhile, so changes may be "
                  "missing; nothing was swapped. pgalter abort {} --yes, and begin again",
                  flow.source_names(), run));
}

Task<> RefuseFoundDifferent(Session& session, const capture::Flow& flow, const std::string& run) {
  const bool differs = co_await capture::IsFoundDifferent(session, run, flow.name);
  if (!differs) co_return;
  throw Failure(
      ExitCode::kMismatch,
      fmt::format(
          "pgalter verify has found rows of {} that are not the same in {}, and has not "
          "found them the same since: nothing was swapped. Compare them again with: pgalter "
          "verify {}; where they are the same then: pgalter resume {}; else: pgalter abort "
          "{} --yes, and please report it",
          flow.from, flow.to, run, run, run));
}

Task<> RefuseTakenNames(Session& session, const std::string& schema, pg::Oid coming,
                        std::vector<std::int64_t> leaving, const std::string& again) {
  const pg::Result taken = co_await session.db().Query(kTaken, coming, leaving, schema);
  if (taken.empty()) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("{} stands where a table is to go that is put in place: nothing was "
                            "swapped. Rename it, or move it to another schema, then: {}",
                            taken.Get<std::string>(0, 1), again));
}

}  // namespace pgalter::cutover
