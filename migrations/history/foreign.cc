#include "migrations/history/foreign.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "engine/run/failure.h"
#include "migrations/formats/folder.h"
#include "migrations/formats/sqitch_plan.h"
#include "migrations/formats/text.h"
#include "migrations/history/sqitch_ids.h"
#include "planner/sql/identifier.h"

namespace pgalter::history {

namespace {

using std::string_view_literals::operator""sv;
using run::ExitCode;
using run::Failure;

// A query gives the version, "applied", "up to", "head", "failed" or "gone", and the checksum.
struct Tool {
  std::string_view format;
  std::string_view table;
  std::string_view column;   // that only its table has of those of the same name; empty: any
  std::string_view without;  // that its table lacks
  std::string_view query;
};

constexpr std::array kTools{
    Tool{"alembic", "alembic_version", "version_num", "", "SELECT version_num, 'head', '' FROM {}"},
    Tool{"node-pg-migrate", "pgmigrations", "run_on", "", "SELECT name, 'applied', '' FROM {}"},
    Tool{"dbmate", "schema_migrations", "", "dirty", "SELECT version::text, 'applied', '' FROM {}"},
    Tool{"golang-migrate", "schema_migrations", "dirty", "",
         "SELECT version::text, CASE WHEN dirty THEN 'failed' ELSE 'up to' END, '' FROM {}"},
    Tool{"goose", "goose_db_version", "", "",
         "SELECT DISTINCT ON (version_id) version_id::text, CASE WHEN is_applied THEN 'applied'"
         " ELSE 'gone' END, '' FROM {} WHERE version_id > 0 ORDER BY version_id, id DESC"},
    Tool{"flyway", "flyway_schema_history", "", "",
         "SELECT DISTINCT ON (version) version, CASE WHEN NOT success THEN 'failed'"
         " WHEN type LIKE 'UNDO%' OR type = 'DELETE' THEN 'gone'"
         " WHEN type LIKE '%BASELINE' THEN 'up to' ELSE 'applied' END,"
         " CASE WHEN type = 'SQL' THEN coalesce(checksum::text, '') ELSE '' END"
         " FROM {} WHERE version IS NOT NULL ORDER BY version, installed_rank DESC"},
    Tool{"prisma", "_prisma_migrations", "", "",
         "SELECT DISTINCT ON (migration_name) migration_name,"
         " CASE WHEN rolled_back_at IS NOT NULL THEN 'gone' WHEN finished_at IS NULL THEN 'failed'"
         " ELSE 'applied' END, checksum FROM {} ORDER BY migration_name, started_at DESC"},
    Tool{"sqitch", "changes", "change_id", "",
         "SELECT change, 'applied', project || ' ' || change_id FROM {} ORDER BY committed_at"},
    // A changeset that was skipped, or failed without stopping the rest, is tried again.
    Tool{"liquibase", "databasechangelog", "orderexecuted", "",
         "SELECT regexp_replace(filename, '^(classpath:|[.]?/)+', '') || '::' || id || '::' || "
         "author,"
         " CASE WHEN exectype IN ('EXECUTED', 'RERAN', 'MARK_RAN') THEN 'applied' ELSE 'gone' END,"
         " '' FROM {} ORDER BY orderexecuted"},
    // What was done without it is a row there, too.
    Tool{"pgroll", "migrations", "resulting_schema", "",
         "SELECT name, CASE WHEN done THEN 'applied' ELSE 'failed' END, schema::text FROM {} m"
         " WHERE coalesce(to_jsonb(m) ->> 'migration_type', 'pgroll') = 'pgroll'"
         " ORDER BY created_at"},
    Tool{"atlas", "atlas_schema_revisions", "", "",
         "SELECT version, CASE WHEN coalesce(error, '') <> '' OR applied < total THEN 'failed'"
         " WHEN type = 1 THEN 'up to' ELSE 'applied' END, '' FROM {} WHERE version NOT LIKE '.%'"},
};

const Tool& ToolOf(const std::string& format) {
  const auto* found = std::ranges::find(kTools, format, &Tool::format);
  if (found != kTools.end()) return *found;
  throw Failure(ExitCode::kUsage,
                fmt::format("the history of {} cannot be read: that of {} can. What is applied can "
                            "be said by hand: pgalter baseline VERSION",
                            format, fmt::join(ReadableFormats(), ", ")));
}

Task<std::optional<std::string>> FindTable(guard::Session& session, const Tool& tool) {
  const auto has = [](std::string_view column, std::string_view how) {
    if (column.empty()) return std::string();
    return fmt::format(
        " AND {} EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = '{}' "
        "AND NOT a.attisdropped)",
        how, column);
  };
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n"
      " ON n.oid = c.relnamespace WHERE c.relname = $1 AND c.relkind IN ('r', 'p')"
      " AND n.nspname <> 'pgalter'" +
          has(tool.column, "") + has(tool.without, "NOT") + " ORDER BY 1",
      tool.table);
  std::vector<std::string> found;
  for (int i = 0; i < rows.rows(); ++i) found.push_back(rows.Get<std::string>(i, 0));
  if (found.size() == 1) co_return found.front();
  if (found.empty()) co_return std::nullopt;
  throw Failure(ExitCode::kUsage, fmt::format("this database has more than one table {}: {}. Name "
                                              "the right one: --table",
                                              tool.table, fmt::join(found, ", ")));
}

ForeignState StateOf(std::string_view text) {
  if (text == "up to") return ForeignState::kUpTo;
  if (text == "head") return ForeignState::kHead;
  if (text == "failed") return ForeignState::kFailed;
  return text == "gone" ? ForeignState::kGone : ForeignState::kApplied;
}

class Adopting {
 public:
  Adopting(const Collection& collection, const ForeignHistory& history)
      : collection_(collection), history_(history) {
    for (const Migration& migration : collection.migrations)
      files_[VersionKey(migration.format, ToolVersion(migration))] = &migration;
    if (FormatOf() == "sqitch") ReadPlan();
  }

  Adoption Adopt() {
    for (const ForeignRow& row : history_.rows) Take(row);
    for (const Migration& migration : collection_.migrations)
      if (std::ranges::find(taken_, &migration) != taken_.end())
        adoption_.applied.push_back(&migration);
    return std::move(adoption_);
  }

 private:
  void Take(const ForeignRow& row) {
    if (row.state == ForeignState::kGone) return;
    if (row.state == ForeignState::kFailed) {
      adoption_.failed.push_back(row.version);
      return;
    }
    if (!row.project.empty() && !project_.empty() && row.project != project_) return;
    const Migration* found = row.id.empty() || ids_.empty() ? Find(row.version) : FindId(row.id);
    if (found == nullptr && !row.id.empty() && !ids_.empty()) {
      adoption_.differences.push_back(fmt::format(
          "{} says that {} is applied as {}, and sqitch.plan has no change of that id: a line of "
          "it, or one before it, was edited since",
          history_.table, row.version, row.id));
      return;
    }
    if (found == nullptr) {
      adoption_.differences.push_back(fmt::format(
          "{} says that {} is applied, and there is no file of it", history_.table, row.version));
      return;
    }
    const Migration& migration = *found;
    if (row.state == ForeignState::kHead) TakeBelow(migration);
    if (row.state == ForeignState::kUpTo)
      for (const Migration& earlier : collection_.migrations)
        if (&earlier <= &migration) taken_.push_back(&earlier);
    taken_.push_back(&migration);
    CompareSums(row, migration);
  }

  // The ids of the planned changes, where the plan has what they are made from.
  void ReadPlan() {
    std::error_code ignored;
    const auto file = collection_.directory / "sqitch.plan";
    if (!std::filesystem::exists(file, ignored)) return;
    const formats::SqitchPlan plan = formats::ReadSqitchPlan(formats::ReadWhole(file));
    project_ = plan.project;
    for (const formats::SqitchChange& change : plan.changes)
      if (change.planned.at.empty() || change.planned.email.empty()) return;
    const auto ids = IdsOf(plan);
    for (std::size_t i = 0; i < ids.size(); ++i) ids_[ids[i].change] = plan.changes[i].script;
  }

  [[nodiscard]] const Migration* FindId(const std::string& id) const {
    const auto script = ids_.find(id);
    return script == ids_.end() ? nullptr : Find(script->second);
  }

  // Liquibase writes a file down as it was named then: from a directory above, or below.
  [[nodiscard]] const Migration* Find(const std::string& version) const {
    const auto found = files_.find(VersionKey(FormatOf(), version));
    if (found != files_.end()) return found->second;
    if (FormatOf() != "liquibase") return nullptr;
    const auto same = [&](const Migration& migration) {
      return version.ends_with("/" + migration.version) ||
             migration.version.ends_with("/" + version);
    };
    const auto& all = collection_.migrations;
    const auto near = std::ranges::find_if(all, same);
    return near == all.end() ? nullptr : &*near;
  }

  // All that it stands on, directly or not.
  void TakeBelow(const Migration& migration) {
    std::vector<const Migration*> left{&migration};
    while (!left.empty()) {
      const Migration* next = left.back();
      left.pop_back();
      if (!below_.insert(next).second) continue;
      taken_.push_back(next);
      for (const std::string& version : next->depends_on)
        if (const Migration* on = Find(version)) left.push_back(on);
    }
  }

  void CompareSums(const ForeignRow& row, const Migration& migration) {
    if (row.checksum.empty()) return;
    std::string is = migration.sums.bytes;
    if (migration.format == "flyway")
      is = FlywayChecksum(formats::ReadWhole(collection_.directory / migration.file));
    if (is != row.checksum)
      adoption_.differences.push_back(
          fmt::format("{} was edited after it was applied: its checksum is {}, and {} says {}",
                      migration.file, is, history_.table, row.checksum));
  }

  [[nodiscard]] std::string FormatOf() const {
    return collection_.migrations.empty() ? "" : collection_.migrations.front().format;
  }

  const Collection& collection_;
  const ForeignHistory& history_;
  std::map<std::string, const Migration*> files_;
  std::string project_;                     // of sqitch
  std::map<std::string, std::string> ids_;  // of sqitch's changes: their scripts
  std::vector<const Migration*> taken_;
  std::set<const Migration*> below_;
  Adoption adoption_;
};

// undefined_column, undefined_function, datatype_mismatch: a table of the same name.
bool IsOtherTable(const pg::PgError& error) {
  return error.Is("42703") || error.Is("42883") || error.Is("42804");
}

// pgroll keeps the migrations of all schemas in one table.
void RefuseSchemas(const std::string& table, const pg::Result& rows) {
  std::set<std::string> schemas;
  for (int i = 0; i < rows.rows(); ++i) schemas.insert(rows.Get<std::string>(i, 2));
  if (schemas.size() < 2) return;
  throw Failure(ExitCode::kUsage,
                fmt::format("{} has migrations of more than one schema: {}. Which of them these "
                            "files are about is not known; say by hand what is applied: pgalter "
                            "baseline VERSION",
                            table, fmt::join(schemas, ", ")));
}

void RefuseOdd(const std::string& format, const std::string& table, const pg::Result& rows) {
  if (format == "pgroll") RefuseSchemas(table, rows);
  if (format != "golang-migrate" || rows.rows() < 2) return;
  throw Failure(ExitCode::kHistoryDivergence,
                fmt::format("{} has {} rows, and golang-migrate keeps one: which of them holds is "
                            "not known. Nothing was changed. Say it with the tool: migrate -path "
                            "DIRECTORY -database URL force VERSION",
                            table, rows.rows()));
}

ForeignRow RowOf(const std::string& format, const pg::Result& rows, int i) {
  ForeignRow row{rows.Get<std::string>(i, 0), StateOf(rows.Bytes(i, 1)),
                 rows.Get<std::string>(i, 2)};
  if (format == "pgroll") row.checksum.clear();
  if (format != "sqitch") return row;
  const std::size_t blank = row.checksum.find(' ');
  row.project = row.checksum.substr(0, blank);
  row.id = row.checksum.substr(std::min(blank, row.checksum.size() - 1) + 1);
  row.checksum.clear();
  return row;
}

std::uint32_t Crc32(std::uint32_t crc, std::string_view bytes) {
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return crc;
}

}  // namespace

std::vector<std::string_view> ReadableFormats() {
  std::vector<std::string_view> formats;
  for (const Tool& tool : kTools) formats.push_back(tool.format);
  return formats;
}

Task<std::optional<std::string>> FindForeignTable(guard::Session& session, std::string format,
                                                  std::string table) {
  const Tool& tool = ToolOf(format);
  if (table.empty()) co_return co_await FindTable(session, tool);
  const auto name = sql::ParseQualifiedName(table);
  if (!name) throw Failure(ExitCode::kUsage, fmt::format("\"{}\" is no name of a table", table));
  std::string qualified = sql::ToString(*name);
  const pg::Result there =
      co_await session.db().Query("SELECT pg_catalog.to_regclass($1) IS NOT NULL", qualified);
  if (!there.Get<bool>(0, 0)) co_return std::nullopt;
  co_return qualified;
}

std::string HowToMend(std::string_view format, std::string_view version) {
  if (format == "golang-migrate")
    return fmt::format(
        "look whether {0} is applied; if it is: migrate -path DIRECTORY -database URL force {0}; "
        "else force the one before it",
        version);
  if (format == "flyway") return "take back by hand what was done of it, then: flyway repair";
  if (format == "prisma")
    return fmt::format(
        "if it is applied: npx prisma migrate resolve --applied {0}; else, once what was done is "
        "taken back: npx prisma migrate resolve --rolled-back {0}",
        version);
  if (format == "pgroll") return "end it: pgroll complete, or pgroll rollback";
  if (format == "atlas")
    return fmt::format(
        "correct the file and go on: atlas migrate apply; or, if it is applied: atlas migrate set "
        "{}",
        version);
  return "bring it to an end with its tool";
}

Task<ForeignHistory> ReadForeign(guard::Session& session, std::string format, std::string table) {
  const Tool& tool = ToolOf(format);
  ForeignHistory history;
  const auto found = co_await FindForeignTable(session, format, std::move(table));
  if (!found)
    throw Failure(
        ExitCode::kUsage,
        fmt::format("this database has no table {} of {}: nothing of it was applied here, "
                    "or its table has another name: --table NAME",
                    tool.table, tool.format));
  history.table = *found;
  history.format = format;
  const std::string query = fmt::format(fmt::runtime(tool.query), history.table);
  std::optional<pg::Result> read;
  std::string odd;
  try {
    read = co_await session.db().Query(query);
  } catch (const pg::PgError& error) {
    if (!IsOtherTable(error)) throw;
    odd = error.what();
  }
  if (!read)
    throw Failure(ExitCode::kHistoryDivergence,
                  fmt::format("{} is not as {} makes it: {}. Nothing was changed. Name the right "
                              "table: --table NAME; or have {} bring it to its newest form",
                              history.table, format, odd, format));
  const pg::Result& rows = *read;
  RefuseOdd(format, history.table, rows);
  for (int i = 0; i < rows.rows(); ++i) history.rows.push_back(RowOf(format, rows, i));
  co_return history;
}

std::string ToolVersion(const Migration& migration) {
  const std::string_view name = formats::FileName(migration.file);
  if (migration.format == "dbmate")
    return std::string(name.substr(0, name.find_first_not_of("0123456789")));
  if (migration.format == "node-pg-migrate") return std::string(name.substr(0, name.rfind('.')));
  return migration.version;
}

Adoption Adopt(const Collection& collection, const ForeignHistory& history) {
  return Adopting(collection, history).Adopt();
}

std::string FlywayChecksum(std::string_view bytes) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  std::uint32_t crc = 0xFFFFFFFFU;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    crc = Crc32(crc, bytes.substr(0, end));
    const bool both = bytes.substr(end, 2) == "\r\n";
    bytes.remove_prefix(std::min(end + (both ? 2 : 1), bytes.size()));
  }
  return std::to_string(static_cast<std::int32_t>(~crc));
}

}  // namespace pgalter::history
