#include "batcher/partition/bound_wish.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/partition/hashes.h"
#include "batcher/partition/key_value.h"
#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

Task<> RefuseEmpty(Session& session, const Whole& whole, const std::string& from,
                   const std::string& to) {
  const bool wrong_way = from == "MAXVALUE" || to == "MINVALUE";
  bool empty = wrong_way;
  if (!wrong_way && !IsEndless(from) && !IsEndless(to)) {
    const pg::Result row =
        co_await session.db().Query(fmt::format("SELECT {} {} {}", TypedKey(whole, from),
                                                whole.Op(Relation::kAtLeast), TypedKey(whole, to)));
    empty = row.Get<bool>(0, 0);
  }
  if (empty) RefuseUsage(fmt::format("a range from {} to {} holds nothing", from, to));
}

[[noreturn]] void RefuseOverlap(const Member& member, const std::string& text) {
  throw Failure(ExitCode::kRefused,
                fmt::format("partition {} is {} already, which has some of {}. Nothing was changed",
                            member.name, member.bound, text));
}

// In one question: of a thousand pieces, each is compared with all the others.
Task<> RefuseRangeOverlap(Session& session, const Whole& whole, const std::vector<Member>& members,
                          const std::string& from, const std::string& to, const Bound& bound) {
  std::vector<const Member*> ranges;
  std::vector<std::string> lower;
  std::vector<std::string> upper;
  std::vector<std::string> endless;  // "from", "to", both, none
  for (const Member& member : members) {
    if (!member.is_range) continue;
    ranges.push_back(&member);
    lower.push_back(member.from.value_or(""));
    upper.push_back(member.to.value_or(""));
    endless.push_back(fmt::format("{}{}", member.from ? "" : "from", member.to ? "" : "to"));
  }
  if (ranges.empty()) co_return;
  std::string apart = "false";
  const auto add = [&](const char* end, const char* text, Relation relation,
                       const std::string& literal) {
    if (!IsEndless(literal))
      apart += fmt::format(" OR (CASE WHEN e NOT LIKE '%{}%' THEN {} {} {} ELSE false END)", end,
                           whole.AsKey(text), whole.Op(relation), TypedKey(whole, literal));
  };
  add("to", "u", Relation::kAtMost, from);
  add("from", "l", Relation::kAtLeast, to);
  const pg::Result row = co_await session.db().Query(
      fmt::format("SELECT n FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY "
                  "x (l, u, e, n) WHERE NOT ({}) ORDER BY n LIMIT 1",
                  apart),
      lower, upper, endless);
  if (row.empty()) co_return;
  const auto number = static_cast<std::size_t>(row.Get<std::int64_t>(0, 0));
  RefuseOverlap(*ranges[number - 1], bound.text);
}

Task<> RefuseListOverlap(Session& session, const Whole& whole, const std::vector<Member>& members,
                         const std::vector<std::string>& literals, const Bound& bound) {
  for (const Member& member : members) {
    if (member.is_default) continue;
    const pg::Result definition = co_await session.db().Query(
        "SELECT coalesce(pg_get_partition_constraintdef($1), 'false')", member.oid);
    for (const std::string& literal : literals) {
      const pg::Result row = co_await session.db().Query(
          fmt::format("SELECT {} FROM (SELECT {} AS {}) v", definition.Get<std::string>(0, 0),
                      TypedKey(whole, literal), whole.column));
      if (row.Get<std::optional<bool>>(0, 0).value_or(false)) RefuseOverlap(member, bound.text);
    }
  }
}

Task<Bound> SettleRange(Session& session, const Whole& whole, const std::vector<Member>& members,
                        const BoundWish& wish) {
  if (!wish.from || !wish.to || !wish.values.empty())
    RefuseUsage(fmt::format("{} is parted by ranges: --from VALUE --to VALUE", whole.table.name));
  const std::string first = co_await KeyOf(session, whole, *wish.from, wish.time_zone);
  const std::string last = co_await KeyOf(session, whole, *wish.to, wish.time_zone);
  const std::string from = KeyLiteral(whole, first);
  const std::string to = KeyLiteral(whole, last);
  co_await RefuseEmpty(session, whole, from, to);
  Bound bound;
  bound.text = fmt::format("FOR VALUES FROM ({}) TO ({})", from, to);
  bound.end = IsEndless(first) ? NameEndUntil(whole, last) : NameEnd(whole, first);
  bound.inside = InsideOf(whole, from, to);
  co_await RefuseRangeOverlap(session, whole, members, from, to, bound);
  co_return bound;
}

Task<Bound> SettleList(Session& session, const Whole& whole, const std::vector<Member>& members,
                       const BoundWish& wish) {
  if (wish.values.empty() || wish.from || wish.to)
    RefuseUsage(fmt::format("{} is parted by lists: --values VALUE[,VALUE...]", whole.table.name));
  std::vector<std::string> literals;
  for (const std::string& text : wish.values) {
    const std::string value = co_await KeyOf(session, whole, text, wish.time_zone);
    literals.push_back(KeyLiteral(whole, value));
  }
  Bound bound;
  bound.text = fmt::format("FOR VALUES IN ({})", fmt::join(literals, ", "));
  bound.end = NameEnd(whole, wish.values.front());
  bound.inside = AmongOf(whole, literals);
  co_await RefuseListOverlap(session, whole, members, literals, bound);
  co_return bound;
}

}  // namespace

Task<Bound> SettleBound(Session& session, const Whole& whole, const std::vector<Member>& members,
                        BoundWish wish) {
  if (wish.is_default) {
    if (wish.from || wish.to || !wish.values.empty())
      RefuseUsage("a default partition has no bounds: --default yes alone");
    if (whole.strategy == Strategy::kHash)
      RefuseUsage(
          fmt::format("{} is parted by hash, which leaves no row over: it has no default "
                      "partition",
                      whole.table.name));
    if (!whole.rest.empty())
      throw Failure(ExitCode::kRefused,
                    fmt::format("{} has a default partition, {}", whole.table.name, whole.rest));
    Bound bound;
    bound.text = "DEFAULT";
    bound.end = "_default";
    co_return bound;
  }
  if (whole.strategy == Strategy::kHash)
    co_return co_await SettleHash(session, whole, members, std::move(wish));
  if (wish.modulus || wish.remainder)
    RefuseUsage(fmt::format("{} is not parted by hash: --modulus and --remainder are for such",
                            whole.table.name));
  if (whole.column.empty())
    RefuseUsage(fmt::format("{} is not parted by one column: only such bounds are settled here",
                            whole.table.name));
  if (whole.strategy == Strategy::kRange)
    co_return co_await SettleRange(session, whole, members, wish);
  co_return co_await SettleList(session, whole, members, wish);
}

Task<std::int64_t> CountInDefault(Session& session, const Whole& whole, std::string inside) {
  if (whole.rest.empty() || inside.empty()) co_return 0;
  const pg::Result row = co_await session.db().Query(
      fmt::format("SELECT count(*) FROM {} WHERE {}", whole.rest, inside));
  co_return row.Get<std::int64_t>(0, 0);
}

Task<> RefuseRowsInDefault(Session& session, const Whole& whole, std::string inside) {
  const std::int64_t rows = co_await CountInDefault(session, whole, inside);
  if (rows == 0) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("{} rows of {} belong into the partitions that are to be made, and "
                  "would be in their way: {}. Nothing was changed. They get partitions "
                  "of their own with: pgalter partition split {} --every WIDTH, or --from "
                  "VALUE --to VALUE",
                  rows, whole.rest, inside, whole.rest));
}

}  // namespace pgalter::partition
