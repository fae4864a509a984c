#include "batcher/partition/bound_wish.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "batcher/partition/hashes.h"
#include "batcher/partition/key_value.h"
#include "batcher/partition/several.h"
#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

Task<> RefuseEmpty(Session& session, const Whole& whole, const BoundWish& wish,
                   const std::string& from, const std::string& to) {
  const bool wrong_way = from == "MAXVALUE" || to == "MINVALUE";
  bool empty = wrong_way;
  if (!wrong_way && !IsEndless(from) && !IsEndless(to)) {
    const pg::Result row =
        co_await session.db().Query(fmt::format("SELECT {} {} {}", TypedKey(whole, from),
                                                whole.Op(Relation::kAtLeast), TypedKey(whole, to)));
    empty = row.Get<bool>(0, 0);
  }
  if (empty)
    RefuseUsage(
        fmt::format("{}: a range from {} to {} holds nothing, since it has to end behind "
                    "its beginning",
                    ToldOf(wish, whole.table.name), from, to));
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

// The server's own condition would ask for the bounds of what the whole is a part of, too.
Task<> RefuseListOverlap(Session& session, const Whole& whole, const std::vector<Member>& members,
                         const std::vector<std::string>& literals, const Bound& bound) {
  for (const Member& member : members) {
    if (member.values.empty()) continue;
    std::vector<std::string> has;
    for (const Given& value : member.values) has.push_back(LiteralOf(value));
    const pg::Result row = co_await session.db().Query(
        fmt::format("SELECT EXISTS (SELECT FROM ({}) h (v), ({}) w (v) WHERE h.v {} "
                    "w.v OR (h.v IS NULL AND w.v IS NULL))",
                    KeyRows(whole, has), KeyRows(whole, literals), whole.Op(Relation::kEqual)));
    if (row.Get<bool>(0, 0)) RefuseOverlap(member, bound.text);
  }
}

void RefuseSeveral(const Whole& whole, const char* option, const Givens& values) {
  if (values.size() > 1)
    RefuseUsage(
        fmt::format("{} {} has {} values, and {} is parted by one column, {}: a value with a "
                    "comma is in quotes, as 'a, b'",
                    option, ToText(values), values.size(), whole.table.name, whole.column));
}

Task<Bound> SettleRange(Session& session, const Whole& whole, const std::vector<Member>& members,
                        const BoundWish& wish) {
  if (wish.from.empty() || wish.to.empty() || !wish.values.empty())
    RefuseUsage(fmt::format("{} is parted by ranges: --from VALUE --to VALUE", whole.table.name));
  RefuseSeveral(whole, "--from", wish.from);
  RefuseSeveral(whole, "--to", wish.to);
  const Key from = co_await KeyOf(session, whole, wish.from.front(), wish.time_zone);
  const Key to = co_await KeyOf(session, whole, wish.to.front(), wish.time_zone);
  co_await RefuseEmpty(session, whole, wish, from.literal, to.literal);
  Bound bound;
  bound.text = fmt::format("FOR VALUES FROM ({}) TO ({})", from.literal, to.literal);
  bound.end = NameEndOfRange(whole, from, to);
  bound.inside = InsideOf(whole, from.literal, to.literal);
  bound.outside = fmt::format("(NOT ({}))", bound.inside);
  co_await RefuseRangeOverlap(session, whole, members, from.literal, to.literal, bound);
  co_return bound;
}

Task<Bound> SettleList(Session& session, const Whole& whole, const std::vector<Member>& members,
                       const BoundWish& wish) {
  if (wish.values.empty() || !wish.from.empty() || !wish.to.empty())
    RefuseUsage(fmt::format("{} is parted by lists: --values VALUE[,VALUE...]", whole.table.name));
  std::vector<std::string> literals;
  Bound bound;
  for (const Given& given : wish.values) {
    Key key = co_await KeyOf(session, whole, given, wish.time_zone);
    if (std::ranges::count(literals, key.literal) > 0)
      RefuseUsage(fmt::format("--values has {} twice", key.literal));
    if (literals.empty()) bound.end = NameEnd(whole, key);
    literals.push_back(std::move(key.literal));
  }
  bound.text = fmt::format("FOR VALUES IN ({})", fmt::join(literals, ", "));
  bound.inside = AmongOf(whole, literals);
  bound.outside = NotAmongOf(whole, literals);
  co_await RefuseListOverlap(session, whole, members, literals, bound);
  co_return bound;
}

}  // namespace

std::string ToldOf(const BoundWish& wish, const std::string& of) {
  if (!wish.told.empty()) return wish.told;
  return fmt::format("--from {} --to {} of {}", ToText(wish.from), ToText(wish.to), of);
}

Task<Bound> SettleBound(Session& session, const Whole& whole, const std::vector<Member>& members,
                        BoundWish wish) {
  if (wish.is_default) {
    if (!wish.from.empty() || !wish.to.empty() || !wish.values.empty())
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
    co_return co_await SettleByTrial(session, whole, members, std::move(wish));
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

namespace {

// Types of which `split --every` counts ranges.
bool HasWidths(const std::string& type) {
  return type == "date" || type.starts_with("timestamp") || type == "smallint" ||
         type == "integer" || type == "bigint" || type.starts_with("numeric") || type == "uuid";
}

// With which rows of the default partition get partitions of their own.
std::string HowToSplit(const Whole& whole) {
  const std::string split = "pgalter partition split " + whole.rest;
  if (whole.strategy == Strategy::kList && whole.column.empty())
    return fmt::format("pgalter rebuild {} --definition FILE", whole.table.name);
  if (whole.strategy == Strategy::kList) return split + " --values NAME=VALUE[,VALUE...]";
  if (whole.column.empty()) return split + " --from VALUE,... --to VALUE,...";
  if (!HasWidths(whole.type)) return split + " --from VALUE --to VALUE";
  return split + " --every WIDTH, or --from VALUE --to VALUE";
}

}  // namespace

Task<> RefuseRowsInDefault(Session& session, const Whole& whole, std::string inside) {
  const std::int64_t rows = co_await CountInDefault(session, whole, inside);
  if (rows == 0) co_return;
  throw Failure(ExitCode::kRefused,
                fmt::format("{} rows of {} belong into the partitions that are to be made, and "
                            "would be in their way: {}. Nothing was changed. They get partitions "
                            "of their own with: {}",
                            rows, whole.rest, inside, HowToSplit(whole)));
}

}  // namespace pgalter::partition
