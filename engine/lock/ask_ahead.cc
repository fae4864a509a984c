#include "engine/lock/ask_ahead.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "engine/pg/kept_plans.h"

namespace pgalter::lock {

namespace {

// Of a name, or of an identity, that somebody's DDL takes away while the server looks it up.
bool IsOfWhatIsRead(const pg::PgError& error) {
  constexpr std::array<std::string_view, 5> kGone{"XX000", "42P01", "42703", "42704", "42883"};
  return std::ranges::find(kGone, error.sqlstate()) != kGone.end();
}

}  // namespace

Task<> AskAhead(guard::Session& session, std::function<Task<>()> ask) {
  co_await pg::KeptPlans::Generally(session.db());
  const pg::KeptPlans plans(session.db());
  try {
    co_await ask();
  } catch (const pg::PgError& error) {
    if (!session.open() || !IsOfWhatIsRead(error)) throw;
    pg::PgErrorFields fields = error.fields();
    fields.sqlstate = pg::sqlstate::kLockNotAvailable;
    throw pg::PgError(std::move(fields));
  }
}

}  // namespace pgalter::lock
