#include "batcher/partition/export_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/async/blocking.h"
#include "engine/run/failure.h"
#include "engine/state/sha256.h"

namespace pgalter::partition {

namespace fs = std::filesystem;
using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void RefuseFile(const std::string& path, const char* what, int error) {
  throw Failure(ExitCode::kError, fmt::format("cannot {} {}: {}. No row was dropped", what, path,
                                              std::strerror(error)));
}

// Closed with its object; Sync says whether everything is on the disk.
class OutFile {
 public:
  explicit OutFile(std::string path)
      : path_(std::move(path)),
        fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (fd_ < 0) RefuseFile(path_, "write", errno);
  }
  OutFile(const OutFile&) = delete;
  OutFile& operator=(const OutFile&) = delete;
  ~OutFile() { ::close(fd_); }

  void Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) RefuseFile(path_, "write", errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void Sync() const {
    if (::fsync(fd_) != 0) RefuseFile(path_, "write", errno);
  }

 private:
  std::string path_;
  int fd_;
};

void SyncFolder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) RefuseFile(folder.string(), "open", errno);
  ::fsync(fd);
  ::close(fd);
}

// Parallel workers and shared scans would give the rows in another order each time.
Task<> FixFormats(guard::Session& session) {
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"DateStyle", "ISO, YMD"},
           {"IntervalStyle", "postgres"},
           {"TimeZone", "UTC"},
           {"extra_float_digits", "1"},
           {"bytea_output", "hex"},
           {"client_encoding", "UTF8"},
           {"search_path", "pg_catalog"},
           {"synchronize_seqscans", "off"},
           {"max_parallel_workers_per_gather", "0"}})
    co_await session.db().Query("SELECT pg_catalog.set_config($1, $2, false)", name, value);
}

// As COPY … FROM takes them into a table like the parent: in its order, which a partition need not
// have, and without those that are generated.
Task<std::string> CopyOf(guard::Session& session, std::string table) {
  const pg::Result row = co_await session.db().Query(
      "SELECT coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY p.attnum, a.attnum), '')"
      " FROM pg_attribute a LEFT JOIN pgalter.retired r ON r.relid = a.attrelid"
      " LEFT JOIN pg_attribute p ON p.attrelid = r.parent_relid AND p.attname = a.attname"
      " AND NOT p.attisdropped WHERE a.attrelid = $1::regclass AND a.attnum > 0"
      " AND NOT a.attisdropped AND a.attgenerated = ''",
      table);
  co_return fmt::format("COPY (SELECT {} FROM {}) TO STDOUT", row.Get<std::string>(0, 0), table);
}

std::string HashFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "";
  state::Sha256 sha256;
  std::array<char, 65536> buffer{};
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0)
    sha256.Take(std::string_view(buffer.data(), static_cast<std::size_t>(file.gcount())));
  return file.bad() ? "" : sha256.Hex();
}

}  // namespace

Task<Digest> DigestOf(guard::Session& session, std::string table) {
  co_await FixFormats(session);
  state::Sha256 sha256;
  const auto take = [&sha256](std::string_view bytes) { sha256.Take(bytes); };
  Digest digest;
  const std::string copy = co_await CopyOf(session, table);
  digest.rows = co_await session.db().CopyOut(copy, take);
  digest.sha256 = sha256.Hex();
  co_return digest;
}

Task<Digest> ExportTo(guard::Session& session, std::string table, std::string path) {
  co_await FixFormats(session);
  const std::string part = path + ".part";
  const std::string copy = co_await CopyOf(session, table);
  Digest digest;
  {
    OutFile file(part);
    state::Sha256 sha256;
    const auto take = [&](std::string_view bytes) {
      sha256.Take(bytes);
      file.Write(bytes);
    };
    digest.rows = co_await session.db().CopyOut(copy, take);
    digest.sha256 = sha256.Hex();
    file.Sync();
  }
  const bool there = fs::exists(path);
  std::string before;
  if (there) before = co_await Sha256OfFile(path);
  if (there && before != digest.sha256)
    throw Failure(ExitCode::kRefused,
                  fmt::format("there is a file {} already, with something else in it: move it "
                              "away. No row was dropped",
                              path));
  if (std::rename(part.c_str(), path.c_str()) != 0) RefuseFile(path, "write", errno);
  SyncFolder(fs::path(path).parent_path());
  co_return digest;
}

Task<std::string> Sha256OfFile(std::string path) {
  auto hash = [path = std::move(path)] { return HashFile(path); };
  co_return co_await async::RunBlocking(std::move(hash));
}

std::string FileNameOf(const std::string& table) {
  std::string name;
  for (const char c : table) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '_' || c == '-' || c == '.' || byte >= 0x80;
    if (c == '"') continue;
    if (plain) {
      name += c;
    } else {
      name += fmt::format("%{:02X}", byte);
    }
  }
  return name + ".copy";
}

}  // namespace pgalter::partition
