#include "batcher/partition/hashes.h"

#include <fmt/format.h>

#include <numeric>
#include <regex>

#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// The first of those that nobody has. A modulus is a factor of each greater one.
constexpr const char* kMissingRemainders = R"sql(
WITH parts AS (
  SELECT b[1]::int8 AS modulus, b[2]::int8 AS remainder
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL (
    SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), 'modulus (\d+), remainder (\d+)')) m (b)
  WHERE i.inhparent = $1),
missing AS (
  SELECT g.most, r, row_number() OVER (ORDER BY r) AS place
  FROM (SELECT max(modulus) AS most FROM parts) g CROSS JOIN generate_series(0, g.most - 1) r
  WHERE g.most <= 10000 AND NOT EXISTS (SELECT FROM parts WHERE r % modulus = remainder))
SELECT max(most)::text,
       string_agg(CASE WHEN place <= 5 THEN r::text ELSE '...' END, ', ' ORDER BY r)
FROM missing WHERE place <= 6
)sql";

struct Hash {
  int modulus = 0;
  int remainder = 0;
};

Hash HashOf(const std::string& bound) {
  static const std::regex kBound("modulus ([0-9]+), remainder ([0-9]+)", std::regex::icase);
  std::smatch found;
  if (!std::regex_search(bound, found, kBound)) return {};
  return {std::stoi(found[1].str()), std::stoi(found[2].str())};
}

void RefuseImpossible(const Hash& hash) {
  if (hash.modulus > 0 && hash.remainder >= 0 && hash.remainder < hash.modulus) return;
  throw Failure(
      ExitCode::kUsage,
      fmt::format("there is no remainder {} of modulus {}: from 0 to the modulus less one",
                  hash.remainder, hash.modulus));
}

// Each modulus has to be a factor of the next greater one; two hold the same hash where their
// remainders are alike by what both moduli have in common.
void RefuseBeside(const Hash& hash, const Member& other) {
  const Hash has = HashOf(other.bound);
  if (has.modulus == 0) return;
  if (hash.modulus % has.modulus != 0 && has.modulus % hash.modulus != 0)
    throw Failure(ExitCode::kUsage,
                  fmt::format("--modulus {} does not go with partition {}, {}: one has to be a "
                              "multiple of the other",
                              hash.modulus, other.name, other.bound));
  const int common = std::gcd(hash.modulus, has.modulus);
  if (hash.remainder % common != has.remainder % common) return;
  throw Failure(ExitCode::kRefused,
                fmt::format("partition {} is {} already, which has some of modulus {}, remainder "
                            "{}. Nothing was changed",
                            other.name, other.bound, hash.modulus, hash.remainder));
}

// The server's own condition, with another partition's key: that may have expressions and operator
// classes.
Task<std::string> Inside(Session& session, const std::vector<Member>& members, const Hash& hash) {
  if (members.empty()) co_return "";
  const pg::Result row = co_await session.db().Query(
      "SELECT coalesce(pg_get_partition_constraintdef($1), '')", members.front().oid);
  static const std::regex kHash("^(.*satisfies_hash_partition\\([^,]*), [0-9]+, [0-9]+,");
  co_return std::regex_replace(row.Get<std::string>(0, 0), kHash,
                               fmt::format("$1, {}, {},", hash.modulus, hash.remainder));
}

}  // namespace

Task<std::string> MissingRemainders(Session& session, const Whole& whole) {
  if (whole.strategy != Strategy::kHash) co_return "";
  const pg::Result row = co_await session.db().Query(kMissingRemainders, whole.table.oid);
  if (row.empty() || row.IsNull(0, 0)) co_return "";
  co_return fmt::format(
      "of modulus {} there is no partition for remainder {}: rows that have it are refused",
      row.Get<std::string>(0, 0), row.Get<std::string>(0, 1));
}

Task<Bound> SettleHash(Session& session, const Whole& whole, const std::vector<Member>& members,
                       BoundWish wish) {
  if (!wish.modulus || !wish.remainder || !wish.from.empty() || !wish.to.empty() ||
      !wish.values.empty()) {
    const std::string missing = co_await MissingRemainders(session, whole);
    throw Failure(
        ExitCode::kUsage,
        fmt::format("{} is parted by hash: --modulus N --remainder R; {}", whole.table.name,
                    missing.empty() ? "its partitions hold everything there is" : missing));
  }
  const Hash hash{*wish.modulus, *wish.remainder};
  RefuseImpossible(hash);
  for (const Member& member : members) RefuseBeside(hash, member);
  Bound bound;
  bound.text =
      fmt::format("FOR VALUES WITH (MODULUS {}, REMAINDER {})", hash.modulus, hash.remainder);
  bound.end = fmt::format("_h{}", hash.remainder);
  bound.inside = co_await Inside(session, members, hash);
  co_return bound;
}

}  // namespace pgalter::partition
