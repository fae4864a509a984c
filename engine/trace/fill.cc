#include "engine/trace/fill.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "engine/trace/made_up.h"
#include "planner/sql/identifier.h"

namespace pgalter::trace {

namespace {

using async::Task;

// Of partitioned tables the partitions, each with the rank that it has among them.
constexpr const char* kTables = R"sql(
SELECT c.oid::int8, format('%I.%I', n.nspname, c.relname),
       count(*) OVER (PARTITION BY w.oid)::int8
FROM (SELECT to_regclass(name)::oid AS oid FROM unnest($1::text[]) name) w
JOIN LATERAL (
  SELECT relid::oid AS oid FROM pg_partition_tree(w.oid) WHERE isleaf
  UNION
  SELECT w.oid) leaf ON true
JOIN pg_class c ON c.oid = leaf.oid AND c.relkind = 'r' AND c.relpersistence <> 't'
JOIN pg_namespace n ON n.oid = c.relnamespace
)sql";

// With domains followed to what they are of, and arrays to their elements. The type is what a value
// is made as: for a domain what it is of, since its CHECKs are conditions to be met first.
constexpr const char* kColumns = R"sql(
WITH RECURSIVE base AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier, false AS array
  FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END,
         CASE WHEN t.typtype = 'd' AND b.modifier < 0 THEN t.typtypmod ELSE b.modifier END,
         b.array OR t.typtype <> 'd'
  FROM base b JOIN pg_type t ON t.oid = b.type
  WHERE t.typtype = 'd' OR t.typcategory = 'A' AND t.typelem <> 0 AND t.typlen = -1)
SELECT a.attname::text,
       (SELECT format_type(u.type, u.modifier) FROM base u JOIN pg_type ut ON ut.oid = u.type
        WHERE u.attnum = a.attnum AND NOT u.array AND ut.typtype <> 'd'),
       CASE WHEN t.typtype = 'e' OR t.typnamespace = 'pg_catalog'::regnamespace
            THEN format_type(b.type, NULL) ELSE t.typname END,
       b.modifier, t.typtype, b.array, NOT (a.attnotnull OR own.typnotnull),
       a.attgenerated <> '',
       a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%', false),
       a.atthasdef
FROM pg_attribute a
JOIN pg_type own ON own.oid = a.atttypid
JOIN base b ON b.attnum = a.attnum
JOIN pg_type t ON t.oid = b.type
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1::oid AND t.typtype <> 'd'
  AND NOT (t.typcategory = 'A' AND t.typelem <> 0 AND t.typlen = -1)
ORDER BY a.attnum
)sql";

// CHECKs, the bound of a partition, and the CHECKs of domains with VALUE as the column.
constexpr const char* kConditions = R"sql(
WITH RECURSIVE domain AS (
  SELECT a.attname, a.atttypid AS type FROM pg_attribute a
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT d.attname, t.typbasetype FROM domain d JOIN pg_type t ON t.oid = d.type
  WHERE t.typtype = 'd')
SELECT pg_get_expr(conbin, conrelid), false FROM pg_constraint
WHERE conrelid = $1::oid AND contype = 'c'
UNION ALL
SELECT pg_get_partition_constraintdef($1::oid), true
WHERE pg_get_partition_constraintdef($1::oid) IS NOT NULL
UNION ALL
SELECT regexp_replace(pg_get_expr(c.conbin, 0), '\mVALUE\M', quote_ident(d.attname), 'g'), false
FROM domain d JOIN pg_constraint c ON c.contypid = d.type AND c.contype = 'c'
)sql";

// A key that points at a partitioned table has a row for each of its partitions as well.
constexpr const char* kForeignKeys = R"sql(
SELECT DISTINCT ON (f.conkey) f.confrelid = $1::oid, format('%I.%I', n.nspname, c.relname),
       (SELECT string_agg(a.attname, E'\x01' ORDER BY k.place)
        FROM unnest(f.conkey) WITH ORDINALITY k (number, place)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number),
       (SELECT string_agg(a.attname, E'\x01' ORDER BY k.place)
        FROM unnest(f.confkey) WITH ORDINALITY k (number, place)
        JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.number)
FROM pg_constraint f JOIN pg_class c ON c.oid = f.confrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.conrelid = $1::oid AND f.contype = 'f'
ORDER BY f.conkey, c.relispartition
)sql";

constexpr const char* kForeignKeyViolation = "23503";

struct ForeignKey {
  bool to_itself = false;
  std::string parent;
  std::vector<std::string> columns;
  std::vector<std::string> parent_columns;
};

std::vector<std::string> SplitNames(const std::string& text) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find('\x01', begin);
    names.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return names;
}

struct DescribedColumn {
  MadeColumn made;
  bool generated = false;
  bool counted = false;  // identity or serial: the server gives the value
  bool has_default = false;
};

struct Description {
  std::vector<DescribedColumn> columns;
  std::vector<std::string> conditions;
  std::string bound;  // of a partition, one of the conditions
  std::vector<ForeignKey> foreign_keys;
};

Task<Description> Describe(pg::Connection& db, std::int64_t oid) {
  Description table;
  const pg::Result columns = co_await db.Query(kColumns, oid);
  for (int row = 0; row < columns.rows(); ++row) {
    DescribedColumn column;
    column.made.name = columns.Get<std::string>(row, 0);
    column.made.type = columns.Get<std::string>(row, 1);
    column.made.base = columns.Get<std::string>(row, 2);
    column.made.modifier = columns.Get<std::int32_t>(row, 3);
    column.made.kind = columns.Get<std::string>(row, 4).at(0);
    column.made.array = columns.Get<bool>(row, 5);
    column.made.nullable = columns.Get<bool>(row, 6);
    column.generated = columns.Get<bool>(row, 7);
    column.counted = columns.Get<bool>(row, 8);
    column.has_default = columns.Get<bool>(row, 9);
    table.columns.push_back(std::move(column));
  }
  const pg::Result conditions = co_await db.Query(kConditions, oid);
  for (int row = 0; row < conditions.rows(); ++row) {
    table.conditions.push_back(conditions.Get<std::string>(row, 0));
    if (conditions.Get<bool>(row, 1)) table.bound = table.conditions.back();
  }
  const pg::Result keys = co_await db.Query(kForeignKeys, oid);
  for (int row = 0; row < keys.rows(); ++row)
    table.foreign_keys.push_back({keys.Get<bool>(row, 0), keys.Get<std::string>(row, 1),
                                  SplitNames(keys.Get<std::string>(row, 2)),
                                  SplitNames(keys.Get<std::string>(row, 3))});
  co_return table;
}

bool IsSpokenOf(const Description& table, const std::string& column) {
  return std::ranges::any_of(
      table.conditions, [&](const std::string& condition) { return Mentions(condition, column); });
}

// What the server fills in by itself is left to it, unless a condition has to be met.
bool IsLeftOut(const Description& table, const DescribedColumn& column) {
  if (column.generated) return true;
  if (column.counted) return !Mentions(table.bound, column.made.name);
  return column.has_default && !column.made.from_parent && !IsSpokenOf(table, column.made.name);
}

class Filler {
 public:
  Filler(pg::Connection& db, std::int64_t rows) : db_(db), rows_(rows) {}

  Task<> Fill(std::vector<std::string> names) {
    const pg::Result tables = co_await db_.Query(kTables, names);
    for (int row = 0; row < tables.rows(); ++row)
      co_await FillOne(tables.Get<std::int64_t>(row, 0), tables.Get<std::string>(row, 1),
                       std::max<std::int64_t>(rows_ / tables.Get<std::int64_t>(row, 2), 1));
  }

  std::vector<Filled> filled() && { return std::move(filled_); }

 private:
  // A ring of tables ends where it began: that key stays NULL where it may.
  Task<> FillOne(std::int64_t oid, std::string name, std::int64_t rows) {
    if (!visited_.insert(oid).second) co_return;
    const pg::Result has =
        co_await db_.Query(fmt::format("SELECT EXISTS (SELECT FROM ONLY {})", name));
    if (has.Get<bool>(0, 0)) co_return;
    Description table = co_await Describe(db_, oid);
    for (const ForeignKey& key : table.foreign_keys) {
      std::vector<std::string> parent{key.parent};
      if (!key.to_itself) co_await Fill(std::move(parent));
    }
    MadeTable made;
    made.name = name;
    co_await Join(table, rows, made);
    Settle(std::move(table), made);
    co_await Insert(made, rows);
  }

  Task<> Join(Description& table, std::int64_t rows, MadeTable& made) {
    for (std::size_t i = 0; i < table.foreign_keys.size(); ++i) {
      const ForeignKey& key = table.foreign_keys[i];
      std::int64_t parents = 0;
      if (!key.to_itself) {
        const pg::Result count = co_await db_.Query(fmt::format(
            "SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS parents", key.parent, rows));
        parents = count.Get<std::int64_t>(0, 0);
      }
      const std::string alias = fmt::format("\"~p{}\"", i);
      std::vector<std::string> picked;
      for (std::size_t k = 0; k < key.columns.size(); ++k) {
        picked.push_back(
            fmt::format("{} AS \"~k{}\"", sql::QuoteIdentifier(key.parent_columns[k]), k));
        const auto column = std::ranges::find(table.columns, key.columns[k],
                                              [](const auto& each) { return each.made.name; });
        if (column->made.from_parent) continue;
        if (parents > 0) {
          column->made.from_parent = fmt::format("{}.\"~k{}\"", alias, k);
        } else if (column->made.nullable) {
          column->made.from_parent = "NULL";
        }
      }
      if (parents > 0)
        made.joins += fmt::format(
            " LEFT JOIN (SELECT row_number() OVER () AS \"~n\", {} FROM {} LIMIT {}) AS {} ON "
            "{}.\"~n\" = 1 + (\"~g\" - 1) % {}",
            fmt::join(picked, ", "), key.parent, rows, alias, alias, parents);
    }
  }

  // A condition on what the server fills in cannot be looked at before.
  static void Settle(Description table, MadeTable& made) {
    std::vector<std::string> left_out;
    for (DescribedColumn& column : table.columns) {
      if (IsLeftOut(table, column)) {
        left_out.push_back(column.made.name);
      } else {
        made.columns.push_back(column.made);
      }
    }
    for (const std::string& condition : table.conditions)
      if (std::ranges::none_of(
              left_out, [&](const std::string& column) { return Mentions(condition, column); }))
        made.conditions.push_back(condition);
  }

  Task<> Insert(const MadeTable& made, std::int64_t rows) {
    const MadeInsert insert = InsertInto(made, rows);
    Filled filled{made.name, 0, {}};
    if (!insert.unfilled.empty()) {
      filled.problem = fmt::format("no value is known for {}, which must not be NULL",
                                   fmt::join(insert.unfilled, ", "));
    } else {
      const std::string refused = co_await Try(insert.sql, "", filled);
      // Triggers that refuse made-up rows are left out, where this role may; not those that keep
      // foreign keys.
      if (!refused.empty() && refused != kForeignKeyViolation)
        co_await Try(insert.sql, "SET LOCAL session_replication_role = replica", filled);
    }
    if (filled.problem.empty() && filled.rows < rows)
      filled.problem =
          fmt::format("{} of {}: for the others no value was found that its constraints let in",
                      filled.rows, rows);
    filled_.push_back(std::move(filled));
  }

  // The SQLSTATE of its refusal; empty: it went through.
  Task<std::string> Try(std::string insert, std::string setting, Filled& filled) {
    std::optional<pg::PgError> refused;
    co_await db_.Execute("BEGIN");
    try {
      if (!setting.empty()) co_await db_.Execute(setting);
      const pg::Result result = co_await db_.Query(insert);
      filled.rows = result.affected();
      co_await db_.Execute(fmt::format("COMMIT; ANALYZE {}", filled.table));
    } catch (const pg::PgError& error) {
      refused = error;
    }
    if (refused && !db_.open()) throw *refused;
    if (refused && db_.in_transaction()) co_await db_.Execute("ROLLBACK");
    if (!refused) {
      filled.problem.clear();
      co_return std::string();
    }
    filled.rows = 0;
    if (filled.problem.empty())
      filled.problem = fmt::format("{} ({})", refused->fields().message, refused->sqlstate());
    co_return refused->sqlstate();
  }

  pg::Connection& db_;
  std::int64_t rows_;
  std::set<std::int64_t> visited_;
  std::vector<Filled> filled_;
};

}  // namespace

Task<std::vector<Filled>> FillTables(pg::Connection& db, const std::vector<std::string>& tables,
                                     std::int64_t rows) {
  Filler filler(db, rows);
  co_await filler.Fill(tables);
  co_return std::move(filler).filled();
}

}  // namespace pgalter::trace
