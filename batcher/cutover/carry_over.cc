#include "batcher/cutover/carry_over.h"

#include <cstdint>
#include <utility>

#include "batcher/capture/parts.h"
#include "batcher/cutover/carried.h"
#include "engine/async/fail_point.h"

namespace pgalter::cutover {

namespace {

void Sort(const pg::Result& rows, const Carried& kind, CarryOver& carry) {
  const bool drops = kind.safeguard == nullptr || async::SafeguardOn(kind.safeguard);
  for (int i = 0; i < rows.rows(); ++i) {
    const char at = rows.Bytes(i, 0).front();
    std::string statement = rows.Get<std::string>(i, 1);
    if (at == 'b') {
      if (drops) carry.before.push_back(std::move(statement));
    } else if (at == 'a') {
      carry.after.push_back(std::move(statement));
    } else if (at == 'r') {
      carry.back.push_back(std::move(statement));
    } else if (at == 'v') {
      carry.validate.push_back(std::move(statement));
    } else {
      carry.adopt.push_back(std::move(statement));
    }
  }
}

Task<CarryOver> ReadKinds(Session& session, std::vector<const Carried*> kinds, Exchange tables) {
  pg::Connection& db = session.db();
  tables.server_version = db.server_version();
  std::vector<pg::Statement> statements;
  for (const Carried* kind : kinds) statements.push_back(Ask(*kind, tables));
  const auto results = co_await db.Pipeline(std::move(statements));
  CarryOver carry;
  for (std::size_t i = 0; i < results.size(); ++i) Sort(results[i], *kinds[i], carry);
  co_return carry;
}

}  // namespace

Task<CarryOver> ReadCarryOver(Session& session, pg::Oid leaving, pg::Oid coming, std::string name,
                              std::string name_to_be, Staying staying) {
  Exchange tables{.leaving = leaving, .coming = coming};
  tables.name = std::move(name);
  tables.name_to_be = std::move(name_to_be);
  tables.staying = std::move(staying);
  std::vector<const Carried*> kinds;
  for (const Carried* kind : AllCarried())
    if (kind->stays == nullptr || !(tables.staying.*kind->stays)) kinds.push_back(kind);
  co_return co_await ReadKinds(session, std::move(kinds), std::move(tables));
}

Task<CarryOver> ReadInboundKeys(Session& session, pg::Oid table, Staying staying) {
  Exchange tables{.leaving = table, .coming = table};
  tables.staying = std::move(staying);
  std::vector<const Carried*> kinds{&kInboundKeys, &kInboundKeyComments};
  co_return co_await ReadKinds(session, std::move(kinds), std::move(tables));
}

Task<Joined> ReadJoined(Session& session, pg::Oid table) {
  std::vector<std::int64_t> oids{table};
  for (const capture::Part& part : co_await capture::ReadParts(session, table))
    oids.push_back(part.oid);
  const pg::Result rows = co_await session.db().Query(
      "SELECT DISTINCT o.outbound, format('%I.%I', n.nspname, c.relname), c.oid::int8"
      " FROM pg_constraint f CROSS JOIN LATERAL (SELECT f.conrelid = ANY ($1::int8[]) AS outbound) "
      "o"
      " JOIN pg_class c ON c.oid = CASE WHEN o.outbound THEN f.confrelid ELSE f.conrelid END"
      " JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE f.contype = 'f' AND o.outbound <> (f.confrelid = ANY ($1::int8[])) ORDER BY 3",
      oids);
  Joined joined;
  for (int i = 0; i < rows.rows(); ++i)
    (rows.Get<bool>(i, 0) ? joined.referenced : joined.referencing)
        .push_back(rows.Get<std::string>(i, 1));
  co_return joined;
}

}  // namespace pgalter::cutover
