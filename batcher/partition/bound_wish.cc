#include "batcher/partition/bound_wish.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "batcher/partition/moment.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

bool IsEndless(const std::string& text) { return text == "MINVALUE" || text == "MAXVALUE"; }

bool IsNumber(const std::string& type) {
  return type == "smallint" || type == "integer" || type == "bigint";
}

// The value as its type writes it, whatever the session's settings; $1 the text. Of a uuid that is
// given as a time: the least one of version 7 of that millisecond.
std::string Canonical(const std::string& type, const std::string& text) {
  if (type.find("with time zone") != std::string::npos)
    return "SELECT rtrim(rtrim(to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '0'), "
           "'.')"
           " || '+00' FROM (SELECT $1::text::timestamptz AS t) v";
  const bool is_uuid = std::ranges::count(text, '-') == 4 || text.size() == 32;
  if (type == "uuid" && !is_uuid)
    // A time before 1970 has no such uuid: the cast refuses what is longer.
    return "SELECT (lpad(to_hex(ms), greatest(12, length(to_hex(ms))), '0') || repeat('0', 20))"
           "::uuid::text FROM (SELECT (extract(epoch FROM $1::text::timestamptz) * 1000)::bigint)"
           " v (ms)";
  return fmt::format("SELECT ($1::text)::{}::text", type);
}

Task<std::string> ValueOf(Session& session, const Whole& whole, std::string text,
                          std::string zone) {
  const std::string upper = Upper(text);
  if (whole.strategy == Strategy::kRange && IsEndless(upper)) co_return upper;
  const std::string query = Canonical(whole.type, text);
  std::string why;
  std::string value;
  try {
    co_await session.db().Query("SELECT set_config('TimeZone', $1, false)", zone);
    const pg::Result row = co_await session.db().Query(query, text);
    value = row.Get<std::string>(0, 0);
  } catch (const pg::PgError& error) {
    if (!session.db().open()) throw;
    why = error.what();
  }
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  if (!why.empty())
    RefuseUsage(fmt::format("\"{}\" is no value of column {} of {}, which is of type {}: {}", text,
                            whole.column, whole.table.name, whole.type, why));
  co_return value;
}

std::string LiteralOf(const Whole& whole, const std::string& value) {
  return IsEndless(value) || IsNumber(whole.type) ? value : sql::QuoteLiteral(value);
}

// "2026-01-01 00:00:00+00" -> "2026_01_01"
std::string NameEnd(const Whole& whole, const std::string& value) {
  std::string text = value;
  if (whole.type == "uuid")
    if (const std::string name = NameOfUuid(value); !name.empty()) return "_p" + name;
  const bool time = whole.type.starts_with("timestamp");
  if (time && text.ends_with("+00")) text.resize(text.size() - 3);
  if (time && text.ends_with(" 00:00:00")) text.resize(text.size() - 9);
  std::string name;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == '-' && name.empty()) {
      name += 'm';  // a negative number
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return "_p" + name;
}

std::string Typed(const Whole& whole, const std::string& literal) {
  const bool number = IsNumber(whole.type);
  return fmt::format("{}::{}", number ? sql::QuoteLiteral(literal) : literal, whole.type);
}

Task<> RefuseEmpty(Session& session, const Whole& whole, const std::string& from,
                   const std::string& to) {
  const bool wrong_way = from == "MAXVALUE" || to == "MINVALUE";
  bool empty = wrong_way;
  if (!wrong_way && !IsEndless(from) && !IsEndless(to)) {
    const pg::Result row = co_await session.db().Query(
        fmt::format("SELECT {} >= {}", Typed(whole, from), Typed(whole, to)));
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
  const auto add = [&](const char* end, const char* text, const char* relation,
                       const std::string& literal) {
    if (!IsEndless(literal))
      apart += fmt::format(" OR (CASE WHEN e NOT LIKE '%{}%' THEN {}::{} {} {} ELSE false END)",
                           end, text, whole.type, relation, Typed(whole, literal));
  };
  add("to", "u", "<=", from);
  add("from", "l", ">=", to);
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
                      Typed(whole, literal), whole.column));
      if (row.Get<std::optional<bool>>(0, 0).value_or(false)) RefuseOverlap(member, bound.text);
    }
  }
}

Task<Bound> SettleRange(Session& session, const Whole& whole, const std::vector<Member>& members,
                        const BoundWish& wish) {
  if (!wish.from || !wish.to || !wish.values.empty())
    RefuseUsage(fmt::format("{} is parted by ranges: --from VALUE --to VALUE", whole.table.name));
  const std::string first = co_await ValueOf(session, whole, *wish.from, wish.time_zone);
  const std::string last = co_await ValueOf(session, whole, *wish.to, wish.time_zone);
  const std::string from = LiteralOf(whole, first);
  const std::string to = LiteralOf(whole, last);
  co_await RefuseEmpty(session, whole, from, to);
  Bound bound;
  bound.text = fmt::format("FOR VALUES FROM ({}) TO ({})", from, to);
  bound.end = NameEnd(whole, IsEndless(first) ? last : first);
  if (IsEndless(first)) bound.end.replace(0, 2, "_until_");  // "_p2026_01_01"
  bound.inside = whole.column + " IS NOT NULL";
  if (!IsEndless(from)) bound.inside += fmt::format(" AND {} >= {}", whole.column, from);
  if (!IsEndless(to)) bound.inside += fmt::format(" AND {} < {}", whole.column, to);
  co_await RefuseRangeOverlap(session, whole, members, from, to, bound);
  co_return bound;
}

Task<Bound> SettleList(Session& session, const Whole& whole, const std::vector<Member>& members,
                       const BoundWish& wish) {
  if (wish.values.empty() || wish.from || wish.to)
    RefuseUsage(fmt::format("{} is parted by lists: --values VALUE[,VALUE...]", whole.table.name));
  std::vector<std::string> literals;
  for (const std::string& text : wish.values) {
    const std::string value = co_await ValueOf(session, whole, text, wish.time_zone);
    literals.push_back(LiteralOf(whole, value));
  }
  Bound bound;
  bound.text = fmt::format("FOR VALUES IN ({})", fmt::join(literals, ", "));
  bound.end = NameEnd(whole, wish.values.front());
  bound.inside = fmt::format("{} IN ({})", whole.column, fmt::join(literals, ", "));
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
    RefuseUsage(fmt::format("{} is parted by hash: its partitions hold everything there is",
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
