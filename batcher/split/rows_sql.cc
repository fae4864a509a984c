#include "batcher/split/rows_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/async/fail_point.h"

namespace pgalter::split {

namespace {

std::string List(const std::vector<std::string>& columns, const std::string& row) {
  std::vector<std::string> texts;
  for (const std::string& column : columns) texts.push_back(row + column);
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::vector<std::string> AllColumns(const plan::Split& split) {
  std::vector<std::string> all = split.key;
  all.insert(all.end(), split.columns.begin(), split.columns.end());
  return all;
}

std::string Bound(const plan::Split& split, const char* sign, std::size_t first,
                  const std::string& row) {
  std::vector<std::string> values;
  for (const std::string& type : split.key_types)
    values.push_back(fmt::format("${}::{}", first++, type));
  return fmt::format("ROW({}) OPERATOR(pg_catalog.{}) ROW({})", List(split.key, row), sign,
                     fmt::join(values, ", "));
}

std::string InRange(const plan::Split& split, Ends ends, const std::string& row) {
  switch (ends) {
    case Ends::kBoth:
      return fmt::format("{} AND {}", Bound(split, ">=", 1, row),
                         Bound(split, "<", split.key.size() + 1, row));
    case Ends::kLower:
      return Bound(split, ">=", 1, row);
    case Ends::kUpper:
      return Bound(split, "<", 1, row);
    case Ends::kNone:
      break;
  }
  return "true";
}

// "k0, k1" of a comparison's halves.
template <class Text>
std::string ForKey(const plan::Split& split, std::string_view between, Text text) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < split.key.size(); ++i)
    texts.push_back(text(split.key[i], fmt::format("k{}", i)));
  return fmt::format("{}", fmt::join(texts, between));
}

}  // namespace

std::string BoundaryStatement(const plan::Split& split, Ends ends) {
  const std::string texts = ForKey(split, ", ", [](const std::string& column, const std::string&) {
    return "s." + column + "::text";
  });
  return fmt::format("SELECT {} FROM ONLY {} AS s WHERE {} ORDER BY {} OFFSET ${} LIMIT 1", texts,
                     split.source, InRange(split, ends, "s."), List(split.key, "s."),
                     ends == Ends::kLower ? split.key.size() + 1 : 1);
}

std::string CopyStatement(const plan::Split& split, Ends ends) {
  const std::vector<std::string> all = AllColumns(split);
  return fmt::format(
      "INSERT INTO {} ({}) SELECT {} FROM ONLY {} AS s WHERE {} AND ({}){} ON CONFLICT ({}) DO "
      "NOTHING",
      split.target, List(all, ""), List(all, "s."), split.source, InRange(split, ends, "s."),
      split.present, async::SafeguardOn("split-lock") ? " FOR SHARE OF s" : "",
      List(split.key, ""));
}

std::string CompareStatement(const plan::Split& split, Ends ends) {
  const std::vector<std::string> all = AllColumns(split);
  const auto half = [&](const std::string& table, const std::string& row,
                        const std::string& which) {
    const std::string names =
        ForKey(split, ", ", [&](const std::string& column, const std::string& name) {
          return row + column + " AS " + name;
        });
    return fmt::format("(SELECT {}, ROW({})::record AS image FROM ONLY {} AS {} WHERE {} AND ({}))",
                       names, List(all, row), table, row.substr(0, 1), InRange(split, ends, row),
                       which);
  };
  const std::string shown = ForKey(split, ", ", [](const std::string&, const std::string& name) {
    return fmt::format("coalesce(a.{0}, b.{0})::text", name);
  });
  const std::string same = ForKey(split, " AND ", [](const std::string&, const std::string& name) {
    return fmt::format("a.{0} OPERATOR(pg_catalog.=) b.{0}", name);
  });
  return fmt::format(
      "SELECT count(*) OVER (), concat_ws(', ', {}), CASE WHEN b.k0 IS NULL THEN 'is missing' WHEN "
      "a.k0 IS NULL THEN 'should not be there' ELSE 'differs' END FROM {} AS a FULL JOIN {} AS b "
      "ON {} WHERE a.k0 IS NULL OR b.k0 IS NULL OR a.image OPERATOR(pg_catalog.*<>) b.image LIMIT "
      "10",
      shown, half(split.source, "s.", split.present), half(split.target, "t.", "true"), same);
}

}  // namespace pgalter::split
