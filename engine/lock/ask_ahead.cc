#include "engine/lock/ask_ahead.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/pg/kept_plans.h"

namespace pgalter::lock {

namespace {

// Somebody's DDL has a view that is to be read (55P03), or takes away what the server looks up.
bool IsOfOthers(const pg::PgError& error) {
  constexpr std::array<std::string_view, 6> kTheirs{"55P03", "XX000", "42P01",
                                                    "42703", "42704", "42883"};
  return std::ranges::find(kTheirs, error.sqlstate()) != kTheirs.end();
}

// General plans, since the server would make a special one for each of the first five times
// (plancache.c, choose_custom_plan). By indexes: it guesses far too many rows where a question goes
// down a tree, and would read whole catalogs, which are large where there are many tables. No
// hurry: the attempt's limit is for what waits for a lock. But no patience with one either: the
// attempt names who has it.
Task<> Prepare(guard::Session& session) {
  std::vector<pg::Statement> statements;
  statements.push_back(
      {"SELECT pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)", {}});
  statements.push_back({"SAVEPOINT ahead", {}});
  statements.push_back(
      {"SELECT pg_catalog.set_config('enable_seqscan', 'off', true),"
       " pg_catalog.set_config('random_page_cost', '0.05', true)",
       {}});
  statements.push_back(
      {"SELECT pg_catalog.set_config('statement_timeout', '0', true),"
       " pg_catalog.set_config('lock_timeout', '50ms', true)",
       {}});
  co_await session.db().Pipeline(std::move(statements));
}

}  // namespace

Task<> AskAhead(guard::Session& session, std::function<Task<>()> ask) {
  co_await Prepare(session);
  {
    const pg::KeptPlans plans(session.db());
    try {
      co_await ask();
    } catch (const pg::PgError& error) {
      if (!session.open() || !IsOfOthers(error)) throw;
    }
  }
  std::vector<pg::Statement> statements;
  for (const char* sql : {"ROLLBACK TO SAVEPOINT ahead", "RELEASE SAVEPOINT ahead"})
    statements.push_back({sql, {}});
  co_await session.db().Pipeline(std::move(statements));
}

}  // namespace pgalter::lock
