#include "batcher/rebuild/shadow.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "batcher/capture/flow_sql.h"
#include "engine/run/failure.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/identifier.h"
#include "planner/sql/set_clause.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

struct Names {
  std::string schema;
  std::string source;   // quoted, with schema
  std::string relname;  // not quoted
  std::string shadow;   // quoted, with schema
};

Task<> Execute(Session& session, const std::vector<std::string>& statements) {
  for (const std::string& sql : statements) co_await session.db().Query(sql);
}

// The columns and what hangs on them alone, as LIKE copies it; the rest of what pg_class and
// pg_attribute say, as statements.
constexpr const char* kColumnSettings = R"sql(
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $2::text, attname,
              to_jsonb(a)->>'attstattarget')
FROM pg_attribute a WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  AND coalesce((to_jsonb(a)->>'attstattarget')::int, -1) >= 0
UNION ALL
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', $2::text, attname,
              (SELECT string_agg(o, ', ') FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%'))
FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  AND EXISTS (SELECT FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%')
UNION ALL
SELECT format('ALTER TABLE %s OWNER TO %I', $2::text, pg_get_userbyid(relowner))
FROM pg_class WHERE oid = $1 AND relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
)sql";

Task<std::vector<std::string>> Statements(Session& session, std::string query, pg::Oid oid,
                                          std::string name) {
  const pg::Result rows = co_await session.db().Query(query, oid, name);
  std::vector<std::string> statements;
  for (int i = 0; i < rows.rows(); ++i) statements.push_back(rows.Get<std::string>(i, 0));
  co_return statements;
}

Task<> MakeEmpty(Session& session, const Names& names, pg::Oid source) {
  pg::Connection& db = session.db();
  const pg::Result storage = co_await db.Query(
      "SELECT CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,"
      " coalesce(' USING ' || quote_ident(am.amname), ''),"
      " coalesce(' WITH (' || (SELECT string_agg(o, ', ') FROM ("
      "   SELECT unnest(c.reloptions) UNION ALL SELECT 'toast.' || unnest(t.reloptions)) x (o))"
      "   || ')', ''),"
      " coalesce(' TABLESPACE ' || quote_ident(ts.spcname), '')"
      " FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid"
      " LEFT JOIN pg_am am ON am.oid = c.relam LEFT JOIN pg_tablespace ts ON ts.oid = "
      "c.reltablespace"
      " WHERE c.oid = $1",
      source);
  co_await db.Query(fmt::format(
      "CREATE {}TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
      "INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS){}{}{}",
      storage.Get<std::string>(0, 0), names.shadow, names.source, storage.Get<std::string>(0, 1),
      storage.Get<std::string>(0, 2), storage.Get<std::string>(0, 3)));
  co_await Execute(session, co_await Statements(session, kColumnSettings, source, names.shadow));
  // Default privileges must not open it to anybody.
  const pg::Result grantees = co_await db.Query(
      "SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid("
      "a.grantee)) END FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1::regclass"
      " AND a.grantee <> c.relowner",
      names.shadow);
  for (int i = 0; i < grantees.rows(); ++i)
    co_await db.Query(fmt::format("REVOKE ALL ON TABLE {} FROM {}", names.shadow,
                                  grantees.Get<std::string>(i, 0)));
}

// Under the role's own search_path: the text is the user's.
Task<> Alter(Session& session, const Names& names, const Spec& spec) {
  if (spec.alter.empty()) co_return;
  pg::Connection& db = session.db();
  for (const auto& [name, value] : spec.settings)
    co_await db.Query("SELECT set_config($1, $2, true)", name, value);
  std::optional<Failure> refused;
  try {
    co_await db.Query(fmt::format("ALTER TABLE {} {}", names.shadow, spec.alter));
  } catch (const pg::PgError& error) {
    if (!db.open()) throw;
    refused.emplace(ExitCode::kUsage, fmt::format("the server refuses --alter \"{}\": {}. Nothing "
                                                  "was changed",
                                                  spec.alter, error.what()));
  }
  if (refused) throw *refused;
  co_await db.Query("SELECT set_config('search_path', 'pg_catalog', true)");
}

// A copy must not fail on rows that a constraint lets live on; it comes back as it was.
Task<std::vector<std::string>> TakeInvalidChecks(Session& session, const Names& names,
                                                 pg::Oid source) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', $2::text, s.conname),"
      " format('ADD CONSTRAINT %I %s%s', s.conname, pg_get_constraintdef(t.oid),"
      "   CASE WHEN pg_get_constraintdef(t.oid) LIKE '% NOT VALID' THEN '' ELSE ' NOT VALID' END)"
      " FROM pg_constraint s JOIN pg_constraint t ON t.conname = s.conname AND t.conrelid = "
      "$2::text::regclass"
      " WHERE s.conrelid = $1 AND s.contype = 'c' AND t.contype = 'c' AND NOT s.convalidated",
      source, names.shadow);
  std::vector<std::string> later;
  for (int i = 0; i < rows.rows(); ++i) {
    co_await session.db().Query(rows.Get<std::string>(i, 0));
    later.push_back(rows.Get<std::string>(i, 1));
  }
  co_return later;
}

Task<> Strip(Session& session, const Names& names, const std::vector<Index>& indexes) {
  for (const Index& index : indexes) {
    const std::string drop =
        index.constraint.empty()
            ? fmt::format("DROP INDEX {}.{}", names.schema, index.name)
            : fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", names.shadow, index.name);
    co_await session.db().Query(drop);
  }
}

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

Task<std::vector<capture::MappedColumn>> MapColumns(Session& session, const Names& names,
                                                    const Spec& spec, pg::Oid source) {
  std::map<std::string, std::string> given = GivenValues(names, spec);
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
                  fmt::format("the new table has no column {} that could be given a value",
                              sql::QuoteIdentifier(given.begin()->first)));
  co_return columns;
}

// What could not be carried over to the new definition, found before anything is copied.
constexpr const char* kInTheWay = R"sql(
SELECT CASE WHEN v.oid IS NULL THEN pg_describe_object(d.classid, d.objid, 0)
            ELSE pg_describe_object('pg_class'::regclass, v.oid, 0) END, s.attname,
       CASE WHEN t.attnum IS NULL THEN 'is not in the new definition' ELSE 'changes its type' END
FROM pg_attribute s
LEFT JOIN pg_attribute t ON t.attrelid = $2::regclass AND t.attname = s.attname
  AND NOT t.attisdropped
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.attrelid
  AND d.refobjsubid = s.attnum
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_class v ON v.oid = r.ev_class AND v.oid <> s.attrelid
LEFT JOIN pg_constraint f ON d.classid = 'pg_constraint'::regclass AND f.oid = d.objid
WHERE s.attrelid = $1 AND s.attnum > 0 AND NOT s.attisdropped
  AND (t.attnum IS NULL
         AND (d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass,
                            'pg_publication_rel'::regclass, 'pg_statistic_ext'::regclass)
              OR f.contype = 'f' AND f.conrelid <> s.attrelid)
       OR (t.atttypid, t.atttypmod) <> (s.atttypid, s.atttypmod)
         AND d.classid = 'pg_rewrite'::regclass)
LIMIT 1
)sql";

Task<> RefuseWhatCannotFollow(Session& session, const Names& names, pg::Oid source) {
  const pg::Result rows = co_await session.db().Query(kInTheWay, source, names.shadow);
  if (rows.empty()) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("cannot rebuild {}: {} uses column {}, which {}. Drop it before, and make "
                  "it again after",
                  names.source, rows.Get<std::string>(0, 0),
                  sql::QuoteIdentifier(rows.Get<std::string>(0, 1)), rows.Get<std::string>(0, 2)));
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

// An index of the new table over just these columns, in any order.
Task<> MarkKey(Session& session, const Names& names, const std::vector<capture::KeyColumn>& key,
               Definition& definition, const std::string& run) {
  std::vector<std::string> columns;
  for (const capture::KeyColumn& column : key) columns.push_back(column.to);
  const pg::Result rows = co_await session.db().Query(
      "SELECT quote_ident(c.relname) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
      " WHERE x.indrelid = $1::regclass AND x.indisunique AND x.indpred IS NULL"
      " AND x.indexprs IS NULL AND x.indimmediate"
      " AND (SELECT array_agg(quote_ident(a.attname) ORDER BY quote_ident(a.attname))"
      "   FROM unnest(x.indkey[0:x.indnkeyatts - 1]) k JOIN pg_attribute a"
      "   ON a.attrelid = x.indrelid AND a.attnum = k)"
      "   = (SELECT array_agg(n ORDER BY n) FROM unnest($2::text[]) n)"
      " ORDER BY x.indisprimary DESC LIMIT 1",
      names.shadow, columns);
  if (!rows.empty()) {
    const auto name = rows.Get<std::string>(0, 0);
    for (std::size_t i = 0; i < definition.indexes.size(); ++i) {
      if (definition.indexes[i].name != name) continue;
      definition.indexes[i].key = true;
      std::swap(definition.indexes[0], definition.indexes[i]);
    }
    co_return;
  }
  Index helper;
  helper.name = "pgalter_key_" + run.substr(0, 8);
  helper.create = fmt::format("CREATE UNIQUE INDEX {} ON {} ({})", helper.name, names.shadow,
                              fmt::join(columns, ", "));
  helper.key = true;
  helper.helper = true;
  definition.indexes.insert(definition.indexes.begin(), std::move(helper));
}

// What users write into the new table, back into the old one: columns of the same name, by
// assignment. A value that was computed cannot be turned back, and stays what it was.
Task<std::optional<capture::Flow>> FlowBack(Session& session, const Names& names, const Spec& spec,
                                            const capture::Flow& forward,
                                            std::vector<std::string>& remarks) {
  const std::map<std::string, std::string> given = GivenValues(names, spec);
  capture::Flow back = forward;
  back.name = "reverse";
  std::swap(back.from_oid, back.to_oid);
  std::swap(back.from, back.to);
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
    co_await session.db().Query(fmt::format("EXPLAIN {}", capture::CopyStatement(back)), "(0,0)",
                                "(0,0)");
  } catch (const pg::PgError&) {
    if (!session.db().open()) throw;
    possible = false;
  }
  co_await session.db().Execute("ROLLBACK TO SAVEPOINT pgalter_back");
  if (possible) co_return back;
  remarks.push_back("the new values cannot be put back into the old types: there is no revert");
  co_return std::nullopt;
}

}  // namespace

Task<Shadow> MakeShadow(Session& session, std::string run, const backfill::Table& table,
                        const Spec& spec) {
  pg::Connection& db = session.db();
  Names names;
  names.schema = capture::SchemaOf(run);
  names.source = table.name;
  names.relname = table.relname;
  names.shadow = names.schema + "." + sql::QuoteIdentifier(table.relname);
  co_await db.Query(fmt::format("CREATE SCHEMA {}", names.schema));
  co_await db.Query(fmt::format("CREATE SCHEMA {}_old", names.schema));
  co_await MakeEmpty(session, names, table.oid);
  const std::vector<Index> indexes =
      co_await ReadIndexes(session, table.oid, names.source, names.shadow, names.schema);
  for (const Index& index : indexes) {
    if (!index.create.empty()) co_await db.Query(index.create);
    if (!index.constraint.empty()) co_await db.Query(index.constraint);
    co_await Execute(session, index.remarks);
  }
  co_await Alter(session, names, spec);
  co_await RefuseWhatCannotFollow(session, names, table.oid);
  const pg::Result made = co_await db.Query("SELECT $1::regclass::oid", names.shadow);

  Shadow shadow;
  Stored& stored = shadow.stored;
  stored.source = table.oid;
  stored.shadow = made.Get<pg::Oid>(0, 0);
  stored.schema = names.schema;
  stored.definition.indexes =
      co_await ReadIndexes(session, stored.shadow, names.shadow, names.shadow, names.schema);
  capture::Flow& flow = shadow.flow;
  flow.run = run;
  flow.name = "forward";
  flow.schema = names.schema;
  flow.from_oid = table.oid;
  flow.to_oid = stored.shadow;
  flow.from = names.source;
  flow.to = names.shadow;
  flow.alias = sql::QuoteIdentifier(table.relname);
  flow.columns = co_await MapColumns(session, names, spec, table.oid);
  flow.key = co_await ChooseKey(session, names, spec, table.oid);
  const std::vector<Index> built = stored.definition.indexes;
  co_await MarkKey(session, names, flow.key, stored.definition, run);
  stored.definition.checks = co_await TakeInvalidChecks(session, names, table.oid);
  co_await Strip(session, names, built);
  // Types, casts and names of the copy are the server's to judge.
  co_await db.Query(fmt::format("EXPLAIN {}", capture::CopyStatement(flow)), "(0,0)", "(0,0)");
  shadow.reverse = co_await FlowBack(session, names, spec, flow, shadow.remarks);
  stored.definition.revertible = shadow.reverse.has_value();
  co_return shadow;
}

}  // namespace pgalter::rebuild
