#include "migrations/writeback/book.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "migrations/writeback/prisma.h"
#include "planner/sql/identifier.h"

namespace pgalter::writeback {

namespace {

using history::Migration;
using run::ExitCode;
using run::Failure;

struct Tool {
  std::string_view format;
  std::string_view called;
  std::string_view table;
  std::string_view schema;  // in which the tool makes it; empty: the first of the search path
  std::int64_t lock;        // 0: the tool takes none
  Entry (*entry)(const Book&, const Migration&);
  std::vector<std::string> (*make)(const Book&);
};

std::vector<std::string> AlembicTable(const Book& book) {
  return {
      fmt::format("CREATE TABLE {} (version_num VARCHAR(32) NOT NULL, CONSTRAINT "
                  "alembic_version_pkc PRIMARY KEY (version_num))",
                  book.table)};
}

std::vector<std::string> DbmateTable(const Book& book) {
  return {fmt::format("create table if not exists {} (version varchar primary key)", book.table)};
}

std::vector<std::string> NodePgMigrateTable(const Book& book) {
  return {
      fmt::format("CREATE TABLE {} (id SERIAL PRIMARY KEY, name varchar(255) NOT NULL, run_on "
                  "timestamp NOT NULL)",
                  book.table)};
}

constexpr std::array kTools{
    Tool{"alembic", "Alembic", "alembic_version", "", 0, &AlembicEntry, &AlembicTable},
    Tool{"dbmate", "dbmate", "schema_migrations", "", 0, &DbmateEntry, &DbmateTable},
    Tool{"node-pg-migrate", "node-pg-migrate", "pgmigrations", "public", 7241865325823964,
         &NodePgMigrateEntry, &NodePgMigrateTable},
    Tool{"prisma", "Prisma", "_prisma_migrations", "public", 72707369, &PrismaEntry, &PrismaTable},
    Tool{"sqitch", "sqitch", "changes", "sqitch", 75474063, &SqitchEntry, &SqitchTables},
};

const Tool* FindTool(std::string_view format) {
  const auto* found = std::ranges::find(kTools, format, &Tool::format);
  return found == kTools.end() ? nullptr : found;
}

std::string FormatOf(const history::Collection& collection) {
  std::set<std::string> formats;
  for (const Migration& migration : collection.migrations) formats.insert(migration.format);
  if (formats.size() == 1) return *formats.begin();
  throw Failure(ExitCode::kUsage,
                formats.empty()
                    ? fmt::format("there is no migration in {}, so that nobody knows whose history "
                                  "is to be written. Name the tool: format in [migrations]",
                                  collection.directory.string())
                    : fmt::format("{} has files of more than one tool ({}), and history.writeback "
                                  "is for one. Name it: --format",
                                  collection.directory.string(), fmt::join(formats, ", ")));
}

[[noreturn]] void RefuseUnwritable(const std::string& format) {
  throw Failure(ExitCode::kRefused,
                fmt::format("history.writeback: what {} keeps of its migrations is read by pgalter "
                            "and never written: that of {} is. Nothing was changed. Leave "
                            "history.writeback out, and choose one of both for a database: pgalter "
                            "import takes over what {} has applied",
                            format, fmt::join(WritableFormats(), ", "), format));
}

// What Alembic writes about itself is in what it printed, and nowhere else.
void RefuseUnprinted(const history::Collection& collection) {
  if (std::ranges::none_of(collection.migrations, [](const Migration& migration) {
        return migration.format == "alembic" && migration.file.ends_with(".sql");
      }))
    return;
  throw Failure(ExitCode::kUsage,
                fmt::format("history.writeback: {} holds what Alembic printed, and the revisions "
                            "themselves are needed: name their directory as dir of [migrations], "
                            "and these files as printed",
                            collection.directory.string()));
}

// Where the tool itself would look: by the role's own search path.
Task<std::string> FirstSchema(guard::Session& session) {
  const guard::Settings settings = co_await guard::RoleSettings(session);
  std::string schema;
  auto ask = [&]() -> Task<> {
    for (const auto& [name, value] : settings)
      if (name == "search_path")
        co_await session.db().Query("SELECT pg_catalog.set_config('search_path', $1, true)", value);
    const pg::Result row =
        co_await session.db().Query("SELECT COALESCE(pg_catalog.current_schema(), '')");
    schema = row.Get<std::string>(0, 0);
  };
  guard::TransactionOptions options;
  options.access = guard::Access::kReadOnly;
  co_await guard::RunInTransaction(session, options, ask);
  if (schema.empty())
    throw Failure(ExitCode::kUsage,
                  "the search path of this role leads to no schema: the tool's table would have no "
                  "place. Set search_path, or name the table: history.table in [migrations]");
  co_return schema;
}

}  // namespace

std::vector<std::string_view> WritableFormats() {
  std::vector<std::string_view> formats;
  for (const Tool& tool : kTools) formats.push_back(tool.format);
  return formats;
}

Task<Book> FindBook(guard::Session& session, const history::Collection& collection,
                    std::string table) {
  Book book;
  book.format = FormatOf(collection);
  const Tool* tool = FindTool(book.format);
  if (tool == nullptr) RefuseUnwritable(book.format);
  RefuseUnprinted(collection);
  book.called = tool->called;
  book.directory = collection.directory;
  if (tool->lock != 0) book.lock = tool->lock;
  if (book.format == "sqitch") book.sqitch = ReadSqitch(collection);
  if (book.format == "alembic") book.above = AboveOf(collection);
  const auto found = co_await history::FindForeignTable(session, book.format, std::move(table));
  book.there = found.has_value();
  if (found) {
    book.table = *found;
    if (book.sqitch) co_await CheckRegistry(session, book);
    co_return book;
  }
  std::string schema(tool->schema);
  if (schema.empty()) schema = co_await FirstSchema(session);
  book.table = sql::ToString(sql::QualifiedName{schema, std::string(tool->table)});
  co_return book;
}

Task<> MakeBook(guard::Session& session, Book& book) {
  if (book.there) co_return;
  const auto statements = FindTool(book.format)->make(book);
  auto make = [&]() -> Task<> {
    for (const std::string& statement : statements) co_await session.db().Execute(statement);
  };
  co_await guard::RunInTransaction(session, make);
  book.there = true;
}

Task<history::ForeignHistory> ReadBook(guard::Session& session, const Book& book) {
  history::ForeignHistory read;
  read.table = book.table;
  if (!book.there) co_return read;
  read = co_await history::ReadForeign(session, book.format, book.table);
  co_return read;
}

Entry EntryOf(const Book& book, const Migration& migration) {
  Entry entry = FindTool(book.format)->entry(book, migration);
  const std::string version = sql::QuoteLiteral(migration.version);
  const auto mark = [&](std::string_view told) {
    return fmt::format("UPDATE pgalter.migration SET told = {} WHERE version = {}", told, version);
  };
  entry.in.push_back(mark("true"));
  entry.out.push_back(mark("false"));
  return entry;
}

void Attach(plan::Plan& plan, const std::vector<std::string>& now,
            const std::vector<std::string>& back, std::string_view called) {
  if (plan.steps.empty()) return;
  plan::Step& last = plan.steps.back();
  const bool joins = last.kind == plan::StepKind::kDdl &&
                     last.transaction != plan::Transaction::kNone &&
                     last.undo_transaction != plan::Transaction::kNone;
  if (joins) {
    last.sql.insert(last.sql.end(), now.begin(), now.end());
    if (!last.point_of_no_return) last.undo.insert(last.undo.begin(), back.begin(), back.end());
    return;
  }
  plan::Step step;
  step.id = "history";
  step.phase = last.phase;
  step.statement = last.statement;
  step.sql = now;
  step.undo = back;
  step.backward_compatible = last.backward_compatible;
  step.explain = fmt::format("{} is told, in its own table.", called);
  plan.steps.push_back(std::move(step));
}

}  // namespace pgalter::writeback
