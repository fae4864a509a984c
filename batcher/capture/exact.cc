#include "batcher/capture/exact.h"

#include <fmt/format.h>

#include "planner/sql/identifier.h"

namespace pgalter::capture {

namespace {

constexpr const char* kMark = "pgalter: ";

}  // namespace

// A function of our own could say more, but would have to be there as long as the way back is.
// left(…, 0): the planner works out what has no column in it.
std::string Exactly(const std::string& value, const std::string& column, const OtherType& types) {
  const char* const as_text = types.compared ? "" : "::text";
  const std::string says =
      fmt::format("{}{} would have another value as {}", kMark, column, types.to);
  return fmt::format(
      "CASE WHEN ({0})::{1}::{2}{3} IS DISTINCT FROM ({0}){3} THEN CASE WHEN "
      "pg_catalog.concat({4}, "
      "pg_catalog.left(({0})::text, 0))::pg_catalog.int4 IS NULL THEN NULL ELSE {0} END ELSE {0} "
      "END",
      value, types.to, types.from, as_text, sql::QuoteLiteral(says));
}

// `invalid input syntax for type integer: "…"`, in whatever language.
std::optional<std::string> InexactIn(const std::string& message) {
  const auto begin = message.find(kMark);
  const auto end = message.rfind('"');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  const auto text = begin + std::string(kMark).size();
  return message.substr(text, end - text);
}

}  // namespace pgalter::capture
