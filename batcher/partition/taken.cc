#include "batcher/partition/taken.h"

#include <fmt/format.h>

#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

namespace {

// $1 the schema, quoted, $2 the table's name, $3 that of the type of its arrays, empty where it
// does not matter, $4 the table that leaves.
constexpr const char* kTaken = R"sql(
SELECT 1, format('%I.%I', n.nspname, c.relname)
FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
WHERE quote_ident(n.nspname) = $1::text AND c.relname = $2::text AND c.oid <> $4
UNION ALL
SELECT 2 + (e.oid IS NOT NULL)::int, format('%I.%I%s', n.nspname, o.typname, ', of arrays of ' || format_type(e.oid, NULL) || ',')
FROM pg_namespace n JOIN pg_type o ON o.typnamespace = n.oid
LEFT JOIN pg_type e ON e.oid = o.typelem AND e.typarray = o.oid
WHERE quote_ident(n.nspname) = $1::text
  AND (o.typname = $2::text AND (e.oid IS NULL OR $3::text <> '') OR o.typname = $3::text)
  AND ($4 = 0 OR coalesce(e.typrelid, o.typrelid) <> $4)
ORDER BY 1, 2 LIMIT 1
)sql";

std::string Unquoted(const std::string& name) {
  const auto parsed = sql::ParseQualifiedName(name);
  return parsed ? parsed->name : name;
}

// As the server calls it, where nothing has that name.
std::string ArraysOf(const std::string& relname) {
  constexpr std::size_t kMost = 63;
  std::string name = "_" + relname;
  if (name.size() <= kMost) return name;
  std::size_t cut = kMost;
  // Not within a character.
  while ((static_cast<unsigned char>(name[cut]) & 0xC0U) == 0x80U) --cut;
  return name.substr(0, cut);
}

}  // namespace

Task<std::string> FindTaken(Session& session, Place place, Arrival arrival) {
  const std::string relname = Unquoted(place.name);
  std::string arrays;
  if (arrival == Arrival::kMovedThere) arrays = ArraysOf(relname);
  const pg::Result row =
      co_await session.db().Query(kTaken, place.home, relname, arrays, place.leaving);
  if (row.empty()) co_return "";
  const auto what = row.Get<std::string>(0, 1);
  if (row.Get<int>(0, 0) == 1)
    co_return fmt::format(
        "there is a relation {} already, which a partition would be called: rename it", what);
  co_return fmt::format(
      "type {} stands where the type of table {}.{} is to go, or that of its arrays: rename it, or "
      "move it to another schema",
      what, place.home, place.name);
}

Task<> RefuseTaken(Session& session, Place place, Arrival arrival) {
  const std::string taken = co_await FindTaken(session, std::move(place), arrival);
  if (taken.empty()) co_return;
  throw run::Failure(run::ExitCode::kRefused, taken + ". Nothing was changed");
}

}  // namespace pgalter::partition
