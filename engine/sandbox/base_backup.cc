#include "engine/sandbox/base_backup.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

#include "engine/pg/connection.h"
#include "engine/sandbox/directory.h"
#include "engine/sandbox/error.h"

namespace pgalter::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr int kNewFunctionNames = 150000;  // pg_backup_start was pg_start_backup before

// Their files mean nothing in another cluster; the server wants the folders (basebackup.c,
// excludeDirContents).
constexpr std::array<std::string_view, 8> kEmptied = {"pg_dynshmem", "pg_notify",    "pg_replslot",
                                                      "pg_serial",   "pg_snapshots", "pg_stat_tmp",
                                                      "pg_subtrans", "pg_wal"};

constexpr std::array<std::string_view, 4> kLeftOut = {"postmaster.pid", "postmaster.opts",
                                                      "current_logfiles", "pg_internal.init"};

template <class Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Copier {
 public:
  explicit Copier(const std::optional<User>& owner) : owner_(owner) {}

  // What goes away meanwhile is made again, or not wanted, by the WAL.
  void Folder(const fs::path& from, const fs::path& to) const {
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator(from, gone)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_directory(gone)) {
        const fs::path made = to / name;
        fs::create_directory(made, entry.path());
        Give(made);
        if (!Contains(kEmptied, name)) Folder(entry.path(), made);
      } else if (!Contains(kLeftOut, name) && !name.starts_with("pgsql_tmp")) {
        File(entry.path(), to / name);
      }
    }
  }

  void Files(const fs::path& from, const fs::path& to) const {
    for (const auto& entry : fs::directory_iterator(from))
      if (entry.is_regular_file()) File(entry.path(), to / entry.path().filename());
  }

  void Write(const fs::path& path, const std::string& text) const {
    WriteText(path, text);
    Give(path);
  }

  void Give(const fs::path& path) const {
    if (owner_ && ::lchown(path.c_str(), owner_->uid, owner_->gid) != 0)
      throw SandboxError(fmt::format("cannot give {} to user \"{}\": {}", path.string(),
                                     owner_->name, std::strerror(errno)));
  }

 private:
  void File(const fs::path& from, const fs::path& to) const {
    std::error_code failed;
    fs::copy_file(from, to, failed);
    if (failed == std::errc::no_such_file_or_directory) return;
    if (failed)
      throw SandboxError(
          fmt::format("cannot copy {} to {}: {}", from.string(), to.string(), failed.message()));
    Give(to);
  }

  const std::optional<User>& owner_;
};

async::Task<> Copy(const BaseBackup& backup) {
  pg::ConnectOptions options;
  options.conninfo = pg::Conninfo::Parse(backup.conninfo);
  options.query_deadline = async::Milliseconds(60'000);
  pg::Connection db = co_await pg::Connection::Connect(std::move(options));
  const bool new_names = db.server_version() >= kNewFunctionNames;
  const std::string start = new_names ? "SELECT pg_backup_start('pgalter sandbox', true)"
                                      : "SELECT pg_start_backup('pgalter sandbox', true, false)";
  const std::string stop = new_names ? "SELECT labelfile FROM pg_backup_stop(false)"
                                     : "SELECT labelfile FROM pg_stop_backup(false, false)";

  if (!fs::is_empty(backup.from / "pg_tblspc"))
    throw SandboxError("cannot copy a cluster that has tablespaces: both would write into them");
  if (!backup.slot.empty())
    co_await db.Query("SELECT pg_create_physical_replication_slot($1, true)", backup.slot);
  co_await db.Query("SELECT pg_create_physical_replication_slot($1, true, true)",
                    fmt::format("pgalter_copy_{}", db.backend_pid()));
  co_await db.Execute(start);
  const Copier copier(backup.owner);
  copier.Folder(backup.from, backup.to);
  const pg::Result stopped = co_await db.Query(stop);
  copier.Write(backup.to / "backup_label", stopped.Get<std::string>(0, 0));
  copier.Write(backup.to / "standby.signal", "");
  copier.Files(backup.from / "pg_wal", backup.to / "pg_wal");
  const fs::path status = backup.to / "pg_wal" / "archive_status";
  fs::create_directory(status, backup.from / "pg_wal" / "archive_status");
  copier.Give(status);
}

}  // namespace

void CopyForStandby(const BaseBackup& backup) {
  boost::asio::io_context loop(1);
  std::exception_ptr failure;
  boost::asio::co_spawn(loop, Copy(backup),
                        [&](const std::exception_ptr& error) { failure = error; });
  loop.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace pgalter::sandbox
