#include "engine/backup/restore.h"

#include <fmt/format.h>

#include <chrono>
#include <sstream>

namespace pgalter::backup {

namespace {

constexpr std::chrono::hours kLong{24};
constexpr std::size_t kMostProblems = 20;
constexpr std::size_t kEnd = 4096;
constexpr const char* kDatabase = "restored";

// `ALTER … OWNER TO` and `GRANT` of roles that are not there, and of the cluster's own ones, that
// are.
bool IsOfRoles(const std::string& line) {
  return line.find("role \"") != std::string::npos &&
         (line.find("does not exist") != std::string::npos ||
          line.find("already exists") != std::string::npos);
}

std::vector<std::string> ErrorsIn(const std::string& output) {
  std::vector<std::string> errors;
  std::istringstream stream(output);
  for (std::string line; std::getline(stream, line) && errors.size() < kMostProblems;) {
    const bool bad = line.find("ERROR:") != std::string::npos ||
                     line.find("FATAL:") != std::string::npos ||
                     line.find("error:") != std::string::npos;
    if (bad && !IsOfRoles(line)) errors.push_back(line);
  }
  return errors;
}

Restored RestoreScript(const sandbox::Sandbox& server, const std::filesystem::path& path,
                       DumpFormat format) {
  Restored restored;
  restored.database = format == DumpFormat::kCluster ? "postgres" : kDatabase;
  // psql ends with 0 whatever the script did, unless it stops at the first error: but the roles are
  // errors, too. So all that it says is read.
  const sandbox::Outcome outcome =
      server.RunClient("psql",
                       {"-X", "-q", "-o", "/dev/null", "-d", server.conninfo(restored.database),
                        "-f", std::filesystem::absolute(path).string()},
                       kLong);
  restored.problems = ErrorsIn(outcome.output);
  if (!outcome.ok() && restored.problems.empty())
    restored.problems.push_back(
        fmt::format("psql ended with {}: {}", outcome.exit_code, outcome.output.substr(0, kEnd)));
  return restored;
}

Restored RestoreArchive(const sandbox::Sandbox& server, const std::filesystem::path& path) {
  Restored restored;
  restored.database = kDatabase;
  const sandbox::Outcome outcome = server.RunClient(
      "pg_restore",
      {"--no-owner", "--no-acl", "--exit-on-error", "-d", server.conninfo(restored.database),
       std::filesystem::absolute(path).string()},
      kLong);
  if (outcome.ok()) return restored;
  restored.problems = ErrorsIn(outcome.output);
  if (restored.problems.empty())
    restored.problems.push_back(fmt::format("pg_restore ended with {}: {}", outcome.exit_code,
                                            outcome.output.substr(0, kEnd)));
  return restored;
}

}  // namespace

// pg_restore takes rows that are missing at the end of a tar or of an uncompressed file of a
// directory for the end of the rows.
std::vector<std::string> FindTruncation(const std::filesystem::path& path, DumpFormat format) {
  namespace fs = std::filesystem;
  constexpr std::size_t kEndOfTar = 1024;  // two empty blocks
  std::vector<std::string> problems;
  const std::string_view last = LastLine(format);
  if (!last.empty() && Tail(path, kEnd).find(last) == std::string::npos)
    problems.push_back(fmt::format("its last line \"{}\" is missing: it was cut off", last));
  if (format == DumpFormat::kTar && Tail(path, kEndOfTar) != std::string(kEndOfTar, '\0'))
    problems.push_back("it does not end as a tar archive does: it was cut off");
  if (format != DumpFormat::kDirectory) return problems;
  for (const fs::directory_entry& file : fs::directory_iterator(path)) {
    const std::string name = file.path().filename().string();
    // Rows are in NUMBER.dat; large objects in blob_NUMBER.dat.
    if (file.path().extension() != ".dat" || name == "toc.dat" || name.starts_with("blob"))
      continue;
    if (Tail(file.path(), kEnd).find("\n\\.\n") == std::string::npos &&
        !Tail(file.path(), kEnd).starts_with("\\.\n"))
      problems.push_back(fmt::format("{} of it does not end as rows do: it was cut off", name));
  }
  return problems;
}

Restored Restore(const sandbox::Sandbox& server, const std::filesystem::path& path,
                 DumpFormat format) {
  if (format != DumpFormat::kCluster) {
    const sandbox::Outcome made =
        server.RunClient("psql",
                         {"-X", "-q", "-d", server.conninfo(), "-c",
                          fmt::format("CREATE DATABASE {} TEMPLATE template0", kDatabase)},
                         kLong);
    if (!made.ok()) throw sandbox::SandboxError("no database was made: " + made.output);
  }
  const bool script = format == DumpFormat::kPlain || format == DumpFormat::kCluster;
  Restored restored = script ? RestoreScript(server, path, format) : RestoreArchive(server, path);
  for (std::string& problem : FindTruncation(path, format))
    restored.problems.push_back(std::move(problem));
  return restored;
}

}  // namespace pgalter::backup
