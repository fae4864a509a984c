#include "batcher/capture/triggers.h"

#include <cstdint>
#include <vector>

#include "batcher/capture/parts.h"

namespace pgalter::capture {

Task<bool> AreTriggersWhole(Session& session, const Flow& flow) {
  std::vector<std::int64_t> parts;
  for (const Part& part : co_await ReadParts(session, flow.from_oid)) parts.push_back(part.oid);
  const pg::Result found = co_await session.db().Query(
      "SELECT (SELECT count(*) = 2 FROM pg_trigger WHERE tgrelid = $1 AND tgname IN ($2, $3)"
      "        AND tgenabled = 'A')"
      " AND NOT EXISTS (SELECT FROM unnest($4::int8[]) p WHERE NOT EXISTS (SELECT FROM pg_trigger"
      "   WHERE tgrelid = p AND tgname = $2 AND tgenabled = 'A'))",
      flow.from_oid, flow.trigger(), flow.truncate_trigger(), parts);
  co_return found.Get<bool>(0, 0);
}

}  // namespace pgalter::capture
