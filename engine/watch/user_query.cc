#include "engine/watch/user_query.h"

#include <cmath>
#include <cstdlib>
#include <utility>

namespace pgalter::watch {

namespace {

// The user's text has unqualified names: it gets the search_path that the role has by itself.
constexpr const char* kOwnSearchPath =
    "SELECT set_config('search_path', reset_val, true) FROM pg_settings WHERE name = 'search_path'";

}  // namespace

std::optional<double> NumberOf(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return std::nullopt;
  const std::string word(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (*end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

Task<Observation> ReadUserQuery(guard::Session& session, std::string sql) {
  std::vector<pg::Statement> statements;
  statements.push_back({"BEGIN READ ONLY", {}});
  statements.push_back({kOwnSearchPath, {}});
  statements.push_back({std::move(sql), {}});
  statements.push_back({"ROLLBACK", {}});
  const auto results = co_await session.db().Pipeline(std::move(statements));
  const pg::Result& answer = results.at(2);
  if (answer.empty() || answer.columns() == 0 || answer.IsNull(0, 0))
    co_return Observation::Unreadable("the query returned no value");
  const auto value = NumberOf(answer.Bytes(0, 0));
  if (!value) co_return Observation::Unreadable("the first column of the query is not a number");
  co_return Observation::Measured(*value);
}

}  // namespace pgalter::watch
