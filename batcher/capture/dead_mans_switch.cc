#include "batcher/capture/dead_mans_switch.h"

#include <fmt/format.h>

#include "batcher/capture/flow_sql.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::capture {

namespace {

std::string Reason(const Flow& flow, GaveUp why) {
  if (why == GaveUp::kLarge)
    return fmt::format("its log has grown to more than {} bytes (--log-limit)", flow.log_limit);
  if (why == GaveUp::kRetyped) return "the type of its key was changed";
  return fmt::format("no runner was there for {} s", flow.unattended.count());
}

}  // namespace

std::optional<GaveUp> ReadGaveUp(const pg::Result& result, int column) {
  if (result.IsNull(0, column)) return std::nullopt;
  const auto why = result.Get<std::int64_t>(0, column);
  if (why == kRetyped) return GaveUp::kRetyped;
  return why == kLarge ? GaveUp::kLarge : GaveUp::kLate;
}

void ThrowGivenUp(const Flow& flow, GaveUp why) {
  if (flow.name.starts_with("reverse"))
    throw run::Failure(
        run::ExitCode::kRefused,
        fmt::format("what users change in {} is not logged for the old table any more, since {}: "
                    "there is no way back without a loss. Nothing was changed. The rows as they "
                    "were until then are in {}; when you need them no more: pgalter finish {} "
                    "--yes",
                    flow.from, Reason(flow, why), flow.to, flow.run));
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("what users change in {} is not logged any more, since {}: the copy misses it. "
                  "Nothing was swapped. pgalter abort {} --yes, and begin again",
                  flow.source_names(), Reason(flow, why), flow.run));
}

Task<> RefuseGivenUp(Session& session, const Flow& flow) {
  if (!async::SafeguardOn("given-up")) co_return;
  const pg::Result row =
      co_await session.db().Query(fmt::format("SELECT {}", GivenUpExpression(flow)));
  if (const auto why = ReadGaveUp(row, 0)) ThrowGivenUp(flow, *why);
}

Task<std::string> ReadDeadline(Session& session, const Flow& flow) {
  if (flow.unattended.count() == 0) co_return "";
  const pg::Result row = co_await session.db().Query(
      "SELECT to_char(to_timestamp(pg_sequence_last_value($1::regclass)) AT TIME ZONE 'UTC',"
      " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
      flow.deadline());
  co_return row.IsNull(0, 0) ? std::string() : row.Get<std::string>(0, 0);
}

}  // namespace pgalter::capture
