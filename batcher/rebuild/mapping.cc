#include "batcher/rebuild/mapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "batcher/backfill/moving.h"
#include "batcher/backfill/write_out.h"
#include "batcher/capture/exact.h"
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

// The column that an expression is, and nothing else.
std::optional<std::string> PlainColumn(const std::string& expression, const std::string& relname) {
  const auto name = sql::ParseQualifiedName(expression);
  const auto facts = sql::ParseExpression(expression);
  if (!name || !facts || facts->columns.size() != 1) return std::nullopt;
  const sql::ColumnUse& use = facts->columns.front();
  const std::string qualifier = name->schema.value_or("");
  const bool same = use.name == name->name && use.qualifier == qualifier && use.schema.empty();
  if (!same || use.whole_row || (!qualifier.empty() && qualifier != relname)) return std::nullopt;
  return name->name;
}

// Of the new table, what each column is given: its value, or that of the column of this name.
struct GivenColumn {
  std::string name;
  std::string from;       // not empty: a column that comes over as it is
  bool computed = false;  // by an expression
};

Task<std::vector<GivenColumn>> ReadGiven(Session& session, const Names& names, const Spec& spec,
                                         pg::Oid source) {
  const std::map<std::string, std::string> given = GivenValues(names, spec);
  const pg::Result rows = co_await session.db().Query(
      "SELECT attname, attrelid = $1 FROM pg_attribute WHERE attrelid IN ($1, $2::regclass)"
      " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
      source, names.shadow);
  std::vector<std::string> old;
  for (int i = 0; i < rows.rows(); ++i)
    if (rows.Get<bool>(i, 1)) old.push_back(rows.Get<std::string>(i, 0));
  const auto is_old = [&old](const std::string& name) {
    return std::ranges::find(old, name) != old.end();
  };
  std::vector<GivenColumn> columns;
  for (int i = 0; i < rows.rows(); ++i) {
    if (rows.Get<bool>(i, 1)) continue;
    GivenColumn column;
    column.name = rows.Get<std::string>(i, 0);
    const auto value = given.find(column.name);
    column.computed = value != given.end();
    std::optional<std::string> from = column.name;
    if (column.computed) from = PlainColumn(value->second, names.relname);
    if (from && is_old(*from)) {
      column.from = *from;
      column.computed = false;
    }
    columns.push_back(std::move(column));
  }
  co_return columns;
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

// $1 the old table, $2 the new one, $3 and $4 their columns with the same values: the columns by
// which a row is found in both tables. Values must come over as they are, or in a type in which the
// same values are equal.
constexpr const char* kKey = R"sql(
SELECT x.indexrelid::int8, quote_ident(s.attname), format_type(s.atttypid, -1),
       (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM pg_opclass c JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
          AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
        JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE c.oid = x.indclass[k.n - 1]),
       quote_ident(t.attname)
FROM pg_index x
CROSS JOIN LATERAL unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY k (attnum, n)
JOIN pg_attribute s ON s.attrelid = x.indrelid AND s.attnum = k.attnum
LEFT JOIN LATERAL (
  SELECT t.attname
  FROM unnest($3::text[], $4::text[]) WITH ORDINALITY m (old, new, n)
  JOIN pg_attribute t ON t.attrelid = $2::regclass AND t.attname = m.new AND NOT t.attisdropped
  WHERE m.old = s.attname AND t.attnotnull AND s.attcollation = t.attcollation
    AND (s.atttypid = t.atttypid OR s.atttypid IN (20, 21, 23) AND t.atttypid IN (20, 21, 23)
         OR s.atttypid IN (25, 1043) AND t.atttypid IN (25, 1043))
  ORDER BY m.n LIMIT 1) t ON true
WHERE x.indrelid = $1 AND x.indisunique AND x.indimmediate AND x.indisvalid
  AND x.indpred IS NULL AND x.indexprs IS NULL
  AND NOT EXISTS (SELECT FROM unnest(x.indkey[0:x.indnkeyatts - 1]) c
                  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = c
                  LEFT JOIN pg_collation co ON co.oid = a.attcollation
                  WHERE NOT a.attnotnull OR NOT coalesce(co.collisdeterministic, true)
                    OR EXISTS (SELECT FROM pg_constraint n
                       WHERE n.conrelid = a.attrelid AND n.contype = 'n'
                         AND n.conkey = ARRAY[a.attnum] AND NOT n.convalidated))
ORDER BY x.indisprimary DESC, x.indnkeyatts, x.indexrelid, k.n
)sql";

// NOT NULL: no row is found by a NULL.
constexpr const char* kPartitionKey = R"sql(
SELECT quote_ident(s.attname), format_type(s.atttypid, -1),
       (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM pg_opclass c JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
          AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
        JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE c.oid = p.partclass[k.n - 1]),
       s.attnotnull AND t.attnotnull
         AND s.attcollation = t.attcollation AND s.atttypid = t.atttypid
         AND coalesce(co.collisdeterministic, true), quote_ident(t.attname)
FROM pg_partitioned_table p
CROSS JOIN LATERAL unnest(p.partattrs::int2[]) WITH ORDINALITY k (attnum, n)
JOIN pg_attribute t ON t.attrelid = p.partrelid AND t.attnum = k.attnum
JOIN unnest($3::text[], $4::text[]) m (old, new) ON m.new = t.attname
JOIN pg_attribute s ON s.attrelid = $1 AND s.attname = m.old AND NOT s.attisdropped
LEFT JOIN pg_collation co ON co.oid = s.attcollation
WHERE p.partrelid = $2::regclass AND p.partstrat IN ('r', 'l') AND k.attnum > 0
ORDER BY k.n
)sql";

// Of a key's type, without its length or scale: what the log has for it. Users may make it wider
// meanwhile, and the operators of the one compare with those of the others by the same indexes.
std::string Widest(std::string type) {
  if (type == "smallint" || type == "integer") return "bigint";
  return type == "character varying" ? "text" : type;
}

// $1 the table whose values go into $2, $3 and $4 their columns, side by side and quoted: those
// that an assignment may change without a word, with their types. What it refuses is not among
// them: an integer that is too large, a text that is too long.
constexpr const char* kInexact = R"sql(
SELECT m.into_column, format_type(s.atttypid, s.atttypmod), format_type(t.atttypid, t.atttypmod),
       y.typcategory IN ('N', 'D', 'T', 'S', 'B', 'V', 'I', 'E')
FROM unnest($3::text[], $4::text[]) m (of_column, into_column)
JOIN pg_attribute s ON s.attrelid = $1 AND quote_ident(s.attname) = m.of_column
  AND s.attnum > 0 AND NOT s.attisdropped
JOIN pg_attribute t ON t.attrelid = $2 AND quote_ident(t.attname) = m.into_column
  AND t.attnum > 0 AND NOT t.attisdropped
JOIN pg_type y ON y.oid = s.atttypid
WHERE NOT (s.atttypid = t.atttypid AND t.atttypmod IN (-1, s.atttypmod)
           OR s.atttypid IN (20, 21, 23) AND t.atttypid IN (20, 21, 23)
           OR s.atttypid IN (25, 1043) AND t.atttypid IN (25, 1043)
              AND (t.atttypmod = -1
                   OR s.atttypid = 1043 AND s.atttypmod BETWEEN 0 AND t.atttypmod))
)sql";

// The columns of which this is so.
Task<std::vector<SameColumn>> KeepExact(Session& session, capture::Flow& flow,
                                        std::vector<SameColumn> columns) {
  std::vector<SameColumn> kept;
  const pg::Result rows = co_await session.db().Query(kInexact, flow.from_oid, flow.to_oid,
                                                      FromOf(columns), ToOf(columns));
  for (int i = 0; i < rows.rows(); ++i) {
    const auto name = rows.Get<std::string>(i, 0);
    capture::OtherType types;
    types.from = rows.Get<std::string>(i, 1);
    types.to = rows.Get<std::string>(i, 2);
    types.compared = rows.Get<bool>(i, 3);
    for (capture::MappedColumn& column : flow.columns)
      if (column.to == name) column.value = capture::Exactly(column.value, name, types);
    kept.push_back({name, types.to});
  }
  co_return kept;
}

std::string SayExact(const std::vector<SameColumn>& columns) {
  std::vector<std::string> types;
  for (const SameColumn& column : columns)
    types.push_back(fmt::format("{} {}", column.from, column.to));
  return fmt::format(
      "a revert is refused, with the key of the row, while one that was written since the cut-over "
      "has a value that would be another one as {}",
      fmt::join(types, ", "));
}

// What a column that is not written on the way back is in rows that the old table does not have.
const char* OfNewRows(bool needs_value) {
  return needs_value
             ? "rows that are new since, or have another key, have no value for it, which is "
               "NOT NULL without a default: one such row stops the revert until it is gone"
             : "rows that are new since get its default";
}

}  // namespace

Task<> KeepKeyExact(Session& session, capture::Flow& flow) {
  std::vector<SameColumn> columns;
  for (const capture::KeyColumn& column : flow.key) columns.push_back({column.from, column.to});
  co_await KeepExact(session, flow, std::move(columns));
}

Task<std::vector<SameColumn>> SameColumns(Session& session, const Names& names, const Spec& spec,
                                          pg::Oid source) {
  std::vector<SameColumn> same;
  std::vector<SameColumn> others;
  const std::vector<GivenColumn> given = co_await ReadGiven(session, names, spec, source);
  for (const GivenColumn& column : given)
    if (!column.from.empty())
      (column.from == column.name ? same : others).push_back({column.from, column.name});
  same.insert(same.end(), others.begin(), others.end());
  co_return same;
}

Task<std::vector<std::string>> ComputedColumns(Session& session, const Names& names,
                                               const Spec& spec, pg::Oid source) {
  std::vector<std::string> computed;
  const std::vector<GivenColumn> given = co_await ReadGiven(session, names, spec, source);
  for (const GivenColumn& column : given)
    if (column.computed) computed.push_back(column.name);
  co_return computed;
}

std::vector<SameColumn> Renamed(const std::vector<SameColumn>& same) {
  std::vector<SameColumn> first;
  for (const SameColumn& column : same)
    if (std::ranges::find(first, column.from, &SameColumn::from) == first.end())
      first.push_back(column);
  std::erase_if(first, [](const SameColumn& column) { return column.from == column.to; });
  return first;
}

std::vector<std::string> FromOf(const std::vector<SameColumn>& columns) {
  std::vector<std::string> names;
  for (const SameColumn& column : columns) names.push_back(column.from);
  return names;
}

std::vector<std::string> ToOf(const std::vector<SameColumn>& columns) {
  std::vector<std::string> names;
  for (const SameColumn& column : columns) names.push_back(column.to);
  return names;
}

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
  const std::vector<SameColumn> same = co_await SameColumns(session, names, spec, source);
  const pg::Result rows =
      co_await session.db().Query(kKey, source, names.shadow, FromOf(same), ToOf(same));
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
    usable = usable && !rows.IsNull(i, 4);
    if (usable)
      key.push_back({rows.Get<std::string>(i, 1), rows.Get<std::string>(i, 4),
                     Widest(rows.Get<std::string>(i, 2)), rows.Get<std::string>(i, 3)});
  }
  throw Failure(
      ExitCode::kRefused,
      fmt::format("cannot rebuild {}: no unique key stays as it is in the new definition, "
                  "so no row could be found again there. Keep one, or change its type "
                  "only from one integer to another, or from varchar to text; where its column has "
                  "another name, NOT NULL as it was, say so with --map 'NEW = OLD'",
                  names.source));
}

Task<std::vector<capture::KeyColumn>> WithPartitionKey(Session& session, const Names& names,
                                                       const Spec& spec, pg::Oid source,
                                                       std::vector<capture::KeyColumn> key) {
  const std::vector<SameColumn> same = co_await SameColumns(session, names, spec, source);
  const pg::Result rows =
      co_await session.db().Query(kPartitionKey, source, names.shadow, FromOf(same), ToOf(same));
  for (int i = 0; i < rows.rows(); ++i) {
    const auto name = rows.Get<std::string>(i, 4);
    if (!rows.Get<bool>(i, 3)) continue;
    if (std::ranges::any_of(key, [&](const auto& column) { return column.to == name; })) continue;
    key.push_back({rows.Get<std::string>(i, 0), name, Widest(rows.Get<std::string>(i, 1)),
                   rows.Get<std::string>(i, 2)});
  }
  co_return key;
}

Task<std::optional<capture::Flow>> FlowBack(Session& session, const Names& names, const Spec& spec,
                                            const capture::Flow& forward,
                                            std::vector<capture::KeyColumn> key,
                                            std::vector<std::string>& remarks) {
  const std::vector<SameColumn> same = co_await SameColumns(session, names, spec, forward.from_oid);
  capture::Flow back = forward;
  back.name = "reverse" + forward.name.substr(std::string_view("forward").size());
  std::swap(back.from_oid, back.to_oid);
  std::swap(back.from, back.to);
  std::swap(back.from_partitioned, back.to_partitioned);
  back.key = std::move(key);
  for (capture::KeyColumn& column : back.key) std::swap(column.from, column.to);
  back.columns.clear();
  std::vector<SameColumn> same_back;
  const pg::Result rows = co_await session.db().Query(
      "SELECT quote_ident(s.attname), format_type(s.atttypid, s.atttypmod),"
      " (SELECT quote_ident(m.new) FROM unnest($2::text[], $3::text[]) WITH ORDINALITY m (old, "
      "new, "
      "n) WHERE m.old = s.attname ORDER BY m.n LIMIT 1),"
      " (s.attnotnull OR t.typnotnull) AND NOT s.atthasdef AND s.attidentity = ''"
      "   AND t.typdefault IS NULL"
      " FROM pg_attribute s JOIN pg_type t ON t.oid = s.atttypid"
      " WHERE s.attrelid = $1 AND s.attnum > 0 AND NOT s.attisdropped AND s.attgenerated = ''"
      " ORDER BY s.attnum",
      forward.from_oid, FromOf(same), ToOf(same));
  for (int i = 0; i < rows.rows(); ++i) {
    const auto column = rows.Get<std::string>(i, 0);
    // A value that was computed cannot be turned back, and stays what it was.
    if (rows.IsNull(i, 2)) {
      back.in_place = true;
      remarks.push_back(fmt::format("a revert gives column {} back as it was at the cut-over; {}",
                                    column, OfNewRows(rows.Get<bool>(i, 3))));
      continue;
    }
    const auto from = rows.Get<std::string>(i, 2);
    same_back.push_back({from, column});
    back.columns.push_back(
        {column, fmt::format("{}.{}", forward.alias, from), rows.Get<std::string>(i, 1)});
  }
  const std::vector<SameColumn> exact = co_await KeepExact(session, back, std::move(same_back));
  const pg::Result types = co_await session.db().Query(
      "SELECT quote_ident(attname), format_type(atttypid, -1) FROM pg_attribute"
      " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped",
      forward.to_oid);
  for (capture::KeyColumn& column : back.key)
    for (int i = 0; i < types.rows(); ++i)
      if (types.Get<std::string>(i, 0) == column.from)
        column.type = Widest(types.Get<std::string>(i, 1));
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
  if (possible && !exact.empty()) remarks.push_back(SayExact(exact));
  if (possible) co_return back;
  remarks.push_back("the new values cannot be put back into the old types: there is no revert");
  co_return std::nullopt;
}

}  // namespace pgalter::rebuild
