#include "engine/guard/execute.h"

#include <utility>

namespace pgalter::guard {

Task<> Execute(Session& session, const std::vector<std::string>& statements) {
  std::vector<pg::Statement> batch;
  for (const std::string& sql : statements) batch.push_back({sql, {}});
  if (!batch.empty()) co_await session.db().Pipeline(std::move(batch));
}

Task<> ExecuteUnder(Session& session, const Settings& settings,
                    const std::vector<std::string>& statements) {
  Bracket bracket = Under(settings);
  std::vector<pg::Statement> batch = std::move(bracket.begin);
  for (const std::string& sql : statements) batch.push_back({sql, {}});
  batch.push_back(std::move(bracket.end));
  co_await session.db().Pipeline(std::move(batch));
}

}  // namespace pgalter::guard
