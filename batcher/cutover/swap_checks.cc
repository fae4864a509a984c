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

}  // namespace pgalter::cutover
