#include "batcher/capture/flow_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/capture/flow_text.h"
#include "engine/async/fail_point.h"
#include "planner/sql/identifier.h"

namespace pgalter::capture {

using text::ForKey;
using text::From;
using text::FromColumn;
using text::K;
using text::KeyNames;
using text::NotTaken;
using text::Numbered;
using text::Pending;
using text::SameKey;
using text::To;
using text::ToColumn;

namespace {

// Keys that came as arrays of text; the names cannot be columns of a user's that an expression
// means. Each text is read by itself: arrays of arrays, or of rows, would be taken apart.
std::string Given(const Flow& flow) {
  const std::string arrays = ForKey(flow, ", ", [](const KeyColumn&, std::size_t i) {
    return fmt::format("pg_catalog.unnest(${}::pg_catalog.text[])", i + 1);
  });
  const std::string texts = ForKey(
      flow, ", ", [](const KeyColumn&, std::size_t i) { return fmt::format("\"~t{}\"", i); });
  const std::string keys = ForKey(flow, ", ", [](const KeyColumn& column, std::size_t i) {
    return fmt::format("\"~t{0}\"::{1} AS \"~k{0}\"", i, column.type);
  });
  return fmt::format("(SELECT {} FROM ROWS FROM ({}) AS \"~texts\" ({})) AS \"~given\"", keys,
                     arrays, texts);
}
auto GivenColumn() {
  return [](const KeyColumn&, std::size_t i) { return fmt::format("\"~given\".\"~k{}\"", i); };
}

std::string Targets(const Flow& flow) {
  std::vector<std::string> names;
  for (const MappedColumn& column : flow.columns) names.push_back(column.to);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string Values(const Flow& flow) {
  std::vector<std::string> values;
  for (const MappedColumn& column : flow.columns) values.push_back(column.value);
  return fmt::format("{}", fmt::join(values, ", "));
}

bool HasEnd(const Flow& flow) { return flow.unattended.count() > 0; }

// The log's size is asked for at one change of 128, chosen by the clock: random() would take
// numbers out of a user's own sequence (setseed).
std::string GiveUp(const Flow& flow) {
  if (!HasEnd(flow)) return "";
  const std::string deadline = sql::QuoteLiteral(flow.deadline()) + "::pg_catalog.regclass";
  const std::string given_up = sql::QuoteLiteral(flow.given_up()) + "::pg_catalog.regclass";
  const std::string late = fmt::format(
      "pg_catalog.pg_sequence_last_value({}) OPERATOR(pg_catalog.<) "
      "pg_catalog.date_part('epoch', pg_catalog.now())",
      deadline);
  return fmt::format(
      "  IF {6}\n"
      "     OR (pg_catalog.date_part('microseconds', pg_catalog.clock_timestamp())"
      "::pg_catalog.int4 OPERATOR(pg_catalog.&) 127) OPERATOR(pg_catalog.=) 0\n"
      "        AND pg_catalog.pg_relation_size({2}::pg_catalog.regclass) OPERATOR(pg_catalog.>) {3}"
      " THEN\n"
      "    IF pg_catalog.pg_sequence_last_value({0}) OPERATOR(pg_catalog.>) {5} THEN\n"
      "      PERFORM pg_catalog.setval({1}, CASE WHEN {6} THEN {4} ELSE {5} END), "
      "pg_catalog.setval({0}, {5});\n"
      "    END IF;\n"
      "    RETURN NULL;\n"
      "  END IF;\n",
      deadline, given_up, sql::QuoteLiteral(flow.log()), flow.log_limit, kLate, kLarge, late);
}

// A session plans what it does with a column of old and new for the type that it has, and would
// tell its user of another one ever after. It plans anew when a table changes that a statement
// names: the table itself, by its number, as its name may change.
std::string Table(const Flow& flow) {
  return fmt::format("'{}'::pg_catalog.regclass", flow.from_oid);
}

// Whether a column is of a type that the log does not take.
std::string IsUnfit(const Flow& flow, const KeyColumn& column, std::size_t i, const char* row) {
  const std::string type = fmt::format("pg_catalog.pg_typeof({}.{})", row, column.from);
  const char* fit = column.type == "bigint" ? "{pg_catalog.int2,pg_catalog.int4,pg_catalog.int8}"
                    : column.type == "text" ? "{pg_catalog.text,pg_catalog.varchar}"
                                            : "";
  if (*fit != '\0')
    return fmt::format("{} OPERATOR(pg_catalog.<>) ALL ('{}'::pg_catalog.regtype[])", type, fit);
  return fmt::format("{} OPERATOR(pg_catalog.<>) pg_catalog.pg_typeof((NULL::{}).{})", type,
                     flow.log(), K(i));
}

// An error of ours would be the user's, who has changed the type of the key.
std::string GiveUpIfRetyped(const Flow& flow, const char* row) {
  if (!HasEnd(flow)) return "";
  const std::string unfit = ForKey(flow, " OR ", [&](const KeyColumn& column, std::size_t i) {
    return IsUnfit(flow, column, i, row);
  });
  return fmt::format(
      "    IF {} OR {} IS NULL THEN\n"
      "      PERFORM pg_catalog.setval({}, {}), pg_catalog.setval({}, {});\n"
      "      RETURN NULL;\n"
      "    END IF;\n",
      unfit, Table(flow), sql::QuoteLiteral(flow.given_up()), kRetyped,
      sql::QuoteLiteral(flow.deadline()), kLarge);
}

// What is done for each change.
std::string Body(const Flow& flow) {
  const auto append = [&](const char* row) {
    return fmt::format("INSERT INTO {} VALUES (pg_catalog.pg_current_xact_id(), {} IS NULL, {});",
                       flow.log(), Table(flow),
                       ForKey(flow, ", ", [row](const KeyColumn& column, std::size_t) {
                         return fmt::format("{}.{}", row, column.from);
                       }));
  };
  const auto row = [&](const char* name) {
    return fmt::format("ROW({})::pg_catalog.record",
                       ForKey(flow, ", ", [name](const KeyColumn& column, std::size_t) {
                         return fmt::format("{}.{}", name, column.from);
                       }));
  };
  const auto is = [](const char* operation) {
    return fmt::format("TG_OP OPERATOR(pg_catalog.=) '{}'", operation);
  };
  // Keys are compared as images: 2 and 2.00 are equal, and not the same. No EXCEPTION block: it
  // would be a subtransaction for every row.
  // No SET search_path, which would cost a quarter of all this for each row: every name that is
  // looked up says its schema instead. A session that changes its search_path has the function
  // planned anew, once a change.
  const bool old_too = async::SafeguardOn("old-key");
  return fmt::format(
      "BEGIN\n"
      "{}"
      "  IF {} THEN\n{}"
      "    {}\n"
      "    IF {}{} OPERATOR(pg_catalog.*<>) {} AND {} IS NOT NULL THEN {} END IF;\n"
      "  ELSIF {} THEN\n{}    {}\n"
      "  ELSIF {} THEN\n{}    {}\n"
      "  ELSE\n"
      "    INSERT INTO {} (x, truncated) VALUES (pg_catalog.pg_current_xact_id(), true);\n"
      "  END IF;\n"
      "  RETURN NULL;\n"
      "END",
      GiveUp(flow), is("UPDATE"), GiveUpIfRetyped(flow, "new"), old_too ? append("old") : "",
      old_too ? "" : "true OR ", row("old"), row("new"), Table(flow), append("new"), is("INSERT"),
      GiveUpIfRetyped(flow, "new"), append("new"), is("DELETE"), GiveUpIfRetyped(flow, "old"),
      append("old"), flow.log());
}

std::string MakeFunction(const Flow& flow, const std::string& body) {
  return fmt::format(
      "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS {}",
      flow.function(), sql::QuoteLiteral(body));
}

std::vector<std::string> MakeTriggersOf(const Flow& flow, const std::string& body) {
  std::vector<std::string> statements{
      MakeFunction(flow, body),
      fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", flow.function())};
  const std::vector<Source> sources = flow.sources();
  for (std::size_t i = 0; i < sources.size(); ++i)
    statements.push_back(
        fmt::format("CREATE TRIGGER {} AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW "
                    "EXECUTE FUNCTION {}()",
                    flow.trigger_of(i), sources[i].name, flow.function()));
  // What it logs empties all of `to`.
  const bool truncates = flow.also.empty();
  if (truncates)
    statements.push_back(
        fmt::format("CREATE TRIGGER {} AFTER TRUNCATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION "
                    "{}()",
                    flow.truncate_trigger(), flow.from, flow.function()));
  for (std::size_t i = 0; i < sources.size(); ++i)
    statements.push_back(fmt::format(
        "ALTER TABLE {} ENABLE ALWAYS TRIGGER {}{}", sources[i].name, flow.trigger_of(i),
        truncates ? fmt::format(", ENABLE ALWAYS TRIGGER {}", flow.truncate_trigger()) : ""));
  return statements;
}

}  // namespace

std::vector<std::string> MakeTables(const Flow& flow) {
  const std::string columns = ForKey(flow, ", ", [](const KeyColumn& column, std::size_t i) {
    return fmt::format("{} {}", K(i), column.type);
  });
  std::vector<std::string> statements{
      fmt::format("CREATE TABLE {} (x xid8 NOT NULL, truncated boolean NOT NULL, {})", flow.log(),
                  columns),
      fmt::format("CREATE INDEX ON {} (x)", flow.log()),
      fmt::format("CREATE TABLE {} ({}, PRIMARY KEY ({}))", flow.dirty(), columns, KeyNames(flow)),
      fmt::format("CREATE UNLOGGED TABLE {} AS SELECT true AS alive", flow.crash_mark()),
      fmt::format("REVOKE ALL ON {}, {}, {} FROM PUBLIC", flow.log(), flow.dirty(),
                  flow.crash_mark())};
  if (!HasEnd(flow)) return statements;
  for (const std::string& sequence : {flow.deadline(), flow.given_up()}) {
    statements.push_back(fmt::format("CREATE SEQUENCE {} OWNED BY {}.x", sequence, flow.log()));
    statements.push_back(fmt::format("REVOKE ALL ON SEQUENCE {} FROM PUBLIC", sequence));
  }
  statements.push_back(ExtendStatement(flow));
  return statements;
}

std::vector<std::string> MakeTriggers(const Flow& flow) { return MakeTriggersOf(flow, Body(flow)); }

std::vector<std::string> MakeSleepingTriggers(const Flow& flow) {
  return MakeTriggersOf(flow, "BEGIN RETURN NULL; END");
}

std::string WakeStatement(const Flow& flow) { return MakeFunction(flow, Body(flow)); }

std::vector<std::string> DropTriggers(const Flow& flow) {
  std::vector<std::string> statements;
  const std::vector<Source> sources = flow.sources();
  for (std::size_t i = 0; i < sources.size(); ++i)
    statements.push_back(
        fmt::format("DROP TRIGGER IF EXISTS {} ON {}", flow.trigger_of(i), sources[i].name));
  if (flow.also.empty())
    statements.push_back(
        fmt::format("DROP TRIGGER IF EXISTS {} ON {}", flow.truncate_trigger(), flow.from));
  statements.push_back(fmt::format("DROP FUNCTION IF EXISTS {}()", flow.function()));
  return statements;
}

std::string ExtendStatement(const Flow& flow) {
  return fmt::format("SELECT setval({}, (date_part('epoch', clock_timestamp()) + {})::int8)",
                     sql::QuoteLiteral(flow.deadline()), flow.unattended.count());
}

std::string GivenUpExpression(const Flow& flow) {
  if (!HasEnd(flow)) return "NULL::int8";
  return fmt::format("pg_sequence_last_value({}::regclass)", sql::QuoteLiteral(flow.given_up()));
}

std::string TakeStatement(const Flow& flow) {
  return fmt::format(
      "WITH taken AS MATERIALIZED ({}), put AS (INSERT INTO {} SELECT DISTINCT {} FROM taken"
      " WHERE NOT truncated ON CONFLICT DO NOTHING RETURNING 1)"
      " SELECT pg_current_snapshot()::text, (SELECT count(*) FROM put),"
      " EXISTS (SELECT FROM taken WHERE truncated), {}",
      NotTaken(flow, "$1::pg_snapshot"), flow.dirty(), KeyNames(flow), GivenUpExpression(flow));
}

std::string PickStatement(const Flow& flow) {
  return fmt::format(
      "DELETE FROM {0} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {0} LIMIT $1 FOR UPDATE SKIP "
      "LOCKED)) RETURNING {1}",
      flow.dirty(),
      ForKey(flow, ", ", [](const KeyColumn&, std::size_t i) { return K(i) + "::text"; }));
}

std::string DeleteStatement(const Flow& flow) {
  const std::string gone =
      flow.in_place ? fmt::format(" AND NOT EXISTS (SELECT FROM {} AS s WHERE {})", From(flow),
                                  SameKey(flow, FromColumn("s"), GivenColumn()))
                    : "";
  return fmt::format("DELETE FROM {} AS t USING {} WHERE {}{}", To(flow), Given(flow),
                     SameKey(flow, ToColumn("t"), GivenColumn()), gone);
}

namespace {

std::string InsertAnew(const Flow& flow) {
  return fmt::format(
      "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} AS {} JOIN {} ON {}", flow.to,
      Targets(flow), Values(flow), From(flow), flow.alias, Given(flow),
      SameKey(flow, FromColumn(flow.alias), GivenColumn()));
}

// `, a.x, a.y` of the columns that are kept.
std::string Kept(const Flow& flow, const std::string& prefix) {
  std::string kept;
  for (const std::string& column : flow.kept) kept += ", " + prefix + column;
  return kept;
}

// The rows go and come again with what they had. ON CONFLICT DO UPDATE would not do: the server
// asks of the row that is proposed first whether it has what it must (NOT NULL, CHECK), and that
// row has nothing of what is kept. Nor would UPDATE, for values that have gone from row to row and
// for columns GENERATED ALWAYS AS IDENTITY.
std::string InsertWithKept(const Flow& flow) {
  const auto went = ToColumn("\"~went\"");
  // Not before the last of them is away, in whatever order the server takes the rest.
  constexpr const char* kAllAway = "(SELECT count(*) FROM \"~went\") >= 0";
  return fmt::format(
      "WITH \"~went\" AS (DELETE FROM {0} AS t USING {1} WHERE {2} RETURNING {3}{4}),"
      " \"~back\" AS (INSERT INTO {5} ({6}{7}) OVERRIDING SYSTEM VALUE SELECT {8}{9} FROM {10} AS "
      "{11} JOIN \"~went\" ON {12} WHERE {13}) {14} WHERE {13} AND NOT EXISTS (SELECT FROM "
      "\"~went\" WHERE {12})",
      To(flow), Given(flow), SameKey(flow, ToColumn("t"), GivenColumn()),
      ForKey(flow, ", ", ToColumn("t")), Kept(flow, "t."), flow.to, Targets(flow), Kept(flow, ""),
      Values(flow), Kept(flow, "\"~went\"."), From(flow), flow.alias,
      SameKey(flow, FromColumn(flow.alias), went), kAllAway, InsertAnew(flow));
}

}  // namespace

std::string InsertStatement(const Flow& flow) {
  return flow.in_place ? InsertWithKept(flow) : InsertAnew(flow);
}

std::string CopyStatement(const Flow& flow, const std::string& part) {
  return CopyRowsStatement(
      flow, part, fmt::format("WHERE {0}.ctid >= $1::tid AND {0}.ctid < $2::tid", flow.alias));
}

std::string CopyRowsStatement(const Flow& flow, const std::string& part, const std::string& which) {
  return fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM ONLY {} AS {} {}",
                     flow.to, Targets(flow), Values(flow), part, flow.alias, which);
}

std::string PurgeStatement(const Flow& flow, const std::string& part) {
  return fmt::format(
      "DELETE FROM ONLY {} AS t USING {} AS d WHERE t.ctid >= $1::tid AND t.ctid < "
      "$2::tid AND {}",
      part, flow.dirty(), SameKey(flow, ToColumn("t"), Numbered("d")));
}

std::string PendingStatement(const Flow& flow, int limit) {
  return fmt::format(
      "SELECT DISTINCT {} FROM (SELECT * FROM ({}) AS p LIMIT {}) AS p",
      ForKey(flow, ", ", [](const KeyColumn&, std::size_t i) { return K(i) + "::text"; }),
      Pending(flow), limit);
}

std::string ReconcileStatement(const Flow& flow) {
  return fmt::format("DELETE FROM {} AS t WHERE NOT EXISTS (SELECT FROM {} AS s WHERE {})",
                     To(flow), From(flow), SameKey(flow, ToColumn("t"), FromColumn("s")));
}

std::string AllDirtyStatement(const Flow& flow, const std::string& part) {
  return fmt::format(
      "INSERT INTO {} SELECT {} FROM ONLY {} AS s ON CONFLICT DO NOTHING", flow.dirty(),
      ForKey(flow, ", ", [](const KeyColumn& column, std::size_t) { return "s." + column.from; }),
      part);
}

namespace {

// By the names of `from`, wherever the values are.
template <class Column>
std::string Shown(const Flow& flow, Column column_of) {
  const std::string names =
      ForKey(flow, ", ", [](const KeyColumn& column, std::size_t) { return column.from; });
  const std::string values = ForKey(flow, ", ", [&](const KeyColumn& column, std::size_t i) {
    return column_of(column, i) + "::text";
  });
  return fmt::format("{} || concat_ws(', ', {}) || ')'", sql::QuoteLiteral("(" + names + ") = ("),
                     values);
}

}  // namespace

std::string ShownKey(const Flow& flow, const std::string& alias) {
  return Shown(flow, FromColumn(alias));
}

std::string ShownKeyOfTo(const Flow& flow, const std::string& alias) {
  return Shown(flow, ToColumn(alias));
}

}  // namespace pgalter::capture
