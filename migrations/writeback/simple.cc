// The books with one row a migration: dbmate's and node-pg-migrate's.

#include <fmt/format.h>

#include "migrations/writeback/book.h"
#include "planner/sql/identifier.h"

namespace pgalter::writeback {

namespace {

using history::Migration;

std::string Refusal(const Book& book, std::string_view version) {
  const std::string message =
      fmt::format("{} is not as it was when {} began: what {} did meanwhile stands in the way",
                  book.table, version, book.called);
  return fmt::format("RAISE EXCEPTION USING MESSAGE = {}, ERRCODE = 'serialization_failure'",
                     sql::QuoteLiteral(message));
}

// The statement has to meet a row: else the table is not as it was when it was read.
std::string Surely(const Book& book, std::string_view version, const std::string& statement) {
  const std::string body =
      fmt::format("BEGIN {}; IF NOT FOUND THEN {}; END IF; END", statement, Refusal(book, version));
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

}  // namespace

Entry DbmateEntry(const Book& book, const Migration& migration) {
  return RowOf(book, migration, "version", history::ToolVersion(migration), "", "");
}

Entry NodePgMigrateEntry(const Book& book, const Migration& migration) {
  return RowOf(book, migration, "name", history::ToolVersion(migration), ", run_on", ", NOW()");
}

}  // namespace pgalter::writeback
