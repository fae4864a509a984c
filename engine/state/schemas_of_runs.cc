#include "engine/state/schemas_of_runs.h"

namespace pgalter::state {

namespace {

enum class Ledger { kNone, kUnreadable, kReadable };

Task<Ledger> LookForLedger(Session& session) {
  const pg::Result row = co_await session.db().Query(
      "SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
      " AND pg_catalog.has_table_privilege(c.oid, 'SELECT')"
      " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
      " WHERE n.nspname = 'pgalter' AND c.relname = 'artefact'");
  if (row.empty()) co_return Ledger::kNone;
  co_return row.Get<bool>(0, 0) ? Ledger::kReadable : Ledger::kUnreadable;
}

// pgalter_1a2b3c4d, of its second table with _2, of the tables that left with _old.
constexpr const char* kByName =
    "SELECT nspname FROM pg_catalog.pg_namespace"
    " WHERE nspname ~ '^pgalter_[0-9a-f]{8}(_[0-9]+)?(_old)?$' ORDER BY nspname";
constexpr const char* kByLedger =
    "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname IN (SELECT a.name FROM"
    " pgalter.artefact a WHERE a.kind = 'schema' AND a.dropped_at IS NULL) ORDER BY nspname";

}  // namespace

Task<std::vector<std::string>> SchemasOfRuns(Session& session) {
  std::vector<std::string> schemas;
  const Ledger ledger = co_await LookForLedger(session);
  if (ledger == Ledger::kNone) co_return schemas;
  const char* query = ledger == Ledger::kReadable ? kByLedger : kByName;
  const pg::Result rows = co_await session.db().Query(query);
  for (int i = 0; i < rows.rows(); ++i) schemas.push_back(rows.Get<std::string>(i, 0));
  co_return schemas;
}

}  // namespace pgalter::state
