#include "engine/sandbox/directory.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "engine/sandbox/error.h"

namespace pgalter::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "pgalter-sandbox-";

// What the server appends to the parent: "/pgalter-sandbox-XXXXXX/s/.s.PGSQL.65535".
bool SocketFits(const fs::path& parent) {
  const auto name = fmt::format("{}/{}XXXXXX/s/.s.PGSQL.65535", parent.string(), kPrefix);
  return name.size() < sizeof(sockaddr_un::sun_path);
}

// pg_ctl puts the folder between double quotes in a shell command.
bool SurvivesShell(const fs::path& parent) {
  return parent.string().find_first_of("\"$`\\\n") == std::string::npos;
}

// A TMPDIR that the server's programs cannot use, or too deep for a socket's name (107 bytes),
// gives way to /tmp.
fs::path Parent() {
  const char* named = std::getenv("TMPDIR");
  if (named && *named) {
    std::error_code lost;  // no current directory any more
    const auto parent = fs::absolute(named, lost).lexically_normal();
    if (!lost && SocketFits(parent) && SurvivesShell(parent)) return parent;
  }
  return "/tmp";
}

void GiveTo(const std::optional<User>& user, const fs::path& path) {
  if (user && ::chown(path.c_str(), user->uid, user->gid) != 0) {
    throw SandboxError(fmt::format("cannot give {} to user \"{}\": {}", path.string(), user->name,
                                   std::strerror(errno)));
  }
}

void SetMode(const fs::path& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0) {
    throw SandboxError(
        fmt::format("cannot set the mode of {}: {}", path.string(), std::strerror(errno)));
  }
}

void MakeFor(const std::optional<User>& user, const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    throw SandboxError(fmt::format("cannot make {}: {}", path.string(), std::strerror(errno)));
  }
  GiveTo(user, path);
}

}  // namespace

std::string Directory::id() const { return root.filename().string().substr(kPrefix.size()); }

Directory CreateDirectory(const std::optional<User>& server_user) {
  const auto parent = Parent();
  std::string name = fmt::format("{}/{}XXXXXX", parent.string(), kPrefix);
  if (!::mkdtemp(name.data())) {
    throw SandboxError(fmt::format(
        "cannot make a folder for a sandbox in {}: {}; set TMPDIR to a folder that you may write",
        parent.string(), std::strerror(errno)));
  }
  const Directory directory{name};
  try {
    // The server's user has to pass through; what it finds inside is closed to others.
    SetMode(directory.root, 0711);
    MakeFor(server_user, directory.data());
    MakeFor(server_user, directory.sockets());
    WriteText(directory.log(), "");
    SetMode(directory.log(), 0600);
    GiveTo(server_user, directory.log());
  } catch (...) {
    RemoveDirectory(directory);
    throw;
  }
  return directory;
}

std::vector<Directory> OwnDirectories() {
  std::vector<Directory> found;
  for (const auto& parent : std::set<fs::path>{Parent(), "/tmp"}) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(parent, unreadable)) {
      struct stat status {};
      const bool exists = ::lstat(entry.path().c_str(), &status) == 0;
      if (exists && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
          entry.path().filename().string().starts_with(kPrefix)) {
        found.push_back({entry.path()});
      }
    }
  }
  return found;
}

void RemoveDirectory(const Directory& directory) noexcept {
  // The last children of a server that has just been killed may still write.
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::error_code failed;
    fs::remove_all(directory.root, failed);
    if (!fs::exists(directory.root, failed)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void WriteText(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.flush();
  if (!file) throw SandboxError(fmt::format("cannot write {}: is the disk full?", path.string()));
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace pgalter::sandbox
