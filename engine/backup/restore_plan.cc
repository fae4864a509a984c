#include "engine/backup/restore_plan.h"

#include <fmt/format.h>

namespace pgalter::backup {

namespace {

// pg_dump --create and pg_dumpall go to databases that they name themselves.
bool NamesItsDatabase(std::string_view head) {
  return head.find("\n\\connect ") != std::string_view::npos || head.starts_with("\\connect ");
}

void PlanScript(RestorePlan& plan, const std::string& path, std::string_view head,
                const std::string& database) {
  if (NamesItsDatabase(head)) {
    plan.commands.push_back(fmt::format(
        "psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=postgres --file={}", ShellQuoted(path)));
    plan.notes.emplace_back(
        "it was made with --create: it makes the database that it names itself, and fails where "
        "that "
        "is there already");
    return;
  }
  plan.commands.push_back(
      fmt::format("createdb --template=template0 -- {}", ShellQuoted(database)));
  // Without ON_ERROR_STOP psql goes on after an error and ends with 0.
  plan.commands.push_back(
      fmt::format("psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --single-transaction --dbname={} "
                  "--file={} --output=/dev/null",
                  ShellQuoted(database), ShellQuoted(path)));
}

void PlanArchive(RestorePlan& plan, const std::string& path, DumpFormat format,
                 const std::string& database) {
  plan.commands.push_back(
      fmt::format("createdb --template=template0 -- {}", ShellQuoted(database)));
  // A tar cannot be read by several at once.
  const std::string_view how =
      format == DumpFormat::kTar ? "--single-transaction" : "--exit-on-error --jobs=4";
  plan.commands.push_back(
      fmt::format("pg_restore {} --dbname={} {}", how, ShellQuoted(database), ShellQuoted(path)));
}

}  // namespace

RestorePlan PlanRestore(const std::string& path, DumpFormat format, std::string_view head,
                        const std::string& database) {
  RestorePlan plan;
  if (format == DumpFormat::kCluster) {
    plan.commands.push_back(
        fmt::format("psql --no-psqlrc --dbname=postgres --file={}", ShellQuoted(path)));
    plan.notes.emplace_back(
        "it is of a whole cluster: into an empty one. psql ends with 0 whatever fails; no error "
        "may "
        "be there but that the role of the superuser already exists");
  } else if (format == DumpFormat::kPlain) {
    PlanScript(plan, path, head, database);
  } else {
    PlanArchive(plan, path, format, database);
  }
  if (format != DumpFormat::kCluster)
    plan.notes.emplace_back("the roles that own or use its objects have to be there before");
  plan.notes.emplace_back(
      "what was written after the dump was begun is not in it. Where WAL is archived, a base "
      "backup "
      "that is recovered to a point in time has that as well");
  plan.notes.emplace_back(
      "look at it (pgalter assert, pgalter diff), then let the programs go there; keep the old "
      "database until nobody needs it");
  return plan;
}

std::string ShellQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace pgalter::backup
