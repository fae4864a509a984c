#include "batcher/partition/bound_order.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "batcher/partition/key_value.h"

namespace pgalter::partition {

namespace {

// Each key: its type, by what operator it is sorted, with which collation, and whether there are
// always values between two of them (d), or which is the next one (n: its distance is 1); else
// nobody knows (u).
constexpr const char* kParts = R"sql(
SELECT CASE WHEN a.attnum IS NOT NULL THEN format_type(a.atttypid, a.atttypmod)
            WHEN t.typtype <> 'p' THEN format_type(t.oid, NULL) ELSE '' END,
       (SELECT format('OPERATOR(%I.%s)', n.nspname, l.oprname) FROM pg_amop m
        JOIN pg_operator l ON l.oid = m.amopopr JOIN pg_namespace n ON n.oid = l.oprnamespace
        WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype
          AND m.amoprighttype = o.opcintype AND m.amopstrategy = 1 AND m.amoppurpose = 's'),
       coalesce((SELECT format(' COLLATE %I.%I', cn.nspname, c.collname) FROM pg_collation c
                 JOIN pg_namespace cn ON cn.oid = c.collnamespace WHERE c.oid = k.compared), ''),
       CASE WHEN coalesce(a.atttypid, t.oid) IN (20, 21, 23, 1082) THEN 'n'
            WHEN coalesce(a.atttypid, t.oid) IN (25, 700, 701, 1043, 1114, 1184, 1700) THEN 'd'
            ELSE 'u' END
FROM pg_partitioned_table p
CROSS JOIN LATERAL unnest(p.partattrs::int2[], p.partclass::oid[], p.partcollation::oid[])
  WITH ORDINALITY k (attnum, opclass, compared, n)
JOIN pg_opclass o ON o.oid = k.opclass JOIN pg_type t ON t.oid = o.opcintype
LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE p.partrelid = $1 ORDER BY k.n
)sql";

struct KeyPart {
  std::string type;
  std::string less;
  std::string collation;
  char between = 'u';
};

Task<std::vector<KeyPart>> ReadParts(Session& session, const Whole& whole) {
  const pg::Result rows = co_await session.db().Query(kParts, whole.table.oid);
  std::vector<KeyPart> parts;
  for (int i = 0; i < rows.rows(); ++i)
    parts.push_back({rows.Get<std::string>(i, 0),
                     rows.Get<std::optional<std::string>>(i, 1).value_or(""),
                     rows.Get<std::string>(i, 2), rows.Bytes(i, 3).front()});
  co_return parts;
}

bool IsOf(const Given& value, std::string_view endless) {
  return !value.quoted && value.text == endless;
}
bool IsEndless(const Given& value) { return IsOf(value, "MINVALUE") || IsOf(value, "MAXVALUE"); }

// "1, 'eu'::text COLLATE …"
std::string Columns(const Given& value, const KeyPart& part) {
  if (IsEndless(value))
    return fmt::format("{}, NULL::{}", IsOf(value, "MINVALUE") ? 0 : 2, part.type);
  return fmt::format("1, {}::{}", LiteralOf(value), part.type);
}

std::string Row(std::size_t number, const Givens& end, const std::vector<KeyPart>& parts) {
  std::string row = fmt::format("({}", number);
  for (std::size_t i = 0; i < parts.size(); ++i) row += ", " + Columns(end[i], parts[i]);
  return row + ")";
}

std::string Query(const std::vector<std::string>& ends, const std::vector<KeyPart>& parts) {
  std::string names = "number";
  std::string order;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    names += fmt::format(", kind_{0}, value_{0}", i);
    order += fmt::format("{0}kind_{1}, value_{1}{2} USING {3}", i == 0 ? "" : ", ", i,
                         parts[i].collation, parts[i].less);
  }
  return fmt::format(
      "SELECT number, dense_rank() OVER (ORDER BY {}) FROM (VALUES {}) AS ends ({}) ORDER BY "
      "number",
      order, fmt::join(ends, ", "), names);
}

struct Placed {
  Member member;
  std::int64_t begins = 0;
  std::int64_t ends = 0;
};

bool AllFrom(const Givens& values, std::size_t at, std::string_view endless) {
  return std::all_of(values.begin() + static_cast<std::ptrdiff_t>(at), values.end(),
                     [&](const Given& value) { return IsOf(value, endless); });
}

// Between (1, MAXVALUE) and (2, MINVALUE) is no integer, and no bool after false but true; between
// others there is at least the key with which the former ends.
Task<bool> HasKeyBetween(Session& session, const std::vector<KeyPart>& parts, Givens from,
                         Givens to) {
  std::size_t at = 0;
  while (at < from.size() && from[at] == to[at]) ++at;
  const bool decides = at + 1 < from.size() && !IsEndless(from[at]) && !IsEndless(to[at]) &&
                       AllFrom(from, at + 1, "MAXVALUE") && AllFrom(to, at + 1, "MINVALUE");
  if (!decides || parts[at].between == 'd') co_return true;
  if (parts[at].between == 'u') co_return false;
  const std::string& type = parts[at].type;
  const pg::Result row = co_await session.db().Query(fmt::format(
      "SELECT {}::{} > {}::{} + 1", LiteralOf(to[at]), type, LiteralOf(from[at]), type));
  co_return row.Get<bool>(0, 0);
}

}  // namespace

Task<bool> OrderBounds(Session& session, const Whole& whole, std::vector<Member>& members) {
  if (whole.strategy != Strategy::kRange || !whole.column.empty()) co_return false;
  const std::vector<KeyPart> parts = co_await ReadParts(session, whole);
  const auto unknown = [](const KeyPart& part) { return part.type.empty() || part.less.empty(); };
  if (parts.empty() || std::ranges::any_of(parts, unknown)) co_return false;
  std::vector<Placed> placed;
  std::vector<std::string> ends;
  for (const Member& member : members) {
    if (member.first.size() != parts.size() || member.last.size() != parts.size()) continue;
    placed.push_back({member});
    ends.push_back(Row(ends.size(), member.first, parts));
    ends.push_back(Row(ends.size(), member.last, parts));
  }
  if (placed.empty()) co_return false;
  const pg::Result ranks = co_await session.db().Query(Query(ends, parts));
  for (std::size_t i = 0; i < placed.size(); ++i) {
    placed[i].begins = ranks.Get<std::int64_t>(static_cast<int>(2 * i), 1);
    placed[i].ends = ranks.Get<std::int64_t>(static_cast<int>(2 * i) + 1, 1);
  }
  std::ranges::sort(placed, {}, &Placed::begins);
  for (std::size_t i = 1; i < placed.size(); ++i) {
    if (placed[i - 1].ends == placed[i].begins) continue;
    placed[i].member.after_gap =
        co_await HasKeyBetween(session, parts, placed[i - 1].member.last, placed[i].member.first);
  }
  // The default partition stays the last.
  std::erase_if(members, [&](const Member& member) {
    return member.first.size() == parts.size() && member.last.size() == parts.size();
  });
  std::vector<Member> ordered;
  for (Placed& one : placed) ordered.push_back(std::move(one.member));
  members.insert(members.begin(), ordered.begin(), ordered.end());
  co_return true;
}

}  // namespace pgalter::partition
