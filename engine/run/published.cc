#include "engine/run/published.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "planner/sql/ast/object.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/ast/table.h"
#include "planner/sql/identifier.h"

namespace pgalter::run {

namespace {

namespace ast = sql::ast;

// $1 the table: those that send all columns of it, or of its partitions. From 15 on a publication
// may list columns; others are not sent.
constexpr const char* kSending = R"sql(
SELECT string_agg(DISTINCT quote_ident(p.pubname), ', ') FROM pg_publication_tables p
JOIN pg_namespace n ON n.nspname = p.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
WHERE (c.oid = to_regclass($1) OR c.oid IN (SELECT relid FROM pg_partition_tree(to_regclass($1))))
  AND NOT EXISTS (
    SELECT FROM pg_publication b JOIN pg_publication_rel r ON r.prpubid = b.oid
    WHERE b.pubname = p.pubname AND r.prrelid = c.oid AND to_jsonb(r)->>'prattrs' IS NOT NULL)
)sql";

bool IsGenerated(const ast::ColumnDefinition& column) {
  return column.Find(ast::ConstraintKind::kGeneratedStored) != nullptr ||
         column.Find(ast::ConstraintKind::kGeneratedVirtual) != nullptr;
}

std::string AboutColumn(const std::string& publications, const std::string& table,
                        const ast::ColumnDefinition& column, const plan::Statement& statement) {
  const std::string name = sql::QuoteIdentifier(column.name);
  std::string text = fmt::format(
      "publication {0} sends {1}: a subscriber without column {2} stops at the first row that is "
      "written with it, and its slot keeps WAL here until it has it. On every subscriber first: "
      "ALTER TABLE {1} ADD COLUMN {2} {3}",
      publications, table, name, ast::ToString(column.type));
  // The column that takes another's place.
  if (statement.recipe == "type-change")
    text += fmt::format(
        "; before the gate is opened, there as well: {}; behind it {} can go there. With --prefer "
        "rebuild no column comes between",
        statement.sql, name);
  return text;
}

Task<> SayOf(guard::Session& session, const ast::AlterTable& alter, const catalog::Schema& schema,
             plan::Statement& statement) {
  const std::string table = sql::ToString(schema.Resolve(alter.name));
  for (const ast::TableCommand& command : alter.commands) {
    if (command.change != ast::TableChange::kAddColumn || !command.column) continue;
    if (IsGenerated(*command.column)) continue;
    const pg::Result row = co_await session.db().Query(kSending, table);
    if (row.IsNull(0, 0)) co_return;
    std::string text = AboutColumn(row.Get<std::string>(0, 0), table, *command.column, statement);
    if (std::ranges::find(statement.remarks, text) == statement.remarks.end())
      statement.remarks.push_back(std::move(text));
  }
}

// Tables by the names that the steps so far have given them: those that they have now.
using Origins = std::map<std::string, std::string>;

// Of a statement that has rows sent under another name: the table. Empty: it does not. What a type
// change renames is said with the column that it adds.
std::string Renames(const ast::Statement& statement, const catalog::Schema& schema,
                    Origins& origins) {
  const auto* rename = statement.As<ast::Rename>();
  const auto* moves = statement.As<ast::SetSchema>();
  const bool of_table = (rename != nullptr && rename->kind == ast::ObjectKind::kTable) ||
                        (moves != nullptr && moves->kind == ast::ObjectKind::kTable);
  const bool of_column = rename != nullptr && rename->kind == ast::ObjectKind::kColumn &&
                         rename->relation == ast::RelationKind::kTable;
  if (!of_table && !of_column) return "";
  const sql::QualifiedName& written = rename != nullptr ? rename->name : moves->name;
  const auto found = origins.find(sql::ToString(written));
  const std::string origin =
      found != origins.end() ? found->second : sql::ToString(schema.Resolve(written));
  if (of_table) {
    // Later statements leave the schema out where this one does.
    sql::QualifiedName becomes = written;
    if (rename != nullptr) becomes.name = rename->new_name;
    if (moves != nullptr) becomes.schema = moves->new_schema;
    origins[sql::ToString(becomes)] = origin;
  }
  return origin;
}

std::string AboutNames(const std::string& publications, const std::string& table,
                       const std::string& step, const std::vector<std::string>& renames) {
  return fmt::format(
      "publication {0} sends {1}: rows that are written behind step {2} are sent under its new "
      "names, and a subscriber stops at the first of them, and its slot keeps WAL here, until it "
      "has these names, too. On every subscriber, when it has stopped: {3}. So it is with the way "
      "back of that step, and what was written before it",
      publications, table, step, fmt::join(renames, "; "));
}

// $1 the table: subscriptions that write into it, or into a partition of it.
constexpr const char* kWriting = R"sql(
SELECT string_agg(DISTINCT quote_ident(s.subname), ', ') FROM pg_subscription_rel r
JOIN pg_subscription s ON s.oid = r.srsubid
WHERE r.srrelid = to_regclass($1) OR r.srrelid IN (SELECT relid FROM pg_partition_tree(to_regclass($1)))
)sql";

std::string AboutWriting(const std::string& subscriptions, const std::string& table,
                         const std::string& step, const std::vector<std::string>& renames) {
  return fmt::format(
      "subscription {0} writes into {1}: behind step {2} it does not find the names that it is "
      "sent "
      "(a view is none that it writes into) and stops at the first row, and its publisher keeps "
      "WAL, "
      "until the table has these names there, too: {3}. So it is with the way back of that step",
      subscriptions, table, step, fmt::join(renames, "; "));
}

Task<> SayNames(guard::Session& session, const plan::Step& step, const catalog::Schema& schema,
                Origins& origins, plan::Statement& statement) {
  std::map<std::string, std::vector<std::string>> renames;
  for (const std::string& text : step.sql) {
    const auto read = ast::ReadStatement(text);
    if (!read) continue;
    const std::string table = Renames(*read, schema, origins);
    if (!table.empty()) renames[table].push_back(text);
  }
  if (statement.recipe == "type-change") co_return;
  for (const auto& [table, statements] : renames) {
    const pg::Result row = co_await session.db().Query(kSending, table);
    if (!row.IsNull(0, 0))
      statement.remarks.push_back(
          AboutNames(row.Get<std::string>(0, 0), table, step.id, statements));
    const pg::Result writing = co_await session.db().Query(kWriting, table);
    if (!writing.IsNull(0, 0))
      statement.remarks.push_back(
          AboutWriting(writing.Get<std::string>(0, 0), table, step.id, statements));
  }
}

}  // namespace

Task<> SayPublished(guard::Session& session, plan::Plan& plan, const catalog::Schema& schema) {
  Origins origins;
  for (const plan::Step& step : plan.steps) {
    if (step.kind != plan::StepKind::kDdl) continue;
    plan::Statement& statement = plan.statements.at(static_cast<std::size_t>(step.statement));
    for (const std::string& text : step.sql) {
      const auto read = ast::ReadStatement(text);
      if (!read) continue;
      const auto* alter = read->As<ast::AlterTable>();
      if (alter != nullptr) co_await SayOf(session, *alter, schema, statement);
    }
    co_await SayNames(session, step, schema, origins, statement);
  }
}

}  // namespace pgalter::run
