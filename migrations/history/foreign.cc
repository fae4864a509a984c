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
    Tool{"sqitch", "changes", "change_id", "", "SELECT change, 'applied', '' FROM {}"},
    // A changeset that was skipped, or failed without stopping the rest, is tried again.
    Tool{"liquibase", "databasechangelog", "orderexecuted", "",
         "SELECT regexp_replace(filename, '^(classpath:|[.]?/)+', '') || '::' || id || '::' || "
         "author,"
         " CASE WHEN exectype IN ('EXECUTED', 'RERAN', 'MARK_RAN') THEN 'applied' ELSE 'gone' END,"
         " '' FROM {} ORDER BY orderexecuted"},
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

Task<std::string> FindTable(guard::Session& session, const Tool& tool) {
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
  if (found.empty())
    throw Failure(
        ExitCode::kUsage,
        fmt::format("this database has no table {} of {}: nothing of it was applied here, "
                    "or its table has another name: --table NAME",
                    tool.table, tool.format));
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
      files_[VersionKey(migration.format, migration.version)] = &migration;
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
    const Migration* found = Find(row.version);
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
  std::vector<const Migration*> taken_;
  std::set<const Migration*> below_;
  Adoption adoption_;
};

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

Task<ForeignHistory> ReadForeign(guard::Session& session, std::string format, std::string table) {
  const Tool& tool = ToolOf(format);
  ForeignHistory history;
  if (table.empty()) {
    history.table = co_await FindTable(session, tool);
  } else {
    const auto name = sql::ParseQualifiedName(table);
    if (!name) throw Failure(ExitCode::kUsage, fmt::format("--table {} is no name", table));
    history.table = sql::ToString(*name);
  }
  const std::string query = fmt::format(fmt::runtime(tool.query), history.table);
  const pg::Result rows = co_await session.db().Query(query);
  for (int i = 0; i < rows.rows(); ++i)
    history.rows.push_back(
        {rows.Get<std::string>(i, 0), StateOf(rows.Bytes(i, 1)), rows.Get<std::string>(i, 2)});
  co_return history;
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
