#include "batcher/copy/order.h"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

#include "engine/run/failure.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/identifier.h"

namespace pgalter::copy {

using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void Refuse(ExitCode code, const std::string& order_by, const std::string& why) {
  throw Failure(code, fmt::format("--order-by \"{}\": {}", order_by, why));
}

// An index has the same grammar for its columns.
std::vector<std::string> Columns(const std::string& order_by) {
  const auto statement = sql::ast::ReadStatement(fmt::format("CREATE INDEX ON t ({}\n)", order_by));
  if (!statement) Refuse(ExitCode::kUsage, order_by, statement.error().message);
  const auto* index = statement->As<sql::ast::CreateIndex>();
  if (index == nullptr || index->columns.empty() || !index->included.empty() || index->where)
    Refuse(ExitCode::kUsage, order_by, "give columns, as in: customer, made");
  std::vector<std::string> names;
  for (const sql::ast::IndexColumn& column : index->columns) {
    if (column.column.empty() || column.descending || column.nulls_first ||
        !column.collation.name.empty() || !column.operator_class.name.empty())
      Refuse(ExitCode::kUsage, order_by,
             "names of columns only, ascending: what is near in the one direction is near in the "
             "other");
    names.push_back(column.column);
  }
  return names;
}

constexpr const char* kColumns = R"sql(
SELECT quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM unnest($2::text[]) WITH ORDINALITY AS w (name, n)
LEFT JOIN pg_attribute a ON a.attrelid = $1 AND a.attname = w.name AND a.attnum > 0
  AND NOT a.attisdropped
ORDER BY w.n
)sql";

// Indexes whose first columns are these, in the order that ORDER BY has, and by operators that are
// found in pg_catalog.
constexpr const char* kIndexes = R"sql(
SELECT FROM pg_index x
WHERE x.indrelid = $1 AND x.indisvalid AND x.indpred IS NULL
  AND (SELECT amname FROM pg_class i JOIN pg_am am ON am.oid = i.relam
       WHERE i.oid = x.indexrelid) = 'btree'
  AND x.indnkeyatts >= cardinality($2::text[])
  AND NOT EXISTS (
    SELECT FROM unnest($2::text[]) WITH ORDINALITY AS w (name, n)
    LEFT JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = x.indkey[w.n - 1]
    WHERE a.attname IS DISTINCT FROM w.name OR x.indoption[w.n - 1] <> 0
      OR x.indcollation[w.n - 1] <> a.attcollation
      OR NOT EXISTS (
        SELECT FROM pg_opclass c
        JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 5
          AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
        JOIN pg_operator o ON o.oid = m.amopopr
        WHERE c.oid = x.indclass[w.n - 1] AND c.opcdefault
          AND o.oprnamespace = 'pg_catalog'::regnamespace))
)sql";

// No two rows have the same key.
void AddKey(const capture::Flow& flow, const std::string& order_by,
            std::vector<OrderColumn>& order) {
  for (const capture::KeyColumn& key : flow.key) {
    if (std::ranges::find(order, key.from, &OrderColumn::name) != order.end()) continue;
    if (!key.equals.starts_with("OPERATOR(pg_catalog."))
      Refuse(ExitCode::kRefused, order_by,
             fmt::format("rows of the same values are told apart by {}, whose type is not one of "
                         "PostgreSQL's own",
                         key.from));
    order.push_back({key.from, key.type});
  }
}

}  // namespace

Task<std::vector<OrderColumn>> ReadOrder(Session& session, const capture::Flow& flow,
                                         std::string order_by) {
  if (flow.from_partitioned || flow.to_partitioned)
    Refuse(ExitCode::kRefused, order_by, "only rows of a plain table have one order");
  const std::vector<std::string> names = Columns(order_by);
  const pg::Result rows = co_await session.db().Query(kColumns, flow.from_oid, names);
  std::vector<OrderColumn> order;
  for (int i = 0; i < rows.rows(); ++i) {
    const std::string quoted = sql::QuoteIdentifier(names[static_cast<std::size_t>(i)]);
    if (rows.IsNull(i, 0))
      Refuse(ExitCode::kUsage, order_by, fmt::format("{} has no column {}", flow.from, quoted));
    if (!rows.Get<bool>(i, 2))
      Refuse(ExitCode::kRefused, order_by,
             fmt::format("{} may be NULL, and a copy goes from value to value: set it NOT NULL "
                         "first, or take another",
                         quoted));
    order.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1)});
  }
  const pg::Result indexes = co_await session.db().Query(kIndexes, flow.from_oid, names);
  if (indexes.empty())
    Refuse(ExitCode::kRefused, order_by,
           fmt::format("no index of {0} begins with these columns, ascending and of PostgreSQL's "
                       "own types, so each chunk would have to read all rows. Make one first: "
                       "CREATE INDEX CONCURRENTLY ON {0} ({1})",
                       flow.from, order_by));
  AddKey(flow, order_by, order);
  co_return order;
}

}  // namespace pgalter::copy
