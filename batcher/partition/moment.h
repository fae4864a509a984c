// Moment: the time that a key of no type of time stands for: the 48 bits of a uuid of version 7, or
// a number that counts seconds or milliseconds since 1970. Ranges of them follow the calendar.
#pragma once

#include <cstdint>
#include <string>

#include "batcher/backfill/target.h"
#include "batcher/partition/bounds.h"

namespace pgalter::partition {

// What a column of integers counts, as the user says it.
enum class Epoch { kNone, kSeconds, kMilliseconds };

// A number as the server stores it, whatever it counts.
[[nodiscard]] constexpr bool IsNumber(KeyType type) {
  return type == KeyType::kInteger || type == KeyType::kNumeric || type == KeyType::kEpochSeconds ||
         type == KeyType::kEpochMilliseconds;
}
// Its values are times that are written as something else.
[[nodiscard]] constexpr bool IsCoded(KeyType type) {
  return type == KeyType::kUuid || type == KeyType::kEpochSeconds ||
         type == KeyType::kEpochMilliseconds;
}

// Of text of the column's type: the time as text of type timestamptz. Of other types, and of an
// empty text: the text.
Task<std::string> MomentOf(Session& session, KeyColumn column, std::string text);

// The least value of that second, as it stands in a bound; of a uuid the least of version 7. Pure.
// Throws run::Failure (usage): before 1970, for a uuid.
std::string LiteralAt(const KeyColumn& column, std::int64_t seconds);

// Throws run::Failure (refused): rows whose uuid has another version than 7, among the first, the
// last, and a sample of the pages; numbers that are no such times, read as they are said to be.
Task<> RefuseNoMoments(Session& session, const backfill::Table& table, KeyColumn column);

// "2026-01-01 to 2026-02-01" of a bound of uuids that are the least ones of a millisecond; empty:
// it is no such bound. Pure.
std::string TimesOfBound(const std::string& bound);

// "2026_01_01", or with the time of day where that is not midnight, in UTC; empty: not the least
// uuid of a millisecond. Pure.
std::string NameOfUuid(const std::string& uuid);

}  // namespace pgalter::partition
