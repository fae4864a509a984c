#include "batcher/cutover/swap_checks.h"

#include <fmt/format.h>

#include <vector>

#include "batcher/capture/crash_mark.h"
#include "batcher/capture/dead_mans_switch.h"
#include "batcher/capture/parts.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::cutover {

using run::ExitCode;
using run::Failure;

namespace {

// SET SCHEMA takes a table's indexes and its own sequences along, not its partitions: these are
// moved by name. Row types bear their tables' names.
constexpr const char* kTaken = R"sql(
WITH tables AS (
  SELECT t.root, p.relid::oid AS oid
  FROM (SELECT $1::oid AS root UNION ALL SELECT unnest($2::int8[])::oid) t
  CROSS JOIN LATERAL (SELECT t.root AS relid UNION SELECT relid FROM pg_partition_tree(t.root)) p
), moved AS (
  SELECT root, oid FROM tables
  UNION SELECT t.root, x.indexrelid FROM tables t JOIN pg_index x ON x.indrelid = t.oid
  UNION SELECT t.root, d.objid FROM tables t
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
    AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
)
SELECT format('%I.%I', n.nspname, o.relname)
FROM pg_class o JOIN pg_namespace n ON n.oid = o.relnamespace
WHERE format('%I', n.nspname) = $3 AND o.oid NOT IN (SELECT oid FROM moved)
  AND o.relname IN (SELECT c.relname FROM moved m JOIN pg_class c USING (oid) WHERE m.root = $1)
ORDER BY 1 LIMIT 1
)sql";

}  // namespace

Task<> CheckCapture(Session& session, const capture::Flow& flow, const std::string& run) {
  co_await capture::RefuseEmptied(session, flow);
  co_await capture::RefuseGivenUp(session, flow);
  std::vector<std::int64_t> parts;
  for (const capture::Part& part : co_await capture::ReadParts(session, flow.from_oid))
    parts.push_back(part.oid);
  const pg::Result found = co_await session.db().Query(
      "SELECT (SELECT count(*) = 2 FROM pg_trigger WHERE tgrelid = $1 AND tgname IN ($2, $3)"
      "        AND tgenabled = 'A')"
      " AND NOT EXISTS (SELECT FROM unnest($4::int8[]) p WHERE NOT EXISTS (SELECT FROM pg_trigger"
      "   WHERE tgrelid = p AND tgname = $2 AND tgenabled = 'A'))",
      flow.from_oid, flow.trigger(), flow.truncate_trigger(), parts);
  if (found.Get<bool>(0, 0) || !async::SafeguardOn("capture-check")) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("the capture on {} was dropped or disabled meanwhile, so changes may be "
                  "missing; nothing was swapped. pgalter abort {} --yes, and begin again",
                  flow.from, run));
}

Task<> RefuseTakenNames(Session& session, const std::string& schema, pg::Oid coming,
                        std::vector<std::int64_t> leaving, const std::string& again) {
  const pg::Result taken = co_await session.db().Query(kTaken, coming, leaving, schema);
  if (taken.empty()) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("{} stands where a table is to go that is put in place: nothing was "
                            "swapped. Rename it, or move it to another schema, then: {}",
                            taken.Get<std::string>(0, 0), again));
}

}  // namespace pgalter::cutover
