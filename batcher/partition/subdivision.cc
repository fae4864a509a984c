#include "batcher/partition/subdivision.h"

#include <fmt/format.h>

#include "batcher/partition/alike.h"
#include "batcher/partition/lookup.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

namespace {

// A name that does not begin with the partition's is told by its place among the others.
constexpr const char* kSubParts = R"sql(
SELECT pg_get_partkeydef(p.oid), c.relkind = 'p',
       CASE WHEN starts_with(c.relname, p.relname)
                 AND length(c.relname) > length(p.relname)
            THEN substr(c.relname, length(p.relname) + 1)
            ELSE '_' || row_number() OVER (ORDER BY c.oid) END,
       pg_get_expr(c.relpartbound, c.oid),
       format('%I.%I', n.nspname, c.relname)
FROM pg_class p JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.oid = $1 AND p.relkind = 'p' AND NOT i.inhdetachpending
ORDER BY pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', c.oid
)sql";

}  // namespace

namespace {

// What tells the partition from the others stands at the end of its name, and stays; what is cut
// is the middle. Never within a character.
std::string SubName(const std::string& relname, const std::string& end) {
  constexpr std::size_t kMost = 63;
  constexpr std::size_t kTail = 20;
  if (relname.size() + end.size() <= kMost || relname.size() <= kTail)
    return PartName(relname, end);
  std::size_t tail = relname.size() - kTail;
  while ((static_cast<unsigned char>(relname[tail]) & 0xC0U) == 0x80U) ++tail;
  return PartName(relname, relname.substr(tail) + end);
}

}  // namespace

std::vector<std::string> NamesOf(const Subdivision& subdivision, const std::string& relname) {
  std::vector<std::string> names;
  for (const SubPart& part : subdivision.parts) names.push_back(SubName(relname, part.end));
  return names;
}

std::vector<std::string> MakeSubParts(const Subdivision& subdivision, const std::string& home,
                                      const std::string& relname, const std::string& storage) {
  std::vector<std::string> statements;
  const std::vector<std::string> names = NamesOf(subdivision, relname);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const SubPart& part = subdivision.parts[i];
    statements.push_back(fmt::format(
        "CREATE {}TABLE {}.{} PARTITION OF {}.{} {}{}", part.persistence, home, names[i], home,
        sql::QuoteIdentifier(relname), part.bound, part.storage.empty() ? storage : part.storage));
  }
  return statements;
}

Task<Subdivision> SubdivisionOf(Session& session, pg::Oid partition) {
  const pg::Result rows = co_await session.db().Query(kSubParts, partition);
  Subdivision subdivision;
  for (int i = 0; i < rows.rows(); ++i) {
    subdivision.by = rows.Get<std::string>(i, 0);
    if (rows.Get<bool>(i, 1))
      throw run::Failure(run::ExitCode::kRefused,
                         fmt::format("{} is a partition of a partition and is partitioned itself: "
                                     "partitions like that are not made here, only one level of "
                                     "them. Nothing was changed",
                                     rows.Get<std::string>(i, 4)));
    const auto name = rows.Get<std::string>(i, 4);
    Storage storage = co_await StorageOf(session, name);
    subdivision.parts.push_back({rows.Get<std::string>(i, 2), rows.Get<std::string>(i, 3),
                                 std::move(storage.rest), std::move(storage.persistence)});
  }
  co_return subdivision;
}

}  // namespace pgalter::partition
