#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// The user's text has unqualified names: it gets the search_path that the role has by itself.
constexpr const char* kOwnSearchPath =
    "SELECT set_config('search_path', reset_val, true) FROM pg_settings WHERE name = 'search_path'";

Task<Observation> Read(SignalContext& context) {
  if (context.options.throttle_query.empty()) co_return Observation::Absent("no query was given");
  std::vector<pg::Statement> statements;
  statements.push_back({"BEGIN READ ONLY", {}});
  statements.push_back({kOwnSearchPath, {}});
  statements.push_back({context.options.throttle_query, {}});
  statements.push_back({"ROLLBACK", {}});
  const auto results = co_await context.session.db().Pipeline(std::move(statements));
  const pg::Result& answer = results.at(2);
  if (answer.empty() || answer.columns() == 0 || answer.IsNull(0, 0))
    co_return Observation::Unreadable("the query returned no value");
  const std::string text(answer.Bytes(0, 0));
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value))
    co_return Observation::Unreadable("the first column of the query is not a number");
  co_return Observation::Measured(value);
}

}  // namespace

constinit const Signal kThrottleQuery{.id = "throttle-query",
                                      .summary = "the number that the user's own query returns",
                                      .unit = Unit::kNumber,
                                      .default_limit = 1,
                                      .read = &Read};

}  // namespace pgalter::watch
