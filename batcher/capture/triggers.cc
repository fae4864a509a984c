#include "batcher/capture/triggers.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "batcher/capture/parts.h"
#include "engine/async/fail_point.h"

namespace pgalter::capture {

Task<bool> AreTriggersWhole(Session& session, const Flow& flow) {
  std::vector<std::int64_t> parts;
  for (const Part& part : co_await ReadParts(session, flow.from_oid)) parts.push_back(part.oid);
  // As they were made: one that somebody has switched off and on again is of another transaction
  // than what it depends on.
  const std::string whole = fmt::format(
      "tgenabled = 'A'{}",
      async::SafeguardOn("capture-untouched")
          ? " AND t.xmin = (SELECT d.xmin FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass"
            " AND d.objid = t.oid AND d.refclassid = 'pg_proc'::regclass LIMIT 1)"
          : "");
  const pg::Result found = co_await session.db().Query(
      fmt::format("SELECT (SELECT count(*) = 2 FROM pg_trigger t WHERE tgrelid = $1"
                  "        AND tgname IN ($2, $3) AND {0})"
                  " AND NOT EXISTS (SELECT FROM unnest($4::int8[]) p WHERE NOT EXISTS (SELECT"
                  "   FROM pg_trigger t WHERE tgrelid = p AND tgname = $2 AND {0}))",
                  whole),
      flow.from_oid, flow.trigger(), flow.truncate_trigger(), parts);
  co_return found.Get<bool>(0, 0);
}

}  // namespace pgalter::capture
