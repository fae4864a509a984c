#include "batcher/capture/flow_text.h"

#include "engine/async/fail_point.h"
#include "planner/sql/identifier.h"

namespace pgalter::capture::text {

std::string KeyNames(const Flow& flow) {
  return ForKey(flow, ", ", [](const KeyColumn&, std::size_t i) { return K(i); });
}

std::string From(const Flow& flow) {
  if (flow.also.empty()) return flow.from_partitioned ? flow.from : "ONLY " + flow.from;
  std::vector<std::string> each;
  for (const Source& source : flow.sources())
    each.push_back(
        fmt::format("SELECT ctid, {} FROM ONLY {}", fmt::join(flow.read, ", "), source.name));
  return fmt::format("({})", fmt::join(each, " UNION ALL "));
}

std::string To(const Flow& flow) { return flow.to_partitioned ? flow.to : "ONLY " + flow.to; }

std::string NotTaken(const Flow& flow, const std::string& before) {
  // A switch for tests: what is lost where "later than the last one" is all that is asked.
  if (!async::SafeguardOn("snapshot-pairs"))
    return fmt::format("SELECT * FROM {0} WHERE x >= pg_snapshot_xmax({1})", flow.log(), before);
  return fmt::format(
      "SELECT * FROM {0} WHERE x >= pg_snapshot_xmax({1}) OR x = ANY (ARRAY(SELECT "
      "pg_snapshot_xip({1})))",
      flow.log(), before);
}

std::string NotTaken(const Flow& flow) {
  return NotTaken(
      flow, fmt::format("(SELECT seen::pg_snapshot FROM pgalter.flow WHERE run = {} AND name = {})",
                        sql::QuoteLiteral(flow.run), sql::QuoteLiteral(flow.name)));
}

std::string Pending(const Flow& flow) {
  return fmt::format("SELECT {0} FROM {1} UNION ALL SELECT {0} FROM ({2}) AS l WHERE NOT truncated",
                     KeyNames(flow), flow.dirty(), NotTaken(flow));
}

}  // namespace pgalter::capture::text
