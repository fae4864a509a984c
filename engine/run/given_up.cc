#include "engine/run/given_up.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "engine/pg/error.h"

namespace pgalter::run {

void ThrowGivenUp(const std::exception_ptr& lost, async::Milliseconds budget,
                  const std::string& next) {
  pg::PgErrorFields fields;
  try {
    std::rethrow_exception(lost);
  } catch (const pg::PgError& error) {
    fields = error.fields();
  }
  fields.message = fmt::format(
      "the connection was lost, and {:.0f} s of trying made no new one that works; what was "
      "committed stays. The last attempt: {}",
      std::chrono::duration<double>(budget).count(), fields.message);
  fields.hint = "see to it that the server can be reached";
  if (!next.empty()) fields.hint += ", then: " + next;
  throw pg::ConnectError(std::move(fields));
}

}  // namespace pgalter::run
