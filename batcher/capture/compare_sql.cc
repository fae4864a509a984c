#include "batcher/capture/compare_sql.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "batcher/capture/flow_text.h"

namespace pgalter::capture {

using text::ForKey;
using text::From;
using text::FromColumn;
using text::K;
using text::NotTaken;
using text::Numbered;
using text::Pending;
using text::SameKey;
using text::To;
using text::ToColumn;

namespace {

constexpr int kMostKeys = 10;

// A TRUNCATE that is not taken yet makes every key pending.
std::string Counted(const Flow& flow, const std::string& different) {
  constexpr const char* kCount =
      "SELECT rows, shown, surplus FROM (SELECT count(*) OVER kind AS rows, row_number() OVER kind "
      "AS n, shown, surplus FROM {} WINDOW kind AS (PARTITION BY surplus)) AS f WHERE n <= {} "
      "ORDER BY surplus";
  if (flow.run.empty()) return fmt::format(kCount, fmt::format("({}) AS d", different), kMostKeys);
  return fmt::format(
      "WITH different AS MATERIALIZED ({}), pending AS MATERIALIZED ({}) {}", different,
      Pending(flow),
      fmt::format(
          kCount,
          fmt::format("(SELECT * FROM different d WHERE NOT EXISTS (SELECT FROM pending p WHERE {})"
                      " AND NOT EXISTS (SELECT FROM ({}) AS l WHERE truncated)) AS d",
                      SameKey(flow, Numbered("p"), Numbered("d")), NotTaken(flow)),
          kMostKeys));
}

std::string V(std::size_t i) { return fmt::format("v{}", i); }

// The values of a row of `from` as `to` should have them: v0, v1, …
std::string Wanted(const Flow& flow) {
  std::vector<std::string> values;
  for (const MappedColumn& column : flow.columns)
    values.push_back(
        fmt::format("CAST({} AS {}) AS {}", column.value, column.type, V(values.size())));
  return fmt::format("{}", fmt::join(values, ", "));
}

// Types of which equal values are the same bytes. Of a string that is so byte by byte, whatever its
// collation calls equal.
enum class Equality { kSame, kSameAsBytes, kNotTheSame };

Equality EqualityOf(const std::string& type) {
  constexpr std::array kPlain{"bigint", "integer",   "smallint", "boolean",
                              "date",   "timestamp", "uuid",     "oid"};
  constexpr std::array kStrings{"text", "character varying"};
  if (type.ends_with("[]")) return Equality::kNotTheSame;
  const auto is = [&type](std::string_view name) {
    return type == name || (type.starts_with(name) &&
                            std::string_view("( ").find(type[name.size()]) != std::string::npos);
  };
  if (std::ranges::any_of(kPlain, is)) return Equality::kSame;
  return std::ranges::any_of(kStrings, is) ? Equality::kSameAsBytes : Equality::kNotTheSame;
}

// Whether the row is another: the values of `from`, alias.v0 …, and those of `to`, by name(column,
// i). As images: 1.0 and 1.00 are equal and not the same. Making records of all columns costs more
// than the rest of a comparison, so columns whose type allows it are compared as they are.
template <class Name>
std::string IsAnother(const Flow& flow, const std::string& alias, Name name) {
  std::vector<std::string> different;
  std::vector<std::string> ours;
  std::vector<std::string> theirs;
  for (std::size_t i = 0; i < flow.columns.size(); ++i) {
    const std::string one = alias + "." + V(i);
    const std::string other = name(flow.columns[i], i);
    const Equality equality = EqualityOf(flow.columns[i].type);
    if (equality == Equality::kNotTheSame) {
      ours.push_back(one);
      theirs.push_back(other);
      continue;
    }
    const char* bytes = equality == Equality::kSameAsBytes ? " COLLATE pg_catalog.\"C\"" : "";
    different.push_back(
        fmt::format("({0}{2} OPERATOR(pg_catalog.=) {1}{2} OR {0} IS NULL AND {1} IS NULL) IS NOT "
                    "TRUE",
                    one, other, bytes));
  }
  if (!ours.empty())
    different.push_back(fmt::format("ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record",
                                    fmt::join(ours, ", "), fmt::join(theirs, ", ")));
  return different.empty() ? "false" : fmt::format("{}", fmt::join(different, " OR "));
}

std::string KeyOfFrom(const Flow& flow) {
  return ForKey(flow, ", ", [&](const KeyColumn& column, std::size_t i) {
    return fmt::format("{}.{} AS {}", flow.alias, column.from, K(i));
  });
}

// ROW(alias.a, …) >= ROW($1::type, …): on both sides by the order of the same types.
template <class Name>
std::string Bound(const Flow& flow, const Walk& walk, const char* sign, std::size_t first,
                  Name name) {
  std::vector<std::string> columns;
  std::vector<std::string> values;
  for (const std::size_t i : walk.columns) {
    columns.push_back(name(flow.key[i], i));
    values.push_back(fmt::format("${}::{}", first++, flow.key[i].type));
  }
  return fmt::format("ROW({}) OPERATOR(pg_catalog.{}) ROW({})", fmt::join(columns, ", "), sign,
                     fmt::join(values, ", "));
}

template <class Name>
std::string InRange(const Flow& flow, const Walk& walk, Ends ends, Name name) {
  const std::size_t width = walk.columns.size();
  switch (ends) {
    case Ends::kBoth:
      return fmt::format("{} AND {}", Bound(flow, walk, ">=", 1, name),
                         Bound(flow, walk, "<", width + 1, name));
    case Ends::kLower:
      return Bound(flow, walk, ">=", 1, name);
    case Ends::kUpper:
      return Bound(flow, walk, "<", 1, name);
    case Ends::kNone:
      break;
  }
  return "true";
}

// The columns of a walk in the table that has each key once, which is called t; and as texts.
struct Walked {
  std::vector<std::string> names;
  std::vector<std::string> texts;
};

auto NameOfWalked(const Walk& walk) {
  return [of_to = walk.of_to](const KeyColumn& column, std::size_t) {
    return "t." + (of_to ? column.to : column.from);
  };
}

Walked WalkedColumns(const Flow& flow, const Walk& walk) {
  Walked walked;
  for (const std::size_t i : walk.columns) {
    walked.names.push_back(NameOfWalked(walk)(flow.key[i], i));
    walked.texts.push_back(fmt::format("{}::{}::text", walked.names.back(), flow.key[i].type));
  }
  return walked;
}

}  // namespace

// Without a run nobody asks for the keys but to show them, and those of `to` need not be of
// `from`'s type.

std::string RangeStatement(const Flow& flow, const Walk& walk, Ends ends) {
  const auto key = [](const KeyColumn& column, std::size_t i) {
    return fmt::format("coalesce(s.{0}, t.{0}::{1}) AS {0}, ", K(i), column.type);
  };
  const std::string keys = flow.run.empty() ? "" : ForKey(flow, "", key);
  const std::string shown = ForKey(flow, ", ", [](const KeyColumn&, std::size_t i) {
    return fmt::format("coalesce(s.{0}::text, t.{0}::text)", K(i));
  });
  const std::string theirs = ForKey(flow, ", ", [](const KeyColumn& column, std::size_t i) {
    return fmt::format("t.{} AS {}", column.to, K(i));
  });
  std::vector<std::string> values;
  for (const MappedColumn& column : flow.columns)
    values.push_back(fmt::format("t.{} AS {}", column.to, V(values.size())));
  const auto theirs_of = [](const MappedColumn&, std::size_t i) { return "t." + V(i); };
  return Counted(
      flow,
      fmt::format("SELECT {}concat_ws(', ', {}) AS shown, s.place IS NULL AS surplus"
                  " FROM (SELECT {}.ctid AS place, {}, {} FROM {} AS {} WHERE {}) AS s"
                  " FULL JOIN (SELECT t.ctid AS place, {}, {} FROM {} AS t WHERE {}) AS t ON {}"
                  " WHERE s.place IS NULL OR t.place IS NULL OR {}",
                  keys, shown, flow.alias, KeyOfFrom(flow), Wanted(flow), From(flow), flow.alias,
                  InRange(flow, walk, ends, FromColumn(flow.alias)), theirs,
                  fmt::join(values, ", "), To(flow), InRange(flow, walk, ends, ToColumn("t")),
                  SameKey(flow, Numbered("t"), Numbered("s")), IsAnother(flow, "s", theirs_of)));
}

std::string BoundaryStatement(const Flow& flow, const Walk& walk, Ends ends) {
  const Walked walked = WalkedColumns(flow, walk);
  const std::size_t ends_given = ends == Ends::kNone ? 0 : ends == Ends::kBoth ? 2 : 1;
  return fmt::format("SELECT {} FROM {} AS t WHERE {} ORDER BY {} OFFSET ${} LIMIT 1",
                     fmt::join(walked.texts, ", "), walk.of_to ? To(flow) : From(flow),
                     InRange(flow, walk, ends, NameOfWalked(walk)), fmt::join(walked.names, ", "),
                     ends_given * walk.columns.size() + 1);
}

// REPEATABLE: the same blocks at each time, so that what is seen once is seen again.
std::string SampleStatement(const Flow& flow, const Walk& walk, bool has_lower) {
  const Walked walked = WalkedColumns(flow, walk);
  std::vector<std::string> aliased;
  std::vector<std::string> aliases;
  for (const std::string& text : walked.texts) {
    aliases.push_back(K(aliases.size()));
    aliased.push_back(fmt::format("{} AS {}", text, aliases.back()));
  }
  const std::size_t next = has_lower ? walk.columns.size() + 1 : 1;
  return fmt::format(
      "SELECT {0} FROM (SELECT {1}, row_number() OVER (ORDER BY {2}) AS n FROM {3} AS t "
      "TABLESAMPLE "
      "pg_catalog.system (${4}::float4) REPEATABLE (1) WHERE {5}) AS f WHERE n % ${6}::int8 = 0 "
      "ORDER BY n",
      fmt::join(aliases, ", "), fmt::join(aliased, ", "), fmt::join(walked.names, ", "),
      walk.of_to ? To(flow) : From(flow), next,
      InRange(flow, walk, has_lower ? Ends::kLower : Ends::kNone, NameOfWalked(walk)), next + 1);
}

std::string MissingStatement(const Flow& flow, const std::string& part, Lookup lookup) {
  std::vector<std::string> theirs;
  for (const MappedColumn& column : flow.columns) theirs.push_back("t." + column.to);
  const std::string shown =
      ForKey(flow, ", ", [](const KeyColumn&, std::size_t i) { return "s." + K(i) + "::text"; });
  const std::string names =
      ForKey(flow, ", ", [](const KeyColumn&, std::size_t i) { return "s." + K(i); });
  const std::string same = SameKey(flow, ToColumn("t"), Numbered("s"));
  const auto theirs_of = [](const MappedColumn& column, std::size_t) { return "t." + column.to; };
  // Left to itself, the planner does not count on skipping partitions row by row, and would read
  // all of them for each window. OFFSET 0 keeps the lookup one.
  const std::string other =
      flow.to_partitioned && lookup == Lookup::kByIndex
          ? fmt::format("LATERAL (SELECT {}, t.ctid FROM {} AS t WHERE {} OFFSET 0) AS t ON true",
                        fmt::join(theirs, ", "), flow.to, same)
          : fmt::format("{} AS t ON {}", To(flow), same);
  return Counted(
      flow,
      fmt::format("SELECT {}, concat_ws(', ', {}) AS shown, false AS surplus FROM (SELECT {}, {} "
                  "FROM ONLY {} AS {} WHERE {}.ctid >= $1::tid AND {}.ctid < $2::tid) AS s LEFT "
                  "JOIN {} WHERE t.ctid IS NULL OR {}",
                  names, shown, KeyOfFrom(flow), Wanted(flow), part, flow.alias, flow.alias,
                  flow.alias, other, IsAnother(flow, "s", theirs_of)));
}

std::string SurplusStatement(const Flow& flow, const std::string& part) {
  const auto key = [](const KeyColumn& column, std::size_t i) {
    return fmt::format("t.{}::{} AS {}, ", column.to, column.type, K(i));
  };
  const std::string keys = flow.run.empty() ? "" : ForKey(flow, "", key);
  const std::string shown = ForKey(flow, ", ", [](const KeyColumn& column, std::size_t) {
    return fmt::format("t.{}::text", column.to);
  });
  return Counted(
      flow,
      fmt::format("SELECT {}concat_ws(', ', {}) AS shown, true AS surplus FROM ONLY {} AS "
                  "t WHERE t.ctid >= $1::tid AND t.ctid < $2::tid AND NOT EXISTS (SELECT "
                  "FROM {} AS s WHERE {})",
                  keys, shown, part, From(flow), SameKey(flow, ToColumn("t"), FromColumn("s"))));
}

namespace {

std::string W(std::size_t i) { return fmt::format("w{}", i); }
std::string U(std::size_t i) { return fmt::format("u{}", i); }

// `selected` of each of the places; of no row where there are none.
template <class Selected>
std::string UnionOf(const std::vector<Extent>& extents, const std::string& anywhere,
                    Selected selected) {
  std::vector<std::string> parts;
  for (const Extent& one : extents) parts.push_back(selected(one));
  if (parts.empty()) parts.push_back(selected(Extent{anywhere, 0, 0}));
  return fmt::format("{}", fmt::join(parts, " UNION ALL "));
}

// "" of a whole part.
std::string Within(const Extent& extent, const std::string& alias) {
  if (extent.first == 0 && extent.end == kToTheEnd) return "";
  return fmt::format(" WHERE {0}.ctid >= '({1},0)' AND {0}.ctid < '({2},0)'", alias, extent.first,
                     extent.end);
}

// No row of a query has more columns than 1664. Those of a slice have all values up to three times.
bool IsWide(const Flow& flow) {
  constexpr std::size_t kMostColumns = 1'600;
  return 3 * (flow.key.size() + flow.columns.size()) > kMostColumns;
}

// All rows of these places, side by side, as far as they are not the same: k0 … and v0 … of `from`,
// u0 … and w0 … of `to`. Of wide tables the keys alone.
std::string Apart(const Flow& flow, const std::vector<Extent>& from,
                  const std::vector<Extent>& to) {
  const auto ours = [&flow](const Extent& extent) {
    return fmt::format("SELECT {0}.ctid AS place, {1}, {2} FROM ONLY {3} AS {0}{4}", flow.alias,
                       KeyOfFrom(flow), Wanted(flow), extent.part, Within(extent, flow.alias));
  };
  const std::string keys = ForKey(flow, ", ", [](const KeyColumn& column, std::size_t i) {
    return fmt::format("t.{} AS {}", column.to, U(i));
  });
  std::vector<std::string> values;
  for (const MappedColumn& column : flow.columns)
    values.push_back(fmt::format("t.{} AS {}", column.to, W(values.size())));
  const auto theirs = [&](const Extent& extent) {
    return fmt::format("SELECT t.ctid AS place, {}, {} FROM ONLY {} AS t{}", keys,
                       fmt::join(values, ", "), extent.part, Within(extent, "t"));
  };
  const auto key = [](const KeyColumn&, std::size_t i) { return "t." + U(i); };
  const auto value = [](const MappedColumn&, std::size_t i) { return "t." + W(i); };
  std::vector<std::string> names;
  for (std::size_t i = 0; i < flow.key.size(); ++i)
    names.insert(names.end(), {"s." + K(i), "t." + U(i)});
  for (std::size_t i = 0; i < flow.columns.size() && !IsWide(flow); ++i)
    names.insert(names.end(), {"s." + V(i), "t." + W(i)});
  return fmt::format(
      "SELECT s.place IS NULL AS surplus, t.place IS NULL AS absent, {} FROM ({}) AS s FULL JOIN "
      "({}) AS t ON {} WHERE s.place IS NULL OR t.place IS NULL OR {}",
      fmt::join(names, ", "), UnionOf(from, flow.from, ours), UnionOf(to, flow.to, theirs),
      SameKey(flow, key, Numbered("s")), IsAnother(flow, "s", value));
}

// What a table of the user's cannot be called by accident: lookups name both.
constexpr const char* kApart = "\"~apart\"";

// Both rows of a key that was found on one side are looked up, as neither came along.
std::string FoundAnew(const Flow& flow) {
  const auto key = [](const KeyColumn& column, std::size_t i) {
    return fmt::format("coalesce({0}.{1}, {0}.{2}::{3})", kApart, K(i), U(i), column.type);
  };
  std::vector<std::string> values;
  for (const MappedColumn& column : flow.columns)
    values.push_back(fmt::format("t.{} AS {}", column.to, W(values.size())));
  return fmt::format(
      " LEFT JOIN LATERAL (SELECT t.ctid AS place, {1} FROM {2} AS t WHERE ({0}.absent OR "
      "{0}.surplus) AND {3} OFFSET 0) AS t ON true"
      " LEFT JOIN LATERAL (SELECT {4}.ctid AS place, {5} FROM {6} AS {4} WHERE ({0}.absent OR "
      "{0}.surplus) AND {7} OFFSET 0) AS s ON true"
      " WHERE NOT ({0}.absent OR {0}.surplus) OR s.place IS NULL OR t.place IS NULL OR {8}",
      kApart, fmt::join(values, ", "), To(flow), SameKey(flow, ToColumn("t"), key), flow.alias,
      Wanted(flow), From(flow), SameKey(flow, FromColumn(flow.alias), key),
      IsAnother(flow, "s", [](const MappedColumn&, std::size_t i) { return "t." + W(i); }));
}

// Of the columns that came along.
std::string FoundOnTheOtherSide(const Flow& flow) {
  const auto theirs_of = [](const KeyColumn&, std::size_t i) {
    return fmt::format("{}.{}", kApart, U(i));
  };
  std::vector<std::string> values;
  for (const MappedColumn& column : flow.columns)
    values.push_back(fmt::format("t.{} AS {}", column.to, W(values.size())));
  const auto found = [](const MappedColumn&, std::size_t i) { return "t." + W(i); };
  const auto own = [](const MappedColumn&, std::size_t i) {
    return fmt::format("{}.{}", kApart, W(i));
  };
  // OFFSET 0 keeps each lookup one, for each row by itself.
  return fmt::format(
      " LEFT JOIN LATERAL (SELECT t.ctid AS place, {1} FROM {2} AS t WHERE {0}.absent AND {3} "
      "OFFSET 0) AS t ON true"
      " LEFT JOIN LATERAL (SELECT {4}.ctid AS place, {5} FROM {6} AS {4} WHERE {0}.surplus AND "
      "{7} OFFSET 0) AS s ON true"
      " WHERE CASE WHEN {0}.absent THEN t.place IS NULL OR {8} WHEN {0}.surplus THEN s.place "
      "IS NULL OR {9} ELSE true END",
      kApart, fmt::join(values, ", "), To(flow), SameKey(flow, ToColumn("t"), Numbered(kApart)),
      flow.alias, Wanted(flow), From(flow), SameKey(flow, theirs_of, FromColumn(flow.alias)),
      IsAnother(flow, kApart, found), IsAnother(flow, "s", own));
}

}  // namespace

namespace {

// `surplus`: whether `from` has not the row; `also`: what else is asked for each.
std::string OfApart(const Flow& flow, const std::string& apart, const std::string& surplus,
                    const std::string& also) {
  const auto key = [](const KeyColumn& column, std::size_t i) {
    return fmt::format("coalesce({0}.{1}, {0}.{2}::{3}) AS {1}, ", kApart, K(i), U(i), column.type);
  };
  const std::string keys = flow.run.empty() ? "" : ForKey(flow, "", key);
  const std::string shown = ForKey(flow, ", ", [](const KeyColumn&, std::size_t i) {
    return fmt::format("coalesce({0}.{1}::text, {0}.{2}::text)", kApart, K(i), U(i));
  });
  return Counted(flow, fmt::format("WITH {0} AS MATERIALIZED ({1}) SELECT {2}concat_ws(', ', {3}) "
                                   "AS shown, {4} AS surplus FROM {0}{5}",
                                   kApart, apart, keys, shown, surplus, also));
}

std::vector<Extent> WholeOf(const std::vector<std::string>& parts) {
  std::vector<Extent> extents;
  for (const std::string& part : parts) extents.push_back({part, 0, kToTheEnd});
  return extents;
}

}  // namespace

std::string SliceStatement(const Flow& flow, const std::vector<Extent>& from,
                           const std::vector<Extent>& to) {
  return OfApart(flow, Apart(flow, from, to), fmt::format("{}.surplus AND s.place IS NULL", kApart),
                 IsWide(flow) ? FoundAnew(flow) : FoundOnTheOtherSide(flow));
}

std::string WholePartsStatement(const Flow& flow, const std::vector<std::string>& from,
                                const std::vector<std::string>& to) {
  return OfApart(flow, Apart(flow, WholeOf(from), WholeOf(to)), fmt::format("{}.surplus", kApart),
                 "");
}

std::string WhereStatement(const Flow& flow, const std::vector<std::string>& parts) {
  std::vector<std::string> ours;
  for (const std::string& part : parts)
    ours.push_back(
        fmt::format("SELECT {0} AS number, {1}.ctid AS place, {2} FROM ONLY {3} AS {1} WHERE "
                    "{1}.ctid = ANY (${4}::text[]::tid[])",
                    ours.size(), flow.alias, KeyOfFrom(flow), part, ours.size() + 1));
  return fmt::format(
      "SELECT s.number::int8, (s.place::text::point)[0]::int8, t.part, "
      "(t.place::text::point)[0]::int8 FROM ({}) AS s CROSS JOIN LATERAL (SELECT t.ctid AS place, "
      "t.tableoid AS part FROM {} AS t WHERE {} OFFSET 0) AS t",
      fmt::join(ours, " UNION ALL "), To(flow), SameKey(flow, ToColumn("t"), Numbered("s")));
}

}  // namespace pgalter::capture
