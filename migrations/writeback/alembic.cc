// Alembic's table: a row for each revision on which no other applied one stands. Which rows a step
// changes is a matter of what is applied by then, so that it is decided when the step is run: what
// Alembic printed holds for one order of the branches alone.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/range/adaptor/reversed.hpp>
#include <ranges>

#include "engine/run/failure.h"
#include "migrations/writeback/book.h"
#include "planner/sql/identifier.h"

namespace pgalter::writeback {

namespace {

using history::Migration;

template <typename Names>
std::string Literals(const Names& names) {
  std::vector<std::string> literals;
  for (const std::string& name : names) literals.push_back(sql::QuoteLiteral(name));
  return fmt::format("{}", fmt::join(literals, ", "));
}

// Whether the revision is applied, as SQL: it or one above it has a row.
std::string IsApplied(const Book& book, const std::string& revision) {
  return fmt::format("EXISTS (SELECT FROM {} WHERE version_num IN ({}))", book.table,
                     Literals(book.above.at(revision)));
}

// Alembic itself takes no lock, and changes the table in each of its steps.
std::string Block(const Book& book, std::string_view statements) {
  return "DO " +
         sql::QuoteLiteral(fmt::format("BEGIN LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE; {} END",
                                       book.table, statements));
}

std::string RefusedIf(const Book& book, const Migration& migration, std::string_view condition) {
  const std::string message =
      fmt::format("{} is not as it was when {} began: what {} did meanwhile stands in the way",
                  book.table, migration.version, book.called);
  return fmt::format(
      "IF {} THEN RAISE EXCEPTION USING MESSAGE = {}, ERRCODE = 'serialization_failure'; END IF;",
      condition, sql::QuoteLiteral(message));
}

std::string Up(const Book& book, const Migration& migration) {
  std::string odd = IsApplied(book, migration.version);
  for (const std::string& below : migration.depends_on) odd += " OR NOT " + IsApplied(book, below);
  std::string statements = RefusedIf(book, migration, odd);
  if (!migration.depends_on.empty())
    statements += fmt::format(" DELETE FROM {} WHERE version_num IN ({});", book.table,
                              Literals(migration.depends_on));
  statements += fmt::format(" INSERT INTO {} (version_num) VALUES ({});", book.table,
                            sql::QuoteLiteral(migration.version));
  return Block(book, statements);
}

std::string Down(const Book& book, const Migration& migration) {
  const std::string own = sql::QuoteLiteral(migration.version);
  std::string statements =
      RefusedIf(book, migration,
                fmt::format("NOT EXISTS (SELECT FROM {} WHERE version_num = {})", book.table, own));
  statements += fmt::format(" DELETE FROM {} WHERE version_num = {};", book.table, own);
  // Of two below it that stand on each other only the upper one gets a row: it comes first.
  std::vector<std::string> below = migration.depends_on;
  std::ranges::stable_sort(
      below, {}, [&](const std::string& revision) { return book.above.at(revision).size(); });
  for (const std::string& revision : below)
    statements += fmt::format(" INSERT INTO {} (version_num) SELECT {} WHERE NOT {};", book.table,
                              sql::QuoteLiteral(revision), IsApplied(book, revision));
  return Block(book, statements);
}

}  // namespace

Above AboveOf(const history::Collection& collection) {
  Above above;
  for (const Migration& migration : collection.migrations)
    above[migration.version].insert(migration.version);
  // Each comes behind what it stands on.
  for (const Migration& migration : boost::adaptors::reverse(collection.migrations)) {
    const std::set<std::string> own = above[migration.version];
    for (const std::string& revision : migration.depends_on) {
      const auto below = above.find(revision);
      if (below == above.end())
        throw run::Failure(
            run::ExitCode::kUsage,
            fmt::format("history.writeback: {} stands on {}, which is no revision of {}. Name the "
                        "revision by its whole id, and not by a label",
                        migration.file, revision, collection.directory.string()));
      below->second.insert(own.begin(), own.end());
    }
  }
  return above;
}

Entry AlembicEntry(const Book& book, const Migration& migration) {
  return {{Up(book, migration)}, {Down(book, migration)}};
}

}  // namespace pgalter::writeback
