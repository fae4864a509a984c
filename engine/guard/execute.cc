#include "engine/guard/execute.h"

#include <utility>

namespace pgalter::guard {

Task<> Execute(Session& session, const std::vector<std::string>& statements) {
  std::vector<pg::Statement> batch;
  for (const std::string& sql : statements) batch.push_back({sql, {}});
  if (!batch.empty()) co_await session.db().Pipeline(std::move(batch));
}

}  // namespace pgalter::guard
