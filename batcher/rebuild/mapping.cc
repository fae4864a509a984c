#include "batcher/rebuild/mapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "batcher/backfill/moving.h"
#include "batcher/backfill/write_out.h"
#include "batcher/capture/flow_sql.h"
#include "engine/run/failure.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/expression.h"
#include "planner/sql/identifier.h"
#include "planner/sql/set_clause.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

// Values that the user gave: USING of a change of type, and --map.
std::map<std::string, std::string> GivenValues(const Names& names, const Spec& spec) {
  std::map<std::string, std::string> given;
  if (!spec.alter.empty()) {
    const auto statement =
        sql::ast::ReadStatement(fmt::format("ALTER TABLE {} {}", names.source, spec.alter));
    const auto* change = statement ? statement->As<sql::ast::AlterTable>() : nullptr;
    if (change != nullptr)
      for (const auto& command : change->commands)
        if (command.change == sql::ast::TableChange::kSetType && command.expression)
          given[command.name] = command.expression->text;
  }
  for (const std::string& map : spec.maps) {
    const auto set = sql::ParseSetClause(map);
    if (!set)
      throw Failure(ExitCode::kUsage, fmt::format("--map \"{}\": {}", map, set.error().message));
    for (const sql::Assignment& one : *set) given[one.column] = one.expression;
  }
  return given;
}

// A row is carried over at one moment and compared at another, and by itself.
Task<> RefuseMoving(Session& session, const Names& names, const sql::Assignment& one) {
  const auto facts = sql::ParseExpression(one.expression);
  if (!facts) co_return;  // of a newer server than this grammar
  // Users' own are volatile where nobody has said what they are.
  std::vector<sql::FunctionUse> servers;
  for (const sql::FunctionUse& use : facts->functions)
    if (use.name.size() == 1 || use.name.front() == "pg_catalog") servers.push_back(use);
  std::string why;
  const auto moving = co_await backfill::MovingFunctions(session, std::move(servers));
  if (!moving.empty())
    why =
        fmt::format("calls {}, which is another for every row or moment", fmt::join(moving, ", "));
  if (facts->has_subquery) why = "reads other rows, which change meanwhile";
  if (why.empty()) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("cannot rebuild {}: the value \"{}\" of column {} {}: what was copied could not "
                  "be compared with it. Nothing was changed. Rebuild without it, and set the "
                  "column afterwards with: pgalter backfill",
                  names.source, one.expression, sql::QuoteIdentifier(one.column), why));
}

// The same, as they mean something under the role's settings.
Task<std::map<std::string, std::string>> MeantValues(Session& session, const Names& names,
                                                     const Spec& spec) {
  backfill::Expressions text;
  for (const auto& [column, expression] : GivenValues(names, spec))
    text.set.push_back({column, expression});
  std::map<std::string, std::string> meant;
  if (text.set.empty()) co_return meant;
  const pg::Result shadow = co_await session.db().Query("SELECT $1::regclass::oid", names.shadow);
  text = co_await backfill::WriteOut(session, spec.settings, names.source,
                                     shadow.Get<pg::Oid>(0, 0), std::move(text));
  for (sql::Assignment& one : text.set) {
    co_await RefuseMoving(session, names, one);
    meant[one.column] = std::move(one.expression);
  }
  co_return meant;
}

// The columns by which a row is found in both tables. Values must come over as they are, or in a
// type in which the same values are equal.
constexpr const char* kKey = R"sql(
SELECT x.indexrelid::int8, quote_ident(s.attname), format_type(s.atttypid, s.atttypmod),
       (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM pg_opclass c JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
          AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
        JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE c.oid = x.indclass[k.n - 1]),
       t.attname IS NOT NULL AND s.attname <> ALL ($3::text[]) AND s.attcollation = t.attcollation
         AND (s.atttypid = t.atttypid OR s.atttypid IN (20, 21, 23) AND t.atttypid IN (20, 21, 23)
              OR s.atttypid IN (25, 1043) AND t.atttypid IN (25, 1043)),
       t.attnum
FROM pg_index x
CROSS JOIN LATERAL unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY k (attnum, n)
JOIN pg_attribute s ON s.attrelid = x.indrelid AND s.attnum = k.attnum
LEFT JOIN pg_attribute t ON t.attrelid = $2::regclass AND t.attname = s.attname
  AND NOT t.attisdropped AND t.attnotnull
WHERE x.indrelid = $1 AND x.indisunique AND x.indimmediate AND x.indisvalid
  AND x.indpred IS NULL AND x.indexprs IS NULL
  AND NOT EXISTS (SELECT FROM unnest(x.indkey[0:x.indnkeyatts - 1]) c
                  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = c
                  LEFT JOIN pg_collation co ON co.oid = a.attcollation
                  WHERE NOT a.attnotnull OR NOT coalesce(co.collisdeterministic, true))
ORDER BY x.indisprimary DESC, x.indnkeyatts, x.indexrelid, k.n
)sql";

// NOT NULL: no row is found by a NULL.
constexpr const char* kPartitionKey = R"sql(
SELECT quote_ident(s.attname), format_type(s.atttypid, s.atttypmod),
       (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM pg_opclass c JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
          AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
        JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE c.oid = p.partclass[k.n - 1]),
       s.attnotnull AND t.attnotnull AND s.attname <> ALL ($3::text[])
         AND s.attcollation = t.attcollation AND s.atttypid = t.atttypid
         AND coalesce(co.collisdeterministic, true)
FROM pg_partitioned_table p
CROSS JOIN LATERAL unnest(p.partattrs::int2[]) WITH ORDINALITY k (attnum, n)
JOIN pg_attribute t ON t.attrelid = p.partrelid AND t.attnum = k.attnum
JOIN pg_attribute s ON s.attrelid = $1 AND s.attname = t.attname AND NOT s.attisdropped
LEFT JOIN pg_collation co ON co.oid = s.attcollation
WHERE p.partrelid = $2::regclass AND p.partstrat IN ('r', 'l') AND k.attnum > 0
ORDER BY k.n
)sql";

}  // namespace

Task<std::vector<capture::MappedColumn>> MapColumns(Session& session, const Names& names,
                                                    const Spec& spec, pg::Oid source) {
  std::map<std::string, std::string> given = co_await MeantValues(session, names, spec);
  const std::string alias = sql::QuoteIdentifier(names.relname);
  const pg::Result rows = co_await session.db().Query(
      "SELECT t.attname, quote_ident(t.attname), format_type(t.atttypid, t.atttypmod),"
      " s.attname IS NOT NULL, t.attgenerated <> ''"
      " FROM pg_attribute t LEFT JOIN pg_attribute s ON s.attrelid = $1 AND s.attname = t.attname"
      "   AND s.attnum > 0 AND NOT s.attisdropped"
      " WHERE t.attrelid = $2::regclass AND t.attnum > 0 AND NOT t.attisdropped ORDER BY t.attnum",
      source, names.shadow);
  std::vector<capture::MappedColumn> columns;
  for (int i = 0; i < rows.rows(); ++i) {
    const auto name = rows.Get<std::string>(i, 0);
    if (rows.Get<bool>(i, 4)) continue;
    capture::MappedColumn column;
    column.to = rows.Get<std::string>(i, 1);
    column.type = rows.Get<std::string>(i, 2);
    const auto expression = given.find(name);
    if (expression != given.end()) {
      column.value = fmt::format("({})", expression->second);
      given.erase(expression);
    } else if (rows.Get<bool>(i, 3)) {
      column.value = fmt::format("{}.{}", alias, column.to);
    } else {
      continue;  // its default
    }
    columns.push_back(std::move(column));
  }
  if (!given.empty())
    throw Failure(ExitCode::kUsage,
                  fmt::format("the new table of {} has no column {} that could be given a value",
                              names.source, sql::QuoteIdentifier(given.begin()->first)));
  co_return columns;
}

Task<std::vector<capture::KeyColumn>> ChooseKey(Session& session, const Names& names,
                                                const Spec& spec, pg::Oid source) {
  std::vector<std::string> computed;
  for (const auto& [name, value] : GivenValues(names, spec)) computed.push_back(name);
  const pg::Result rows = co_await session.db().Query(kKey, source, names.shadow, computed);
  std::vector<capture::KeyColumn> key;
  bool usable = true;
  for (int i = 0; i <= rows.rows(); ++i) {
    const bool next = i == rows.rows() ||
                      (i > 0 && rows.Get<std::int64_t>(i, 0) != rows.Get<std::int64_t>(i - 1, 0));
    if (next) {
      if (usable && !key.empty()) co_return key;
      key.clear();
      usable = true;
    }
    if (i == rows.rows()) break;
    usable = usable && rows.Get<bool>(i, 4);
    key.push_back({rows.Get<std::string>(i, 1), rows.Get<std::string>(i, 1),
                   rows.Get<std::string>(i, 2), rows.Get<std::string>(i, 3)});
  }
  throw Failure(
      ExitCode::kRefused,
      fmt::format("cannot rebuild {}: no unique key stays as it is in the new definition, "
                  "so no row could be found again there. Keep one, or change its type "
                  "only from one integer to another, or from varchar to text",
                  names.source));
}

Task<std::vector<capture::KeyColumn>> WithPartitionKey(Session& session, const Names& names,
                                                       const Spec& spec, pg::Oid source,
                                                       std::vector<capture::KeyColumn> key) {
  std::vector<std::string> computed;
  for (const auto& [name, value] : GivenValues(names, spec)) computed.push_back(name);
  const pg::Result rows =
      co_await session.db().Query(kPartitionKey, source, names.shadow, computed);
  for (int i = 0; i < rows.rows(); ++i) {
    const auto name = rows.Get<std::string>(i, 0);
    if (!rows.Get<bool>(i, 3)) continue;
    if (std::ranges::any_of(key, [&](const auto& column) { return column.to == name; })) continue;
    key.push_back({name, name, rows.Get<std::string>(i, 1), rows.Get<std::string>(i, 2)});
  }
  co_return key;
}

Task<std::optional<capture::Flow>> FlowBack(Session& session, const Names& names, const Spec& spec,
                                            const capture::Flow& forward,
                                            std::vector<capture::KeyColumn> key,
                                            std::vector<std::string>& remarks) {
  const std::map<std::string, std::string> given = GivenValues(names, spec);
  capture::Flow back = forward;
  back.name = "reverse" + forward.name.substr(std::string_view("forward").size());
  std::swap(back.from_oid, back.to_oid);
  std::swap(back.from, back.to);
  std::swap(back.from_partitioned, back.to_partitioned);
  back.key = std::move(key);
  back.columns.clear();
  const pg::Result rows = co_await session.db().Query(
      "SELECT s.attname, quote_ident(s.attname), format_type(s.atttypid, s.atttypmod),"
      " t.attname IS NOT NULL"
      " FROM pg_attribute s LEFT JOIN pg_attribute t ON t.attrelid = $2 AND t.attname = s.attname"
      "   AND NOT t.attisdropped"
      " WHERE s.attrelid = $1 AND s.attnum > 0 AND NOT s.attisdropped AND s.attgenerated = ''"
      " ORDER BY s.attnum",
      forward.from_oid, forward.to_oid);
  for (int i = 0; i < rows.rows(); ++i) {
    // A value that was computed cannot be turned back, and stays what it was.
    const bool computed = given.contains(rows.Get<std::string>(i, 0));
    const auto column = rows.Get<std::string>(i, 1);
    if (!rows.Get<bool>(i, 3) || computed) {
      back.in_place = true;
      remarks.push_back(
          fmt::format("a revert gives column {} back as it was at the cut-over; rows "
                      "that are new since get its default",
                      column));
      continue;
    }
    back.columns.push_back(
        {column, fmt::format("{}.{}", forward.alias, column), rows.Get<std::string>(i, 2)});
  }
  const pg::Result types = co_await session.db().Query(
      "SELECT quote_ident(attname), format_type(atttypid, atttypmod) FROM pg_attribute"
      " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped",
      forward.to_oid);
  for (capture::KeyColumn& column : back.key)
    for (int i = 0; i < types.rows(); ++i)
      if (types.Get<std::string>(i, 0) == column.from) column.type = types.Get<std::string>(i, 1);
  bool possible = true;
  co_await session.db().Execute("SAVEPOINT pgalter_back");
  try {
    co_await session.db().Query(fmt::format("EXPLAIN {}", capture::CopyStatement(back, back.from)),
                                "(0,0)", "(0,0)");
  } catch (const pg::PgError&) {
    if (!session.db().open()) throw;
    possible = false;
  }
  co_await session.db().Execute("ROLLBACK TO SAVEPOINT pgalter_back");
  if (possible) co_return back;
  remarks.push_back("the new values cannot be put back into the old types: there is no revert");
  co_return std::nullopt;
}

}  // namespace pgalter::rebuild
