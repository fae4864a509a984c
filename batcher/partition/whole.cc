#include "batcher/partition/whole.h"

#include <fmt/format.h>

#include "batcher/backfill/rights.h"
#include "engine/guard/role_settings.h"
#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

constexpr const char* kWhole = R"sql(
SELECT p.partstrat::text, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
       quote_ident(n.nspname), c.relispartition,
       (SELECT format('%I.%I', dn.nspname, d.relname) FROM pg_class d
        JOIN pg_namespace dn ON dn.oid = d.relnamespace WHERE d.oid = p.partdefid),
       CASE WHEN a.attnum > 0 THEN (
         SELECT format(' COLLATE %I.%I', kn.nspname, k.collname) FROM pg_collation k
         JOIN pg_namespace kn ON kn.oid = k.collnamespace WHERE k.oid = p.partcollation[0]) END,
       p.partcollation[0] = a.attcollation, CASE WHEN a.attnum > 0 THEN p.partclass[0] END
FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND p.partnatts = 1
  AND a.attnum = p.partattrs[0] AND p.partattrs[0] > 0
WHERE p.partrelid = $1
)sql";

// Of a btree; $1 the operator class.
constexpr const char* kOperators = R"sql(
SELECT CASE WHEN n.nspname = 'pg_catalog' AND o.oprname IN ('<', '<=', '=', '>=', '>')
            THEN o.oprname::text ELSE format('OPERATOR(%I.%s)', n.nspname, o.oprname) END
FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype
  AND a.amoprighttype = c.opcintype AND a.amoppurpose = 's'
JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE c.oid = $1 ORDER BY a.amopstrategy
)sql";

// %s: how the ends of a range are compared, and where they lie.
constexpr const char* kMembers = R"sql(
SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relname::text, b.bound, e.lower, e.upper,
       b.bound = 'DEFAULT', c.relkind = 'p', c.relkind = 'f', i.inhdetachpending,
       (SELECT coalesce(sum(greatest(l.reltuples, 0)), 0)::float8 FROM pg_partition_tree(c.oid) t
        JOIN pg_class l ON l.oid = t.relid WHERE l.relkind <> 'p'),
       (SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0)::int8
        FROM pg_partition_tree(c.oid) t),
       %POSITION(e.lower)%, %POSITION(e.upper)%, m.ends IS NOT NULL,
       (SELECT coalesce(bool_and(l.reltuples > 0 OR (l.reltuples = 0 AND l.relpages > 0)
                                 OR (l.relkind <> 'f' AND pg_relation_size(l.oid) = 0)), true)
        FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid WHERE l.relkind <> 'p'),
       coalesce(m.ends[1], ''), coalesce(m.ends[2], ''),
       coalesce(substring(b.bound FROM '^FOR VALUES IN \((.*)\)$'), '')
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bound) b
CROSS JOIN LATERAL (
  SELECT regexp_match(b.bound, $r$^FOR VALUES FROM \(((?:'(?:[^']|'')*'|[^'])*)\) TO \(((?:'(?:[^']|'')*'|[^'])*)\)$$r$) AS ends) m
CROSS JOIN LATERAL (
  SELECT max(v) FILTER (WHERE k = 1) AS lower, max(v) FILTER (WHERE k = 2) AS upper
  FROM (SELECT k, CASE WHEN x LIKE '''%' THEN replace(substr(x, 2, length(x) - 2), '''''', '''')
                       WHEN x NOT IN ('MINVALUE', 'MAXVALUE') THEN x END AS v
        FROM unnest(m.ends) WITH ORDINALITY u (x, k)) v) e
WHERE i.inhparent = $1
ORDER BY b.bound = 'DEFAULT', %ORDER%, b.bound
)sql";

// The least uuids of a millisecond alone: others say nothing about time.
constexpr const char* kUuidPosition =
    "CASE WHEN {0}::uuid::text LIKE '%-0000-0000-000000000000' THEN ('x' || left(replace("
    "{0}::uuid::text, '-', ''), 12))::bit(48)::int8 / 1000.0::float8 END";

bool IsScaled(const std::string& type) {
  return type == "date" || type.starts_with("timestamp") || type == "smallint" ||
         type == "integer" || type == "bigint" || type.starts_with("numeric");
}

void Replace(std::string& text, const std::string& mark, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += by.size())
    text.replace(at, mark.size(), by);
}

std::string MembersQuery(const Whole& whole) {
  std::string query = kMembers;
  const bool typed = whole.strategy == Strategy::kRange && !whole.column.empty();
  const bool times = whole.type == "date" || whole.type.starts_with("timestamp");
  for (const std::string end : {"e.lower", "e.upper"}) {
    std::string position = "NULL::float8";
    if (typed && times) {
      position =
          fmt::format("CASE WHEN isfinite({0}::{1}) THEN extract(epoch FROM {0}::{1})::float8 END",
                      end, whole.type);
    } else if (typed && whole.type == "uuid") {
      position = fmt::format(fmt::runtime(kUuidPosition), end);
    } else if (typed && IsScaled(whole.type)) {
      position = fmt::format("{}::float8", end);
    }
    Replace(query, "%POSITION(" + end + ")%", position);
  }
  std::string order = "b.bound";
  if (typed) order = whole.AsKey("e.lower") + " NULLS FIRST";
  if (whole.strategy == Strategy::kHash)
    order = "(regexp_match(b.bound, 'remainder (\\d+)'))[1]::int8";
  Replace(query, "%ORDER%", order);
  return query;
}

Task<> RefuseUnpartitioned(Session& session, const backfill::Table& table) {
  const pg::Result kind =
      co_await session.db().Query("SELECT relkind::text FROM pg_class WHERE oid = $1", table.oid);
  const std::string no_table = kind.empty() ? "" : backfill::WhyNoTable(kind.Bytes(0, 0).front());
  if (!no_table.empty())
    throw Failure(ExitCode::kUsage,
                  fmt::format("{} has no partitions: it is {}", table.name, no_table));
  throw Failure(ExitCode::kUsage,
                fmt::format("{} is not partitioned. To make it so: pgalter partition convert {}",
                            table.name, table.name));
}

}  // namespace

Task<backfill::Table> FindAnybodys(Session& session, std::string text) {
  backfill::Spec look;
  look.table = std::move(text);
  look.settings = co_await guard::RoleSettings(session);
  backfill::Table table;
  table.oid = co_await backfill::FindOid(session, look);
  const pg::Result row = co_await session.db().Query(
      "SELECT format('%I.%I', n.nspname, c.relname), c.relname, c.relkind = 'p',"
      " pg_has_role(c.relowner, 'USAGE')"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
      table.oid);
  if (row.empty())
    throw Failure(ExitCode::kUsage, fmt::format("{} was dropped at this moment", look.table));
  table.name = row.Get<std::string>(0, 0);
  table.relname = row.Get<std::string>(0, 1);
  table.partitioned = row.Get<bool>(0, 2);
  table.owned = row.Get<bool>(0, 3);
  co_return table;
}

Task<> RefuseStranger(Session& session, pg::Oid table) {
  const std::string missing = co_await backfill::MissingOwnership(session, table);
  if (!missing.empty()) throw Failure(ExitCode::kUnsupported, missing);
}

Task<backfill::Table> FindOwned(Session& session, std::string text, std::string tried) {
  backfill::Spec look;
  look.table = std::move(text);
  look.settings = co_await guard::RoleSettings(session);
  const pg::Oid oid = co_await backfill::FindOid(session, look);
  co_await RefuseStranger(session, oid);
  co_return co_await backfill::FindTableByOid(session, oid, std::move(tried));
}

Task<std::string> MissingSelect(Session& session, std::string table) {
  const pg::Result row = co_await session.db().Query(
      "SELECT has_table_privilege($1, 'SELECT'), quote_ident(current_user)", table);
  if (row.Get<bool>(0, 0)) co_return "";
  const auto role = row.Get<std::string>(0, 1);
  co_return fmt::format("role {0} may not read {1}: GRANT SELECT ON {1} TO {0}", role, table);
}

Task<> ReadOperators(Session& session, pg::Oid operator_class, Whole& whole) {
  if (operator_class == 0) co_return;
  const pg::Result rows = co_await session.db().Query(kOperators, operator_class);
  if (rows.rows() != static_cast<int>(whole.operators.size())) co_return;
  for (int i = 0; i < rows.rows(); ++i)
    whole.operators[static_cast<std::size_t>(i)] = rows.Get<std::string>(i, 0);
}

Task<Whole> FindWhole(Session& session, std::string table) {
  Whole whole;
  whole.table = co_await FindAnybodys(session, std::move(table));
  if (!whole.table.partitioned) co_await RefuseUnpartitioned(session, whole.table);
  // Bounds are shown in the session's zone.
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  const pg::Result row = co_await session.db().Query(kWhole, whole.table.oid);
  const auto strategy = row.Get<std::string>(0, 0);
  whole.strategy = strategy == "r"   ? Strategy::kRange
                   : strategy == "l" ? Strategy::kList
                                     : Strategy::kHash;
  whole.column = row.Get<std::optional<std::string>>(0, 1).value_or("");
  whole.type = row.Get<std::optional<std::string>>(0, 2).value_or("");
  whole.home = row.Get<std::string>(0, 3);
  whole.is_partition = row.Get<bool>(0, 4);
  whole.rest = row.Get<std::optional<std::string>>(0, 5).value_or("");
  whole.collation = row.Get<std::optional<std::string>>(0, 6).value_or("");
  const bool own = row.Get<std::optional<bool>>(0, 7).value_or(true);
  whole.key = own ? whole.column : whole.column + whole.collation;
  co_await ReadOperators(session, row.Get<std::optional<pg::Oid>>(0, 8).value_or(0), whole);
  co_return whole;
}

Task<std::vector<Member>> ReadMembers(Session& session, const Whole& whole) {
  const pg::Result rows = co_await session.db().Query(MembersQuery(whole), whole.table.oid);
  std::vector<Member> members;
  for (int i = 0; i < rows.rows(); ++i) {
    Member member;
    member.oid = rows.Get<pg::Oid>(i, 0);
    member.name = rows.Get<std::string>(i, 1);
    member.relname = rows.Get<std::string>(i, 2);
    member.bound = rows.Get<std::string>(i, 3);
    member.is_range = rows.Get<bool>(i, 14) && !whole.column.empty();
    if (member.is_range) {
      member.from = rows.Get<std::optional<std::string>>(i, 4);
      member.to = rows.Get<std::optional<std::string>>(i, 5);
      member.begin = rows.Get<std::optional<double>>(i, 12);
      member.end = rows.Get<std::optional<double>>(i, 13);
    }
    member.is_default = rows.Get<bool>(i, 6);
    member.divided = rows.Get<bool>(i, 7);
    member.foreign = rows.Get<bool>(i, 8);
    member.pending = rows.Get<bool>(i, 9);
    member.rows = rows.Get<double>(i, 10);
    member.bytes = rows.Get<std::int64_t>(i, 11);
    member.counted = rows.Get<bool>(i, 15);
    member.first = ReadLiterals(rows.Get<std::string>(i, 16));
    member.last = ReadLiterals(rows.Get<std::string>(i, 17));
    member.values = ReadLiterals(rows.Get<std::string>(i, 18));
    members.push_back(std::move(member));
  }
  co_return members;
}

Task<FoundMember> FindMember(Session& session, std::string partition) {
  const backfill::Table table = co_await FindAnybodys(session, std::move(partition));
  const pg::Result parent = co_await session.db().Query(
      "SELECT format('%I.%I', n.nspname, p.relname) FROM pg_inherits i"
      " JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'"
      " JOIN pg_namespace n ON n.oid = p.relnamespace WHERE i.inhrelid = $1",
      table.oid);
  if (parent.empty())
    throw Failure(ExitCode::kUsage, fmt::format("{} is no partition of any table", table.name));
  FoundMember found;
  found.whole = co_await FindWhole(session, parent.Get<std::string>(0, 0));
  found.members = co_await ReadMembers(session, found.whole);
  for (const Member& member : found.members)
    if (member.oid == table.oid) found.member = member;
  co_return found;
}

Task<std::string> PartitionKeyOf(Session& session, const Whole& whole) {
  const pg::Result row =
      co_await session.db().Query("SELECT pg_get_partkeydef($1)", whole.table.oid);
  co_return row.Get<std::string>(0, 0);
}

}  // namespace pgalter::partition
