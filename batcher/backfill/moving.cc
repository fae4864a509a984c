#include "batcher/backfill/moving.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgalter::backfill {

namespace {

// Stable, yet another value for every statement or transaction.
constexpr std::array<std::string_view, 9> kClockFunctions{
    "now",          "transaction_timestamp", "statement_timestamp",
    "current_date", "current_time",          "current_timestamp",
    "localtime",    "localtimestamp",        "clock_timestamp"};

Task<bool> IsVolatile(Session& session, const sql::FunctionUse& use) {
  const std::string name = use.name.back();
  const std::string schema = use.name.size() > 1 ? use.name.front() : "";
  // By name and number of arguments: where only some overloads are volatile, all count as such.
  const pg::Result rows = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
      " WHERE p.proname = $1 AND p.provolatile = 'v'"
      " AND ($2 = '' AND pg_function_is_visible(p.oid) OR n.nspname = $2)"
      " AND (p.provariadic <> 0 OR $3 BETWEEN p.pronargs - p.pronargdefaults AND p.pronargs))",
      name, schema, use.arguments);
  co_return rows.Get<bool>(0, 0);
}

}  // namespace

Task<std::vector<std::string>> MovingFunctions(Session& session,
                                               std::vector<sql::FunctionUse> functions) {
  std::vector<std::string> moving;
  for (const sql::FunctionUse& use : functions) {
    const std::string& name = use.name.back();
    const bool clock = std::ranges::find(kClockFunctions, name) != kClockFunctions.end();
    const bool is_volatile = co_await IsVolatile(session, use);
    if (clock || is_volatile) moving.push_back(name);
  }
  co_return moving;
}

}  // namespace pgalter::backfill
