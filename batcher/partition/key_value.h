// Values of the column by which a table is parted, as somebody wrote them: checked by the server,
// written so that they mean the same in every session, compared as the server compares keys, and as
// a part of a partition's name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batcher/partition/whole.h"

namespace pgalter::partition {

// MINVALUE, MAXVALUE.
[[nodiscard]] bool IsEndless(const std::string& text);

// As the column's type writes it in UTC; of a range also MINVALUE and MAXVALUE, in capitals. Times
// without a zone are in `zone`; a time for a column of type uuid is the least uuid of version 7 of
// that millisecond. Leaves the session in UTC. Throws run::Failure (usage): not a value of the
// type, or longer than it holds.
Task<std::string> KeyOf(Session& session, const Whole& whole, std::string text, std::string zone);

// Of a value as above. Pure.
[[nodiscard]] std::string KeyLiteral(const Whole& whole, const std::string& value);
// Of a literal: to be compared with others. Pure.
[[nodiscard]] std::string TypedKey(const Whole& whole, const std::string& literal);
// The rows between two literals, as a condition. Pure.
[[nodiscard]] std::string InsideOf(const Whole& whole, const std::string& from,
                                   const std::string& to);

// The rows with one of these literals, as a condition. Pure.
[[nodiscard]] std::string AmongOf(const Whole& whole, const std::vector<std::string>& literals);

// "2026-01-01 00:00:00+00" -> "_p2026_01_01". Letters of any alphabet stay; of a long value only
// its beginning. Two values may have the same. Pure.
[[nodiscard]] std::string NameEnd(const Whole& whole, const std::string& value);
// Of the range that ends there and has no beginning. Pure.
[[nodiscard]] std::string NameEndUntil(const Whole& whole, const std::string& value);

// A partitioned table to be, by range of the column: what the functions above ask of one. Throws
// run::Failure (usage): there is no such column.
Task<Whole> WholeToBe(Session& session, const backfill::Table& table, std::string column);

}  // namespace pgalter::partition
