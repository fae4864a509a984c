#include "engine/sandbox/find_server.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <sstream>
#include <vector>

#include "engine/sandbox/error.h"
#include "engine/sandbox/process.h"

namespace pgalter::sandbox {
namespace {

namespace fs = std::filesystem;

bool IsProgram(const fs::path& path) {
  std::error_code unreachable;  // PATH may name folders that are closed to this user
  return fs::is_regular_file(path, unreachable) && ::access(path.c_str(), X_OK) == 0;
}

bool HoldsServer(const fs::path& dir) {
  for (const char* name : {"initdb", "pg_ctl", "postgres"}) {
    if (!IsProgram(dir / name)) return false;
  }
  return true;
}

std::optional<fs::path> OnPath(const std::string& program) {
  if (program.find('/') != std::string::npos) return fs::path(program);
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (IsProgram(fs::path(folder) / program)) return fs::path(folder) / program;
  }
  return std::nullopt;
}

fs::path Absolute(const fs::path& path) {
  std::error_code lost;  // no current directory any more
  const auto absolute = fs::absolute(path, lost);
  return lost ? path : absolute;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::optional<fs::path> BinDirOf(const std::string& pg_config) {
  const auto program = OnPath(pg_config);
  if (!program || !IsProgram(*program)) return std::nullopt;
  const auto outcome = Run({{program->string(), "--bindir"}, "/", std::nullopt});
  if (!outcome.ok()) return std::nullopt;
  return fs::path(FirstLine(outcome.output));
}

std::optional<fs::path> NewestDebian(const fs::path& root) {
  std::optional<fs::path> newest;
  int newest_major = 0;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(root, missing)) {
    const int major = std::atoi(entry.path().filename().c_str());
    if (major > newest_major && HoldsServer(entry.path() / "bin")) {
      newest = entry.path() / "bin";
      newest_major = major;
    }
  }
  return newest;
}

// "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"
ServerBinaries Identify(const fs::path& bin_dir) {
  const auto program = (bin_dir / "postgres").string();
  const auto outcome = Run({{program, "--version"}, "/", std::nullopt});
  std::istringstream words(outcome.output);
  std::string name, product, version;
  words >> name >> product >> version;
  const int major = std::atoi(version.c_str());
  if (!outcome.ok() || product != "(PostgreSQL)" || major == 0) {
    throw SandboxError(
        fmt::format("cannot tell the version of {}: `postgres --version` exited with {} and said "
                    "\"{}\"; is the installation complete?",
                    program, outcome.exit_code, FirstLine(outcome.output)));
  }
  return {bin_dir, version, major};
}

constexpr const char* kWayOut =
    "install a server (Debian: apt install postgresql) or name the folder that holds initdb, "
    "pg_ctl and postgres with --pg-bin or PGALTER_PG_BIN";

ServerBinaries IdentifyNamed(const std::string& named_by, const fs::path& dir) {
  const auto absolute = Absolute(dir);
  if (HoldsServer(absolute)) return Identify(absolute);
  throw SandboxError(fmt::format(
      "cannot find a PostgreSQL server in {} (named by {}): it does not hold the programs initdb, "
      "pg_ctl and postgres; {}",
      absolute.string(), named_by, kWayOut));
}

}  // namespace

ServerSearch DefaultSearch(const std::string& pg_bin) {
  const char* environment = std::getenv("PGALTER_PG_BIN");
  ServerSearch search;
  search.pg_bin = pg_bin;
  search.environment = environment ? environment : "";
  return search;
}

ServerBinaries FindServer(const ServerSearch& search) {
  if (!search.pg_bin.empty()) return IdentifyNamed("--pg-bin", search.pg_bin);
  if (!search.environment.empty()) return IdentifyNamed("PGALTER_PG_BIN", search.environment);
  std::vector<std::string> tried = {"--pg-bin (not given)", "PGALTER_PG_BIN (not set)"};
  if (const auto dir = BinDirOf(search.pg_config)) {
    if (HoldsServer(*dir)) return Identify(*dir);
    tried.push_back(
        fmt::format("{} (from {} --bindir; no server there)", dir->string(), search.pg_config));
  } else {
    tried.push_back(fmt::format("{} --bindir (no such program)", search.pg_config));
  }
  if (const auto dir = NewestDebian(search.debian)) return Identify(*dir);
  tried.push_back(fmt::format("{}/*/bin (no server there)", search.debian.string()));
  throw SandboxError(fmt::format("cannot find a PostgreSQL server; looked at: {}; {}",
                                 fmt::join(tried, ", "), kWayOut));
}

}  // namespace pgalter::sandbox
