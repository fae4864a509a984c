#include "batcher/copy/bad_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "batcher/capture/exact.h"
#include "batcher/capture/flow_sql.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::copy {

namespace {

constexpr std::int64_t kMostRowsOfABlock = 8192 / 4;  // of the largest block, 32 kB
constexpr std::int64_t kNumbers = 4 * kMostRowsOfABlock;

// Places as one number, so that halves are halves within a block, too.
std::string Tid(std::int64_t place) {
  return fmt::format("({},{})", place / kNumbers, place % kNumbers);
}

// The error, if these rows raise one.
Task<std::optional<pg::PgError>> Try(guard::Session& session, const capture::Flow& flow,
                                     const std::string& part, std::int64_t first,
                                     std::int64_t end) {
  const std::string from = Tid(first);
  const std::string to = Tid(end);
  const guard::TransactionOptions defaults;
  std::optional<pg::PgError> error;
  std::exception_ptr other;
  try {
    co_await guard::Begin(session, defaults);
    co_await session.db().Query(capture::CopyStatement(flow, part), from, to);
  } catch (const pg::PgError& caught) {
    if (caught.klass() != pg::SqlstateClass::kData) other = std::current_exception();
    error = caught;
  }
  co_await guard::RollBack(session);
  if (other) std::rethrow_exception(other);
  co_return error;
}

Task<std::string> KeyAt(guard::Session& session, const capture::Flow& flow, const std::string& part,
                        std::int64_t place) {
  const std::string tid = Tid(place);
  const pg::Result row = co_await session.db().Query(
      fmt::format("SELECT {} FROM ONLY {} AS {} WHERE {}.ctid = $1::tid",
                  capture::ShownKey(flow, flow.alias), part, flow.alias, flow.alias),
      tid);
  co_return row.empty() ? "its place " + tid : row.Get<std::string>(0, 0);
}

// Whether it has none of what rows of before keep.
bool LacksKept(const capture::Flow& flow, const pg::PgError& error) {
  return error.Is("23502") && std::ranges::any_of(flow.kept, [&](const std::string& column) {
           const auto name = sql::ParseQualifiedName(column);
           return name && error.fields().object.ends_with("." + name->name);
         });
}

}  // namespace

std::string WithoutValues(const pg::PgError& error) {
  const std::string text = error.fields().message;
  if (const auto inexact = capture::InexactIn(text)) return *inexact;
  // Class 22, data exceptions: `invalid input syntax for type integer: "…"`. In other messages
  // quotes hold names.
  if (!error.sqlstate().starts_with("22")) return text;
  std::string shown;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      shown += quoted ? "…\"" : "\"";
      quoted = !quoted;
    } else if (!quoted) {
      shown += c;
    }
  }
  return shown;
}

Task<std::optional<BadRow>> FindBadRow(guard::Session& session, const capture::Flow& flow,
                                       std::string part, backfill::Window window) {
  std::int64_t first = window.first * kNumbers;
  std::int64_t end = window.end * kNumbers;
  std::optional<pg::PgError> error = co_await Try(session, flow, part, first, end);
  while (error && end - first > 1) {
    const std::int64_t middle = first + (end - first) / 2;
    std::optional<pg::PgError> half = co_await Try(session, flow, part, first, middle);
    if (half) {
      end = middle;
    } else {
      half = co_await Try(session, flow, part, middle, end);
      first = middle;
    }
    error = half;
  }
  if (!error) co_return std::nullopt;
  std::string key = co_await KeyAt(session, flow, part, first);
  co_return BadRow{std::move(key), *error};
}

void ThrowBadRow(const capture::Flow& flow, const std::string& run, const std::string& key,
                 const pg::PgError& error) {
  if (flow.name.starts_with("reverse"))
    throw run::Failure(
        run::ExitCode::kError,
        fmt::format(
            "the row {} of {} does not fit into the old table: {} ({}). Nothing was swapped "
            "and nothing is lost. {}, then: pgalter revert {} --yes; or let the new "
            "table stay: pgalter finish {} --yes",
            key, flow.from, WithoutValues(error), error.sqlstate(),
            LacksKept(flow, error) ? "Only rows of before have a value for that column: delete "
                                     "this one, or give it back the key that it had"
                                   : "Change the row",
            run, run));
  throw run::Failure(
      run::ExitCode::kError,
      fmt::format("the row {} of {} does not fit into the new table: {} ({}). Nothing was swapped, "
                  "the table is as it was, and users' changes are still noted. Change the row, "
                  "then: pgalter resume {}; or give another definition after: pgalter abort {} "
                  "--yes",
                  key, flow.source_names(), WithoutValues(error), error.sqlstate(), run, run));
}

}  // namespace pgalter::copy
