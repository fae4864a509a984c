#include "cli/trace/stage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "cli/rejected.h"
#include "engine/trace/load_dump.h"
#include "migrations/formats/folder.h"

namespace pgalter::cli {

namespace {

constexpr int kOldest = 14;

// Where Debian keeps its servers.
std::string FolderOf(int version) { return fmt::format("/usr/lib/postgresql/{}/bin", version); }

sandbox::Sandbox StartSandbox(const Context& context) {
  sandbox::Options options;
  options.fsync = false;
  options.wal_level = "logical";
  options.settings = {"autovacuum = off", "max_prepared_transactions = 10",
                      "max_locks_per_transaction = 256", "lc_messages = 'C'"};
  if (context.Has("pg-bin")) options.pg_bin = context.Get("pg-bin");
  int wanted = 0;
  if (context.Has("server-version")) {
    wanted = context.Get<int>("server-version");
    if (options.pg_bin.empty() && std::filesystem::exists(FolderOf(wanted)))
      options.pg_bin = FolderOf(wanted);
  }
  sandbox::Sandbox server = sandbox::Sandbox::Start(options);
  const int major = server.server_version_major();
  if (wanted != 0 && major != wanted)
    throw Rejected(ExitCode::kUsage,
                   fmt::format("the server at hand is PostgreSQL {}, not {}", major, wanted),
                   "name the folder with its programs: --pg-bin");
  if (major < kOldest)
    throw Rejected(ExitCode::kUnsupported,
                   fmt::format("PostgreSQL {} is too old to be traced", major),
                   fmt::format("--pg-bin of {} or later", kOldest));
  return server;
}

}  // namespace

Stage Stage::Set(const Context& context) {
  Stage stage;
  const bool named = context.Has("dsn") || context.Has("env");
  const bool disposable = context.Has("disposable");
  if (named && !disposable)
    throw Rejected(
        ExitCode::kRefused,
        "trace runs the script for good, and fills tables with made-up rows: the "
        "database that is named here was left alone",
        "without --dsn it makes a sandbox; --disposable says that nobody needs this one");
  if (!disposable) {
    stage.server_.emplace(StartSandbox(context));
    return stage;
  }
  for (const char* const option : {"schema", "pg-bin", "server-version"})
    if (context.Has(option))
      throw Rejected(ExitCode::kUsage, fmt::format("--{} is for a sandbox", option),
                     "a disposable database has its own schema and server");
  if (context.dsn.empty())
    throw Rejected(ExitCode::kUsage, "--disposable needs to be told which database",
                   "--dsn or --env");
  stage.dsn_ = context.dsn;
  return stage;
}

pg::ConnectOptions Stage::Connect() const {
  pg::ConnectOptions where;
  where.conninfo = pg::Conninfo::Parse(server_ ? server_->conninfo() : dsn_);
  where.query_deadline = std::chrono::hours(24);
  return where;
}

Task<> Stage::Load(const std::string& dump) {
  std::string text;
  try {
    text = formats::ReadWhole(dump);
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kUsage,
                   fmt::format("--schema: cannot read {}: {}", dump, error.what()), "");
  }
  const pg::ConnectOptions where = Connect();
  pg::Connection db = co_await pg::Connection::Connect(where);
  const trace::Loaded loaded = co_await trace::LoadDump(db, text);
  co_await db.Execute("ANALYZE");
  if (!loaded.roles.empty())
    remarks_.push_back(fmt::format("roles made for {}: {}", dump, fmt::join(loaded.roles, ", ")));
  for (const std::string& failure : loaded.failures)
    remarks_.push_back(fmt::format("{}: {}", dump, failure));
}

}  // namespace pgalter::cli
