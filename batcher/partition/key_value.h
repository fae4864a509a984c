// Values of the column by which a table is parted, as somebody wrote them: checked by the server,
// written so that they mean the same in every session, compared as the server compares keys, and as
// a part of a partition's name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/given.h"
#include "batcher/partition/whole.h"

namespace pgalter::partition {

struct Key {
  std::string value;    // as the column's type writes it in UTC
  std::string literal;  // of that value; or MINVALUE, MAXVALUE of a range, NULL of a list
};

// Times without a zone are in `zone`; a time for a column of type uuid is the least uuid of version
// 7 of that millisecond. Leaves the session in UTC. Throws run::Failure (usage): not a value of the
// type, longer than it holds, NULL of a range.
Task<Key> KeyOf(Session& session, const Whole& whole, Given given, std::string zone);

// Of a value as above. Pure.
[[nodiscard]] Key KeyWith(const Whole& whole, const std::string& value);
// Of somebody's value, whatever the type: 'de', NULL. Pure.
[[nodiscard]] std::string LiteralOf(const Given& given);
// Of a literal. Pure.
[[nodiscard]] bool IsEndless(const std::string& literal);
// Of a literal, a number with quotes or without: to be compared with others. Pure.
[[nodiscard]] std::string TypedKey(const Whole& whole, const std::string& literal);
// The same of several, one at least: "VALUES ('de'::text), ('fr'::text)". Pure.
[[nodiscard]] std::string KeyRows(const Whole& whole, const std::vector<std::string>& literals);
// The rows between two literals, as a condition. Pure.
[[nodiscard]] std::string InsideOf(const Whole& whole, const std::string& from,
                                   const std::string& to);

// The rows with one of these literals, as a condition, and those without. Pure.
[[nodiscard]] std::string AmongOf(const Whole& whole, const std::vector<std::string>& literals);
[[nodiscard]] std::string NotAmongOf(const Whole& whole, const std::vector<std::string>& literals);

// "2026-01-01 00:00:00+00" -> "_p2026_01_01"; "_null". Letters of any alphabet stay; of a long
// value only its beginning, 40 bytes at most. Two values may have the same. Pure.
[[nodiscard]] std::string NameEnd(const Whole& whole, const Key& key);
// After where it begins, or where it has no beginning, "_until_g". Pure.
[[nodiscard]] std::string NameEndOfRange(const Whole& whole, const Key& from, const Key& to);

// A partitioned table to be, by range of the column: what the functions above ask of one. Throws
// run::Failure (usage): there is no such column.
Task<Whole> WholeToBe(Session& session, const backfill::Table& table, std::string column);

}  // namespace pgalter::partition
