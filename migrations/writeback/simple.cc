// The books with one row a migration: dbmate's, node-pg-migrate's and Prisma's.

#include <fmt/format.h>

#include "migrations/writeback/book.h"
#include "migrations/writeback/prisma.h"
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

// Its key is a number made up, so nothing but the condition keeps a second row out.
Entry PrismaEntry(const Book& book, const Migration& migration) {
  const std::string same = fmt::format("migration_name = {} AND rolled_back_at IS NULL",
                                       sql::QuoteLiteral(history::ToolVersion(migration)));
  Entry entry;
  entry.in.push_back(Surely(
      book, migration.version,
      fmt::format("INSERT INTO {0} (id, checksum, finished_at, migration_name, started_at, "
                  "applied_steps_count) SELECT pg_catalog.gen_random_uuid()::text, {1}, "
                  "pg_catalog.clock_timestamp(), {2}, pg_catalog.clock_timestamp(), 1 WHERE NOT "
                  "EXISTS (SELECT FROM {0} WHERE {3})",
                  book.table, sql::QuoteLiteral(migration.sums.bytes),
                  sql::QuoteLiteral(history::ToolVersion(migration)), same)));
  entry.out.push_back(
      Surely(book, migration.version, fmt::format("DELETE FROM {} WHERE {}", book.table, same)));
  return entry;
}

std::vector<std::string> PrismaTable(const Book& book) {
  return {fmt::format(
      "CREATE TABLE {} (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, "
      "finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at "
      "TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT "
      "NULL DEFAULT 0)",
      book.table)};
}

}  // namespace pgalter::writeback
