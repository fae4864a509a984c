#include "cli/migrate/sides.h"

#include <fmt/format.h>

#include <exception>
#include <filesystem>

#include "cli/config.h"
#include "cli/connect.h"
#include "cli/dump_schema.h"
#include "cli/migrate/apply.h"
#include "cli/migrate/missing_tables.h"
#include "cli/migrate/source.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/pg/conninfo.h"
#include "engine/state/schema.h"
#include "engine/trace/load_dump.h"
#include "migrations/formats/folder.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnvironment = "env:";

bool IsConnection(const std::string& what) {
  return what.find("://") != std::string::npos || what.find('=') != std::string::npos;
}

void RefusePassword(const std::string& dsn) {
  if (pg::Conninfo::Parse(dsn).Get("password"))
    throw Rejected(ExitCode::kUsage,
                   "a side holds a password, which others on this machine can read",
                   "use .pgpass, PGPASSWORD, a service file, or env:NAME of pgalter.toml");
}

Task<> ApplyOrExplain(const Context& where, guard::Session& session,
                      const history::Migration& migration, const ApplySettings& apply) {
  std::exception_ptr failure;
  ExitCode code = ExitCode::kError;
  try {
    code = co_await ApplyMigration(where, session, migration, apply);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure && code == ExitCode::kDone) co_return;
  co_await SayMissingTables(
      where, session, migration,
      "Where none of these migrations is applied: pgalter dump --out DIRECTORY/0_before.sql, which "
      "is a migration then; where they are: pgalter baseline 0 --yes");
  if (failure) std::rethrow_exception(failure);
  throw Rejected(code, fmt::format("{} did not come to its end", migration.file),
                 "what was said above is why");
}

}  // namespace

Task<Side> Sides::Read(std::string what) {
  std::error_code ignored;
  if (what == "db") co_return co_await ReadDatabase(what, context_);
  Context where = context_;
  if (what.starts_with(kEnvironment)) {
    const std::string config = context_.Has("config") ? context_.Get("config") : "";
    where.dsn = DsnOfEnvironment(config, what.substr(kEnvironment.size()));
    co_return co_await ReadDatabase(what, std::move(where));
  }
  if (fs::is_directory(what, ignored)) co_return co_await ReadDirectory(what);
  if (fs::exists(what, ignored)) co_return co_await ReadFile(what);
  if (!IsConnection(what))
    throw Rejected(ExitCode::kUsage,
                   fmt::format("\"{}\" is no file, no directory and no connection", what),
                   "db, env:NAME, a connection string, a file of SQL or a directory of migrations");
  RefusePassword(what);
  where.dsn = what;
  co_return co_await ReadDatabase(pg::Conninfo::Parse(what).Redacted(), std::move(where));
}

Task<Side> Sides::ReadDatabase(std::string what, Context where) const {
  guard::Session session = co_await OpenSession(where);
  Side side;
  side.called = std::move(what);
  side.lines = co_await history::ReadSchemaLines(session, owners_);
  side.where = std::move(where);
  co_return side;
}

Task<Context> Sides::EmptyDatabase() {
  if (!server_) {
    Say(context_, "starting a throwaway server");
    sandbox::Options options;
    options.fsync = false;
    if (context_.Has("pg-bin")) options.pg_bin = context_.Get("pg-bin");
    server_ = sandbox::Sandbox::Start(options);
  }
  const std::string name = fmt::format("side_{}", ++databases_);
  Context where = context_;
  where.dsn = server_->conninfo();
  guard::Session session = co_await OpenSession(where);
  co_await session.db().Query("CREATE DATABASE " + name);
  where.dsn = server_->conninfo(name);
  co_return where;
}

Task<Side> Sides::ReadFile(std::string path) {
  const Context where = co_await EmptyDatabase();
  const std::string text = formats::ReadWhole(path);
  Side side;
  {
    pg::Connection db = co_await pg::Connection::Connect(where.Connect());
    const trace::Loaded loaded = co_await trace::LoadDump(db, text);
    side.notes = loaded.failures;
  }
  Side read = co_await ReadDatabase(std::move(path), where);
  read.notes = std::move(side.notes);
  read.throwaway = true;
  co_return read;
}

Task<Context> Sides::CopyOf(const Side& side, std::vector<std::string>& notes) {
  if (side.throwaway) co_return side.where;
  const std::string text = co_await DumpSchema(side.where, "pg_dump");
  Context copy = co_await EmptyDatabase();
  pg::Connection db = co_await pg::Connection::Connect(copy.Connect());
  const trace::Loaded loaded = co_await trace::LoadDump(db, text);
  notes.insert(notes.end(), loaded.failures.begin(), loaded.failures.end());
  co_return copy;
}

Task<Side> Sides::ReadDirectory(std::string path) {
  const Context where = co_await EmptyDatabase();
  MigrationSettings settings;
  settings.directory = path;
  if (context_.Has("format")) settings.format = context_.Get("format");
  const history::Collection collection = ReadMigrations(settings);
  RefuseForEmpty(collection);
  ApplySettings apply;
  apply.through = state::Phase::kContract;
  apply.manner = history::Manner::kAsWritten;
  guard::Session session = co_await OpenForChange(where);
  co_await state::Install(session);
  for (const history::Migration& migration : collection.migrations)
    co_await ApplyOrExplain(where, session, migration, apply);
  Side side = co_await ReadDatabase(std::move(path), where);
  side.throwaway = true;
  co_return side;
}

}  // namespace pgalter::cli
