#include "engine/catalog/read_schema.h"

#include <iterator>
#include <utility>
#include <vector>

#include "engine/async/finally.h"
#include "engine/catalog/assembly.h"
#include "engine/catalog/queries.h"

namespace pgalter::live {
namespace {

using async::Task;

// One snapshot for all of it. Functions that render an object look at its newest state all the
// same; an object that is dropped meanwhile ends the reading with the server's error.
constexpr const char* kBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr const char* kPatience = "SET LOCAL lock_timeout = '1s'";
// Expressions hold values, and a value is shown so that it is read as the same in any session:
// '04/03/2026' would be another day where the style is another.
constexpr const char* kPlainly =
    "SELECT set_config('DateStyle', 'ISO, YMD', true), set_config('IntervalStyle', 'postgres', "
    "true), set_config('TimeZone', 'UTC', true), set_config('extra_float_digits', '1', true), "
    "set_config('bytea_output', 'hex', true)";

Task<std::vector<pg::Result>> ReadCatalogs(pg::Connection& db) {
  std::vector<pg::Statement> statements;
  statements.push_back({kBegin, {}});
  statements.push_back({kPatience, {}});
  statements.push_back({kPlainly, {}});
  for (std::string& query : CatalogQueries(db.server_version()))
    statements.push_back({std::move(query), {}});
  statements.push_back({"COMMIT", {}});
  std::vector<pg::Result> results = co_await db.Pipeline(std::move(statements));
  results.pop_back();
  results.erase(results.begin(), results.begin() + 3);
  co_return results;
}

// One of them is locked: the server's estimates are good enough then.
Task<pg::Result> ReadSizes(pg::Connection& db) {
  bool locked = false;
  try {
    std::vector<pg::Statement> statements;
    statements.push_back({kBegin, {}});
    statements.push_back({kPatience, {}});
    statements.push_back({kSizes, {}});
    statements.push_back({"COMMIT", {}});
    std::vector<pg::Result> results = co_await db.Pipeline(std::move(statements));
    co_return std::move(results.at(2));
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kLockNotAvailable) throw;
    locked = true;
  }
  if (locked && db.in_transaction()) co_await db.Query("ROLLBACK");
  co_return co_await db.Query(kSizesByPages);
}

Task<catalog::Schema> Read(pg::Connection& db) {
  const std::vector<pg::Result> results = co_await ReadCatalogs(db);
  const pg::Result sizes = co_await ReadSizes(db);
  co_return Assemble(results, sizes);
}

Task<> RollBack(pg::Connection& db) {
  if (db.open() && db.in_transaction()) co_await db.Query("ROLLBACK");
}

}  // namespace

Task<catalog::Schema> ReadSchema(guard::Session& session) {
  co_return co_await async::Finally(Read(session.db()), RollBack(session.db()));
}

}  // namespace pgalter::live
