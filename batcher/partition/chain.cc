#include "batcher/partition/chain.h"

#include <fmt/format.h>

#include "batcher/partition/moment.h"

namespace pgalter::partition {

namespace {

// The seconds since 1970 that the text `x` of the column's type stands for; $2 the zone.
const char* Seconds(KeyType type) {
  switch (type) {
    case KeyType::kDate:
    case KeyType::kTimestamp:
      return "extract(epoch FROM x::timestamp AT TIME ZONE $2::text)::float8";
    case KeyType::kTimestamptz:
      return "extract(epoch FROM x::timestamptz)::float8";
    case KeyType::kUuid:
      return "('x' || left(replace(x::uuid::text, '-', ''), 12))::bit(48)::int8 / 1000.0::float8";
    case KeyType::kEpochMilliseconds:
      return "x::numeric::float8 / 1000";
    case KeyType::kEpochSeconds:
    case KeyType::kInteger:
    case KeyType::kNumeric:
      break;
  }
  return "x::numeric::float8";
}

}  // namespace

Chain ChainFrom(const std::vector<Member>& members, std::size_t first) {
  Chain chain;
  chain.last = first;
  for (std::size_t i = first + 1; i < members.size() && members[i].is_range; ++i) {
    const Member& before = members[*chain.last];
    if (!before.to || before.to != members[i].from) {
      chain.next = i;
      return chain;
    }
    chain.last = i;
  }
  return chain;
}

Chain LastChain(const std::vector<Member>& members) {
  Chain chain;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (members[i].is_range) chain.last = i;
  return chain;
}

Task<Chain> ChainOfClock(Session& session, const std::vector<Member>& members, KeyColumn column,
                         std::string time_zone) {
  std::vector<std::string> begins;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!members[i].is_range) continue;
    begins.push_back(members[i].from.value_or(""));
    places.push_back(i);
  }
  Chain chain;
  if (places.empty()) co_return chain;
  const pg::Result row = co_await session.db().Query(
      fmt::format("SELECT count(*) FROM (SELECT nullif(b, '') AS x"
                  " FROM unnest($1::text[]) b OFFSET 0) e WHERE $2::text IS NOT NULL AND"
                  " coalesce({} <= extract(epoch FROM clock_timestamp())::float8, true)",
                  Seconds(column.type)),
      begins, time_zone);
  const auto begun = static_cast<std::size_t>(row.Get<std::int64_t>(0, 0));
  if (begun > 0) co_return ChainFrom(members, places[begun - 1]);
  chain.next = places.front();
  co_return chain;
}

}  // namespace pgalter::partition
