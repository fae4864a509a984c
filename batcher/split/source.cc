#include "batcher/split/source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"
#include "planner/sql/words.h"

namespace pgalter::split {

using run::ExitCode;
using run::Failure;

namespace {

constexpr std::size_t kLongestName = 63;

struct Found {
  pg::Oid oid = 0;
  pg::Oid schema = 0;
};

[[noreturn]] void Refuse(const std::string& what) {
  throw Failure(ExitCode::kRefused, what + ". Nothing was changed");
}

Task<std::string> RolesPath(Session& session) {
  for (const auto& [name, value] : co_await guard::RoleSettings(session))
    if (name == "search_path") co_return value;
  co_return "";
}

// Under the role's search_path.
Task<pg::Oid> LookUp(Session& session, const Wish& wish) {
  const std::string path = co_await RolesPath(session);
  auto look = [&]() -> Task<pg::Oid> {
    co_await session.db().Query("SELECT set_config('search_path', $1, true)", path);
    const pg::Result row = co_await session.db().Query(
        "SELECT COALESCE(pg_catalog.to_regclass($1)::oid, 0)", wish.table);
    co_return row.Get<pg::Oid>(0, 0);
  };
  const pg::Oid oid = co_await guard::RunInTransaction(session, look);
  if (oid == 0)
    throw Failure(ExitCode::kUsage,
                  fmt::format("there is no table {} to split. One of a schema that search_path "
                              "does not have is named with its schema: schema.table",
                              wish.table));
  co_return oid;
}

constexpr const char* kTable = R"sql(
SELECT n.oid, n.nspname, c.relname, quote_ident(pg_get_userbyid(c.relowner)),
       coalesce((SELECT quote_ident(spcname) FROM pg_tablespace t WHERE t.oid = c.reltablespace), ''),
       coalesce((SELECT quote_ident(amname) FROM pg_am a WHERE a.oid = c.relam), ''),
       c.relpersistence = 'u', pg_has_role(c.relowner, 'USAGE'),
       has_schema_privilege(n.oid, 'CREATE') AND (has_schema_privilege(c.relowner, n.oid, 'CREATE')
         OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)),
       CASE WHEN c.relkind = 'p' OR c.relispartition THEN
              'it is partitioned, or a partition: TRUNCATE, ATTACH and DETACH of a part fire no trigger of it'
            WHEN c.relkind <> 'r' OR c.relpersistence = 't' OR c.reloftype <> 0 THEN 'it is no plain table'
            WHEN EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent)) THEN
              'other tables inherit from it, or it from them'
            WHEN c.relrowsecurity OR EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) THEN
              'it has row security, whose policies would not hold in the new table'
            WHEN EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid) THEN
              'it has rules, which would be applied to what keeps the two tables the same'
            WHEN EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                         AND d.objid = c.oid AND d.deptype = 'e') THEN
              'it belongs to an extension' ELSE '' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1
)sql";

Task<Found> ReadTable(Session& session, const Wish& wish, Source& source) {
  Found found;
  found.oid = co_await LookUp(session, wish);
  const pg::Result row = co_await session.db().Query(kTable, found.oid);
  found.schema = row.Get<pg::Oid>(0, 0);
  const auto schema = row.Get<std::string>(0, 1);
  source.name = {schema, row.Get<std::string>(0, 2)};
  source.target = {schema, wish.target};
  source.owner = row.Get<std::string>(0, 3);
  source.tablespace = row.Get<std::string>(0, 4);
  source.access_method = row.Get<std::string>(0, 5);
  source.unlogged = row.Get<bool>(0, 6);
  const std::string shown = sql::ToString(source.name);
  if (const auto why = row.Get<std::string>(0, 9); !why.empty())
    Refuse(fmt::format("{} cannot be split: {}", shown, why));
  if (!row.Get<bool>(0, 7))
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("{} belongs to {}, and only its owner may split it (SQLSTATE 42501). "
                              "Nothing was changed. Run as {}",
                              shown, source.owner, source.owner));
  if (!row.Get<bool>(0, 8))
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("this role, or the owner {1}, may not create tables in the schema of "
                              "{0} (SQLSTATE 42501). Nothing was changed. GRANT CREATE ON SCHEMA "
                              "{2} to both",
                              shown, source.owner, sql::QuoteIdentifier(schema)));
  const std::vector<std::string> wanted{wish.target, NameWith(wish.target, "_pkey")};
  const pg::Result taken = co_await session.db().Query(
      "SELECT relname FROM pg_class WHERE relnamespace = $1 AND relname = ANY ($2::text[])"
      " UNION ALL SELECT typname FROM pg_type WHERE typnamespace = $1 AND typname = $3",
      found.schema, wanted, wish.target);
  if (!taken.empty())
    Refuse(fmt::format("there is a {} already: the new table needs a name of its own",
                       sql::ToString({schema, taken.Get<std::string>(0, 0)})));
  co_return found;
}

// A key column's operator is that of its index; other orders than PostgreSQL's own types' would
// need operators of their own in every range.
constexpr const char* kKey = R"sql(
SELECT k.attnum::int2, m.amname = 'btree' AND x.indimmediate AND x.indisvalid AND o.opcdefault
       AND on_.nspname = 'pg_catalog' AND x.indoption[k.n - 1] = 0
       AND x.indcollation[k.n - 1] = a.attcollation AND t.typtype = 'b' AND tn.nspname = 'pg_catalog'
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam
CROSS JOIN LATERAL unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY k (attnum, n)
JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
JOIN pg_opclass o ON o.oid = x.indclass[k.n - 1] JOIN pg_namespace on_ ON on_.oid = o.opcnamespace
WHERE x.indrelid = $1 AND x.indisprimary ORDER BY k.n
)sql";

Task<std::vector<std::int64_t>> ReadKey(Session& session, pg::Oid table, const Source& source) {
  const pg::Result rows = co_await session.db().Query(kKey, table);
  std::vector<std::int64_t> key;
  bool fits = true;
  for (int i = 0; i < rows.rows(); ++i) {
    key.push_back(rows.Get<std::int16_t>(i, 0));
    fits = fits && rows.Get<bool>(i, 1);
  }
  if (key.empty())
    Refuse(
        fmt::format("{} has no primary key, by which the rows of the two tables would belong "
                    "together. Add one first: pgalter run --sql \"ALTER TABLE … ADD PRIMARY "
                    "KEY …\"",
                    sql::ToString(source.name)));
  if (!fits)
    Refuse(
        fmt::format("the primary key of {} is deferrable, or of a type or order that is not "
                    "PostgreSQL's own: its rows cannot be gone through in ranges",
                    sql::ToString(source.name)));
  co_return key;
}

constexpr const char* kColumns = R"sql(
SELECT a.attnum::int2, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
       coalesce((SELECT format(' COLLATE %I.%I', cn.nspname, co.collname)
                 FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
                 WHERE co.oid = a.attcollation AND a.attcollation <> t.typcollation), ''),
       coalesce((SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
                 WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''), ''),
       a.attnotnull,
       coalesce((SELECT quote_literal(s) FROM col_description(a.attrelid, a.attnum) s), ''),
       CASE WHEN a.attgenerated <> '' THEN 'it is generated: the new table could not compute it'
            WHEN a.attidentity <> '' THEN 'it is an identity, whose sequence would stay behind'
            WHEN EXISTS (WITH RECURSIVE up AS (
                SELECT t.typbasetype AS base, t.typnotnull, t.typdefault
                UNION ALL SELECT b.typbasetype, b.typnotnull, b.typdefault
                FROM up JOIN pg_type b ON b.oid = up.base)
              SELECT FROM up WHERE typnotnull OR typdefault IS NOT NULL) THEN
              'its type is NOT NULL or has a default of its own: nobody could tell a row that was given no value'
            WHEN EXISTS (SELECT FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum
                AND regexp_replace(pg_get_expr(d.adbin, d.adrelid), $q$'([^']|'')*'$q$, '', 'g')
                  ~ '\m(CURRENT_USER|CURRENT_ROLE|USER|CURRENT_SCHEMA|current_schemas?)\M') THEN
              'its default depends on who asks: through the new table''s name that is the owner until the gate'
            ELSE '' END,
       CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE ' || CASE a.attstorage
         WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
         ELSE '' END,
       CASE a.attcompression WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4'
         ELSE '' END,
       CASE WHEN a.attstattarget >= 0 THEN 'SET STATISTICS ' || a.attstattarget ELSE '' END,
       coalesce((SELECT 'SET (' || string_agg(o, ', ') || ')' FROM unnest(a.attoptions) o
                 WHERE o NOT LIKE 'pg_attver=%'), ''), a.attname
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
)sql";

struct Numbered {
  std::int64_t number = 0;
  std::string plain_name;
  std::string why_not;
  Column column;
};

std::string NamesOf(const std::vector<Numbered>& columns) {
  std::vector<std::string> names;
  for (const Numbered& one : columns) names.push_back(sql::QuoteIdentifier(one.plain_name));
  return fmt::format("{}", fmt::join(names, ", "));
}

Task<std::vector<Numbered>> ReadColumns(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(kColumns, table);
  std::vector<Numbered> columns;
  for (int i = 0; i < rows.rows(); ++i) {
    Numbered& read = columns.emplace_back();
    read.number = rows.Get<std::int16_t>(i, 0);
    read.plain_name = rows.Get<std::string>(i, 12);
    read.why_not = rows.Get<std::string>(i, 7);
    Column& column = read.column;
    column.name = rows.Get<std::string>(i, 1);
    column.type = rows.Get<std::string>(i, 2);
    column.collation = rows.Get<std::string>(i, 3);
    column.default_value = rows.Get<std::string>(i, 4);
    column.not_null = rows.Get<bool>(i, 5);
    column.comment = rows.Get<std::string>(i, 6);
    for (int setting = 8; setting < 12; ++setting)
      if (auto text = rows.Get<std::string>(i, setting); !text.empty())
        column.settings.push_back(std::move(text));
  }
  co_return columns;
}

// What hangs on columns that move, but for what goes with them. The query of a view is a rule, of
// which nobody knows.
constexpr const char* kDependants = R"sql(
SELECT DISTINCT a.attname,
       CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
            ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END
FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
LEFT JOIN pg_rewrite r
  ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.refobjsubid = ANY ($2::int2[])
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT FROM pg_attrdef f WHERE f.oid = d.objid AND f.adrelid = $1 AND f.adnum = ANY ($2::int2[])))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT FROM pg_constraint c WHERE c.oid = d.objid AND c.conrelid = $1
      AND c.contype IN ('c', 'u', 'n')))
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT FROM pg_index i WHERE i.indexrelid = d.objid AND i.indrelid = $1))
ORDER BY 1, 2
)sql";

Task<> RefuseDependants(Session& session, const Found& found,
                        const std::vector<std::int64_t>& moved, const Source& source) {
  const pg::Result rows = co_await session.db().Query(kDependants, found.oid, moved);
  std::vector<std::string> all;
  for (int i = 0; i < rows.rows(); ++i)
    all.push_back(fmt::format("{} ({})", rows.Get<std::string>(i, 1), rows.Get<std::string>(i, 0)));
  if (!all.empty())
    Refuse(
        fmt::format("{} cannot be split so: these hang on columns that would move, and cannot "
                    "go with them: {}. Drop them, or leave these columns where they are",
                    sql::ToString(source.name), fmt::join(all, "; ")));
}

constexpr const char* kIndexes = R"sql(
SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisunique,
       EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = i.indexrelid AND f.conrelid = $1 AND f.contype = 'u'),
       (SELECT string_agg(a.attname, '_' ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, n)
        JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = k.attnum),
       (SELECT json_agg(json_build_array(quote_ident(a.attname), format('%sOPERATOR(%I.%s)', (
            SELECT format('COLLATE %I.%I ', cn.nspname, co.collname)
            FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
            WHERE co.oid = i.indcollation[k.n - 1] AND co.oid <> a.attcollation),
            on_.nspname, op.oprname)) ORDER BY k.n)::text
        FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY k (attnum, n)
        JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = k.attnum
        JOIN pg_opclass oc ON oc.oid = i.indclass[k.n - 1]
        JOIN pg_amop am ON am.amopfamily = oc.opcfamily AND am.amoplefttype = oc.opcintype
          AND am.amoprighttype = oc.opcintype AND am.amopstrategy = 3 AND i.indisunique
        JOIN pg_operator op ON op.oid = am.amopopr
        JOIN pg_namespace on_ ON on_.oid = op.oprnamespace),
       CASE WHEN NOT (u.columns <@ ($2::int2[] || $3::int2[])) THEN 'is over columns that stay, too'
            WHEN NOT i.indisvalid THEN 'is not valid: drop it first'
            WHEN i.indisexclusion THEN 'is of an exclusion constraint'
            WHEN i.indisreplident THEN 'is the replica identity'
            WHEN i.indisunique AND NOT i.indimmediate THEN 'is deferrable'
            WHEN i.indisunique AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL
                 OR pg_get_indexdef(i.indexrelid) LIKE '%NULLS NOT DISTINCT%') THEN
              'is unique over expressions, some rows or NULLs' ELSE '' END
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL (
  SELECT array_agg(DISTINCT k) AS columns FROM (
    SELECT k FROM unnest(i.indkey::int2[]) k WHERE k > 0
    UNION SELECT d.refobjsubid::int2 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
      AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
      AND d.refobjsubid > 0) AS used) u
WHERE i.indrelid = $1 AND u.columns && $2::int2[] ORDER BY c.relname
)sql";

// Free in the schema, and not taken by another index of the split.
Task<std::string> FreeName(Session& session, const Found& found, std::string wanted,
                           std::set<std::string>& taken) {
  for (int n = 0;; ++n) {
    const std::string number = n == 0 ? "" : fmt::format("{}", n);
    std::string name = NameWith(wanted, number);
    const pg::Result there = co_await session.db().Query(
        "SELECT FROM pg_class WHERE relnamespace = $1 AND relname = $2", found.schema, name);
    if (there.empty() && taken.insert(name).second) co_return name;
  }
}

Task<> ReadIndexes(Session& session, const Found& found, const std::vector<std::int64_t>& moved,
                   const std::vector<std::int64_t>& key, Source& source) {
  const pg::Result rows = co_await session.db().Query(kIndexes, found.oid, moved, key);
  std::set<std::string> taken{source.target.name, NameWith(source.target.name, "_pkey")};
  for (int i = 0; i < rows.rows(); ++i) {
    const auto name = rows.Get<std::string>(i, 0);
    if (const auto why = rows.Get<std::string>(i, 6); !why.empty())
      Refuse(
          fmt::format("{} cannot be split so: index {} {}", sql::ToString(source.name), name, why));
    const auto text = rows.Get<std::string>(i, 1);
    const auto words = sql::Words::Read(text);
    if (!words || words->Find("using") == words->size())
      Refuse(fmt::format("index {} is not understood", name));
    Index& index = source.indexes.emplace_back();
    index.definition = words->Cut(words->Find("using"), words->size());
    index.unique = rows.Get<bool>(i, 2);
    index.is_constraint = rows.Get<bool>(i, 3);
    const auto of = rows.Get<std::optional<std::string>>(i, 4).value_or("expr");
    const char* kind = index.is_constraint ? "key" : "idx";
    std::string wanted = fmt::format("{}_{}_{}", source.target.name, of, kind);
    index.name = co_await FreeName(session, found, std::move(wanted), taken);
    if (!index.unique) continue;
    const pg::Result columns = co_await session.db().Query(
        "SELECT value->>0, value->>1 FROM pg_catalog.json_array_elements($1::json)",
        rows.Get<std::string>(i, 5));
    for (int n = 0; n < columns.rows(); ++n) {
      Column& column = index.columns.emplace_back();
      column.name = columns.Get<std::string>(n, 0);
      column.equals = columns.Get<std::string>(n, 1);
    }
  }
}

Task<> ReadChecks(Session& session, const Found& found, const std::vector<std::int64_t>& moved,
                  const std::vector<std::int64_t>& key, Source& source) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT quote_ident(conname), pg_get_constraintdef(oid), convalidated,"
      " conkey <@ ($2::int2[] || $3::int2[]) FROM pg_constraint"
      " WHERE conrelid = $1 AND contype = 'c' AND conkey && $2::int2[] ORDER BY conname",
      found.oid, moved, key);
  for (int i = 0; i < rows.rows(); ++i) {
    const auto name = rows.Get<std::string>(i, 0);
    for (const char* suffix : {"_pkey", "_fkey"})
      if (name == sql::QuoteIdentifier(NameWith(source.target.name, suffix)))
        Refuse(
            fmt::format("{} cannot be split so: its constraint {} would go with its columns, and "
                        "the new table needs that name itself. Rename the constraint, or give the "
                        "new table another name",
                        sql::ToString(source.name), name));
    if (!rows.Get<bool>(i, 3))
      Refuse(fmt::format("{} cannot be split so: constraint {} is over columns that stay, too",
                         sql::ToString(source.name), name));
    if (!rows.Get<bool>(i, 2))
      Refuse(
          fmt::format("constraint {} of {} is not valid, so rows may break it that the new table "
                      "would refuse. Validate it first",
                      name, sql::ToString(source.name)));
    source.checks.push_back({name, rows.Get<std::string>(i, 1)});
  }
}

// A table that is published with its whole schema would send its rows to subscribers that have no
// such table.
Task<> RefusePublishedSchema(Session& session, const Found& found, const Source& source) {
  if (session.db().server_version() < 150000) co_return;
  const pg::Result rows = co_await session.db().Query(
      "SELECT quote_ident(p.pubname) FROM pg_publication_namespace n"
      " JOIN pg_publication p ON p.oid = n.pnpubid WHERE n.pnnspid = $1 ORDER BY 1",
      found.schema);
  if (!rows.empty())
    Refuse(
        fmt::format("publication {} publishes all tables of the schema of {}: the new table's "
                    "rows would stop its subscribers, which have no such table. Publish the "
                    "tables by name",
                    rows.Get<std::string>(0, 0), sql::ToString(source.name)));
}

Task<> AddRemarks(Session& session, const Found& found, Source& source) {
  const pg::Result triggers = co_await session.db().Query(
      "SELECT string_agg(quote_ident(tgname), ', ' ORDER BY tgname) FROM pg_trigger"
      " WHERE tgrelid = $1 AND NOT tgisinternal",
      found.oid);
  if (!triggers.IsNull(0, 0))
    source.remarks.push_back(fmt::format(
        "triggers of {} ({}) must not name the columns any more once these are gone, and until "
        "then an INSERT or DELETE through the new table's name calls them as the owner, with the "
        "search_path of the role that has planned it: look at their functions",
        sql::ToString(source.name), triggers.Get<std::string>(0, 0)));
  const pg::Result published = co_await session.db().Query(
      "SELECT string_agg(quote_ident(p.pubname), ', ') FROM pg_publication_rel r"
      " JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = $1",
      found.oid);
  if (!published.IsNull(0, 0))
    source.remarks.push_back(
        fmt::format("{} is published ({}); the new table is not, and cannot be while its name is a "
                    "view's: add it to the publication once the swap is done, and let the "
                    "subscribers copy it",
                    sql::ToString(source.name), published.Get<std::string>(0, 0)));
}

}  // namespace

std::string NameWith(std::string_view name, std::string_view suffix) {
  std::size_t cut = std::min(name.size(), kLongestName - suffix.size());
  while (cut > 0 && cut < name.size() && (static_cast<unsigned char>(name[cut]) & 0xc0) == 0x80)
    --cut;
  return fmt::format("{}{}", name.substr(0, cut), suffix);
}

Task<Source> ReadSource(Session& session, const Wish& wish) {
  Source source;
  source.search_path = co_await RolesPath(session);
  const Found found = co_await ReadTable(session, wish, source);
  const std::vector<std::int64_t> key = co_await ReadKey(session, found.oid, source);
  const std::vector<Numbered> columns = co_await ReadColumns(session, found.oid);
  for (const std::int64_t number : key) {
    const auto column = std::ranges::find(columns, number, &Numbered::number);
    source.key.push_back(column->column);
    source.key.back().equals = "OPERATOR(pg_catalog.=)";
  }
  std::vector<std::int64_t> moved;
  for (const std::string& name : wish.columns) {
    const auto column = std::ranges::find(columns, name, &Numbered::plain_name);
    if (column == columns.end())
      throw Failure(ExitCode::kUsage,
                    fmt::format("{} has no column {}. It has: {}", sql::ToString(source.name),
                                sql::QuoteIdentifier(name), NamesOf(columns)));
    if (std::ranges::find(key, column->number) != key.end())
      Refuse(fmt::format("column {} is of the primary key, which both tables have: leave it out",
                         name));
    if (!column->why_not.empty())
      Refuse(fmt::format("column {} cannot be moved: {}", name, column->why_not));
    moved.push_back(column->number);
    source.moved.push_back(column->column);
  }
  co_await RefuseDependants(session, found, moved, source);
  co_await ReadIndexes(session, found, moved, key, source);
  co_await ReadChecks(session, found, moved, key, source);
  co_await RefusePublishedSchema(session, found, source);
  co_await AddRemarks(session, found, source);
  co_return source;
}

}  // namespace pgalter::split
