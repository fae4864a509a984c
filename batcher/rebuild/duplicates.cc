#include "batcher/rebuild/duplicates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <vector>

#include "batcher/capture/flow_sql.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/identifier.h"

namespace pgalter::rebuild {

namespace {

// Columns and expressions of the index, with what else decides which rows are the same.
struct Sameness {
  std::vector<std::string> columns;
  std::string where = "true";
};

std::optional<Sameness> ReadSameness(const Index& index) {
  const auto statement = sql::ast::ReadStatement(index.create);
  const auto* create = statement ? statement->As<sql::ast::CreateIndex>() : nullptr;
  if (create == nullptr) return std::nullopt;
  Sameness same;
  for (const sql::ast::IndexColumn& column : create->columns)
    same.columns.push_back(column.expression ? fmt::format("({})", column.expression->text)
                                             : "t." + sql::QuoteIdentifier(column.column));
  if (create->where) same.where = fmt::format("({})", create->where->text);
  if (!create->nulls_not_distinct)
    for (const std::string& column : same.columns)
      same.where += fmt::format(" AND {} IS NOT NULL", column);
  return same;
}

}  // namespace

Task<std::string> DescribeDuplicates(Session& session, const capture::Flow& flow,
                                     const Index& index) {
  const auto same = ReadSameness(index);
  std::string rows = "some rows";
  if (same) {
    const pg::Result found = co_await session.db().Query(fmt::format(
        "SELECT string_agg(shown, ', '), max(n) FROM (SELECT shown, n FROM (SELECT {} AS shown, "
        "count(*) OVER w AS n, dense_rank() OVER (ORDER BY {}) AS r FROM {} AS t WHERE {} WINDOW w "
        "AS (PARTITION BY {})) x WHERE n > 1 ORDER BY r, shown LIMIT 10) y",
        capture::ShownKeyOfTo(flow, "t"), fmt::join(same->columns, ", "), index.table, same->where,
        fmt::join(same->columns, ", ")));
    if (!found.IsNull(0, 0)) rows = "the rows " + found.Get<std::string>(0, 0);
  }
  co_return fmt::format(
      "the unique index {} of the new table cannot be made: {} are the same in it. Nothing was "
      "swapped, the table is as it was, and users' changes are still noted. Change or delete all "
      "but one of each in {}, then: pgalter resume {}; or give another definition after: pgalter "
      "abort {} --yes",
      index.name, rows, flow.from, flow.run, flow.run);
}

}  // namespace pgalter::rebuild
