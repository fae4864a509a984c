// The books with one row a migration: dbmate's, node-pg-migrate's and Alembic's.

#include <fmt/format.h>

#include "engine/run/failure.h"
#include "migrations/formats/text.h"
#include "migrations/writeback/book.h"
#include "planner/sql/identifier.h"

namespace pgalter::writeback {

namespace {

using history::Migration;

// The statement has to meet a row: else the table is not as it was when it was read.
std::string Surely(const Book& book, std::string_view version, const std::string& statement) {
  const std::string message =
      fmt::format("{} is not as it was when {} began: what {} did meanwhile stands in the way",
                  book.table, version, book.called);
  const std::string body = fmt::format(
      "BEGIN {}; IF NOT FOUND THEN RAISE EXCEPTION USING MESSAGE "
      "= {}, ERRCODE = 'serialization_failure'; END IF; END",
      statement, sql::QuoteLiteral(message));
  return "DO " + sql::QuoteLiteral(body);
}

// One row of one column, and its removal.
Entry RowOf(const Book& book, const Migration& migration, std::string_view column,
            const std::string& value, std::string_view more_columns, std::string_view more_values) {
  const std::string literal = sql::QuoteLiteral(value);
  Entry entry;
  entry.in.push_back(fmt::format("INSERT INTO {} ({}{}) VALUES ({}{})", book.table, column,
                                 more_columns, literal, more_values));
  entry.out.push_back(
      Surely(book, migration.version,
             fmt::format("DELETE FROM {} WHERE {} = {}", book.table, column, literal)));
  return entry;
}

// The values in single quotes, in their order. Alembic's revisions hold no quotes.
std::vector<std::string> Quoted(std::string_view statement) {
  std::vector<std::string> values;
  for (std::size_t at = statement.find('\''); at != std::string_view::npos;
       at = statement.find('\'', at)) {
    const std::size_t end = statement.find('\'', at + 1);
    if (end == std::string_view::npos) break;
    values.emplace_back(statement.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return values;
}

// What Alembic printed about itself, on the table that is there.
std::vector<std::string> Alembics(const Book& book, const Migration& migration,
                                  const std::vector<std::string>& printed) {
  std::vector<std::string> statements;
  for (const std::string& own : printed) {
    const auto values = Quoted(own);
    const bool update = formats::StartsWithWord(own, "UPDATE");
    if (values.size() != (update ? 2U : 1U))
      throw run::Failure(run::ExitCode::kUsage,
                         fmt::format("{}: what Alembic printed about itself is not understood: {}. "
                                     "Print it anew: alembic upgrade base:heads --sql",
                                     migration.file, own));
    const std::string first = sql::QuoteLiteral(values[0]);
    if (update) {
      statements.push_back(
          Surely(book, migration.version,
                 fmt::format("UPDATE {} SET version_num = {} WHERE version_num = {}", book.table,
                             first, sql::QuoteLiteral(values[1]))));
    } else if (formats::StartsWithWord(own, "INSERT")) {
      statements.push_back(
          fmt::format("INSERT INTO {} (version_num) VALUES ({})", book.table, first));
    } else {
      statements.push_back(
          Surely(book, migration.version,
                 fmt::format("DELETE FROM {} WHERE version_num = {}", book.table, first)));
    }
  }
  return statements;
}

// Without what was printed of the way down: the other way round.
std::vector<std::string> Reversed(const std::vector<std::string>& up) {
  std::vector<std::string> down;
  for (auto own = up.rbegin(); own != up.rend(); ++own) {
    const auto values = Quoted(*own);
    if (formats::StartsWithWord(*own, "UPDATE") && values.size() == 2)
      down.push_back(fmt::format("UPDATE t SET version_num='{}' WHERE t.version_num = '{}'",
                                 values[1], values[0]));
    if (formats::StartsWithWord(*own, "INSERT") && values.size() == 1)
      down.push_back(fmt::format("DELETE FROM t WHERE t.version_num = '{}'", values[0]));
    if (formats::StartsWithWord(*own, "DELETE") && values.size() == 1)
      down.push_back(fmt::format("INSERT INTO t (version_num) VALUES ('{}')", values[0]));
  }
  return down;
}

}  // namespace

Entry DbmateEntry(const Book& book, const Migration& migration) {
  return RowOf(book, migration, "version", history::ToolVersion(migration), "", "");
}

Entry NodePgMigrateEntry(const Book& book, const Migration& migration) {
  return RowOf(book, migration, "name", history::ToolVersion(migration), ", run_on", ", NOW()");
}

Entry AlembicEntry(const Book& book, const Migration& migration) {
  Entry entry;
  entry.in = Alembics(book, migration, migration.tool_up);
  entry.out =
      Alembics(book, migration,
               migration.tool_down.empty() ? Reversed(migration.tool_up) : migration.tool_down);
  return entry;
}

}  // namespace pgalter::writeback
