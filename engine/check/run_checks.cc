#include "engine/check/run_checks.h"

#include <fmt/format.h>

#include <optional>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// In one message, so that a pooler cannot put a second session under it.
constexpr const char* kBegin =
    "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY;"
    "SET LOCAL search_path = pg_catalog;"
    "SET LOCAL statement_timeout = '20s';"
    "SET LOCAL lock_timeout = '1s';"
    "SET LOCAL row_security = off";

Answer NotRead(const pg::PgError& error) {
  std::string remedy;
  if (error.klass() == pg::SqlstateClass::kNoRight) remedy = "GRANT pg_monitor to this role";
  return Note(
      fmt::format("could not be read: {} (SQLSTATE {})", error.fields().message, error.sqlstate()),
      "what it would have told is not known", std::move(remedy));
}

Task<Answers> RunOne(const Check& check, CheckContext& context) {
  std::optional<pg::PgError> failure;
  Answers answers;
  co_await context.db.Execute(kBegin);
  try {
    answers = co_await check.run(context);
  } catch (const pg::PgError& error) {
    failure = error;
  }
  if (failure && !context.db.open()) throw *failure;
  co_await context.db.Execute("ROLLBACK");
  if (failure) answers.push_back(NotRead(*failure));
  co_return answers;
}

}  // namespace

Task<std::vector<Entry>> RunChecks(pg::Connection& db, const Target& target, pg::Pooling pooling,
                                   const CheckOptions& options) {
  CheckContext context{db, target, options, pooling};
  std::vector<Entry> entries;
  for (const Check* check : AllChecks()) {
    if (!options.only.empty() && !options.only.contains(check->id)) continue;
    Answers answers = co_await RunOne(*check, context);
    if (answers.empty()) answers.push_back(Ok(std::string(check->fine)));
    for (Answer& answer : answers) entries.push_back({check, std::move(answer)});
  }
  co_return entries;
}

}  // namespace pgalter::check
