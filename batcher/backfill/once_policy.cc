#include "batcher/backfill/once_policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/async/fail_point.h"

namespace pgalter::backfill {

namespace {

constexpr std::uint64_t kLowBits = kXids - 1;
// Of one transaction with its subtransactions, and of those beside it.
constexpr std::uint64_t kRoom = std::uint64_t{1} << 24;

}  // namespace

Xid Oldest(const Beginning& beginning) {
  Xid oldest = beginning.xid;
  for (const Xid xid : beginning.open) oldest = std::min(oldest, xid);
  return oldest;
}

Xid LastMoment(const Beginning& beginning) { return Oldest(beginning) + beginning.span - kRoom; }

bool KnowsEveryXid(Xid next) {
  return next + 2 * kLeastSpan < kXids && async::SafeguardOn("once-xids-known");
}

Xid WithEpoch(std::uint32_t xid, Xid later) { return later - ((later - xid) & kLowBits); }

std::string Undone(const Beginning& beginning, const std::string& xmin) {
  const Xid oldest = Oldest(beginning);
  const std::string distance = fmt::format("(({}::pg_catalog.text::pg_catalog.int8 - {}) & {})",
                                           xmin, oldest & kLowBits, kLowBits);
  const std::string old = fmt::format("{} >= {}", distance, beginning.span);
  if (oldest == beginning.xid) return "(" + old + ")";
  std::vector<std::string> open;
  for (const Xid xid : beginning.open) open.push_back(fmt::format("'{}'", xid & kLowBits));
  return fmt::format("({} OR {} < {} AND {}::pg_catalog.text <> ALL (ARRAY[{}]))", old, distance,
                     beginning.xid - oldest, xmin, fmt::join(open, ", "));
}

std::string UndoneAndMeant(const Beginning& beginning, const std::string& where) {
  const std::string undone = async::SafeguardOn("once-undone") ? Undone(beginning, "xmin") : "true";
  if (where.empty()) return undone;
  // In this order: of a row that is done the condition may not even be askable any more.
  return fmt::format("CASE WHEN {} THEN ({}) ELSE false END", undone, where);
}

}  // namespace pgalter::backfill
