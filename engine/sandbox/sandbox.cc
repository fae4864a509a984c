#include "engine/sandbox/sandbox.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <utility>

#include "engine/sandbox/base_backup.h"

namespace pgalter::sandbox {
namespace {

namespace fs = std::filesystem;

std::string SettingsText(const Options& options) {
  return fmt::format(
      "max_connections = {}\nshared_buffers = {}\nwal_level = {}\nfsync = {}\n"
      "timezone = 'UTC'\nlog_timezone = 'UTC'\nlog_line_prefix = '%m [%p] %q%a '\n{}\n",
      options.max_connections, options.shared_buffers, options.wal_level,
      options.fsync ? "on" : "off", fmt::join(options.settings, "\n"));
}

std::string QuoteConninfo(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// Plain where it can be, so that people can read and paste it.
std::string ConninfoValue(const std::string& value) {
  const bool plain = !value.empty() && value.find_first_of(" '\\\t\n") == std::string::npos;
  return plain ? value : QuoteConninfo(value);
}

// Made but without a marker: between two steps of its maker, or half removed by one that died.
bool IsOldLeftover(const Directory& directory) {
  std::error_code gone;
  const auto changed = fs::last_write_time(directory.root, gone);
  return !gone && fs::file_time_type::clock::now() - changed > std::chrono::minutes(10);
}

bool IsAbandoned(const Directory& directory) {
  const auto marker = ReadMarker(directory.root);
  if (!marker) return IsOldLeftover(directory);
  return !marker->keep && marker->pid_namespace == PidNamespace() && !IsRunning(marker->owner);
}

}  // namespace

Sandbox::Sandbox(Installation installation)
    : directory_(CreateDirectory(installation.user)), installation_(std::move(installation)) {
  marker_.id = directory_.id();
  marker_.owner = ThisProcess();
  marker_.pid_namespace = PidNamespace();
  marker_.socket_dir = directory_.sockets();
  marker_.bin_dir = installation_.server.bin_dir;
  marker_.server_version = installation_.server.version;
  marker_.server_user = installation_.user ? installation_.user->name : "";
  marker_.created_at = UtcNow();
  try {
    WriteMarker(directory_.root, marker_);
    watchdog_ = Watchdog::Guard(directory_);
  } catch (...) {
    RemoveDirectory(directory_);
    throw;
  }
}

Sandbox::Sandbox(Directory directory, Marker marker, Installation installation)
    : directory_(std::move(directory)),
      marker_(std::move(marker)),
      installation_(std::move(installation)) {}

Sandbox::Sandbox(Sandbox&& other) noexcept
    : directory_(std::exchange(other.directory_, {})),
      marker_(std::move(other.marker_)),
      installation_(std::move(other.installation_)),
      watchdog_(std::move(other.watchdog_)) {}

Sandbox& Sandbox::operator=(Sandbox&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(marker_, other.marker_);
  std::swap(installation_, other.installation_);
  std::swap(watchdog_, other.watchdog_);
  return *this;
}

Sandbox::~Sandbox() {
  // Nothing is worth a checkpoint, or waiting for a standby, when the files go next.
  if (!marker_.keep) Stop(StopMode::kImmediate);
}

Sandbox Sandbox::Start(const Options& options) {
  CollectAbandoned();
  Installation installation{FindServer(DefaultSearch(options.pg_bin)), ServerUser(options.user),
                            options.deadline};
  Sandbox sandbox(std::move(installation));
  InitCluster(sandbox.installation_, sandbox.directory_);
  WriteText(sandbox.directory_.settings(), SettingsText(options));
  sandbox.Launch();
  // Only now: until it runs, a start that is killed must leave nothing behind.
  if (options.keep) sandbox.Keep();
  return sandbox;
}

void Sandbox::Keep() {
  marker_.keep = true;
  WriteMarker(directory_.root, marker_);
  watchdog_.Dismiss();
}

void Sandbox::Launch() {
  marker_.port = StartPostmaster(installation_, directory_, marker_.port);
  marker_.postmaster = FindPostmaster(directory_).value_or(0);
  WriteMarker(directory_.root, marker_);
}

Sandbox Sandbox::Find(const std::string& id) {
  std::vector<std::string> known;
  for (const Directory& directory : OwnDirectories()) {
    auto marker = ReadMarker(directory.root);
    if (!marker || !marker->keep) continue;
    if (marker->id != id) {
      known.push_back(marker->id);
      continue;
    }
    Installation installation;
    installation.server = {marker->bin_dir, marker->server_version,
                           std::atoi(marker->server_version.c_str())};
    installation.user = ServerUser(marker->server_user);
    return {directory, std::move(*marker), std::move(installation)};
  }
  throw SandboxError(fmt::format("there is no sandbox \"{}\"; {}", id,
                                 known.empty()
                                     ? "none is kept for this user"
                                     : fmt::format("kept are: {}", fmt::join(known, ", "))));
}

std::vector<Listed> Sandbox::List() {
  std::vector<Listed> listed;
  for (const Directory& directory : OwnDirectories()) {
    auto marker = ReadMarker(directory.root);
    if (!marker || !marker->keep) continue;
    listed.push_back({std::move(*marker), FindPostmaster(directory).has_value()});
  }
  return listed;
}

std::vector<std::string> Sandbox::CollectAbandoned() noexcept {
  std::vector<std::string> collected;
  for (const Directory& directory : OwnDirectories()) {
    if (!IsAbandoned(directory)) continue;
    StopPostmaster(directory, StopMode::kImmediate);
    RemoveDirectory(directory);
    collected.push_back(directory.id());
  }
  return collected;
}

void Sandbox::Stop(StopMode mode) noexcept {
  const bool copied_by_fork = !marker_.keep && marker_.owner.pid != ::getpid();
  if (directory_.root.empty() || copied_by_fork) return;
  StopPostmaster(directory_, mode);
  RemoveDirectory(directory_);
  watchdog_.Dismiss();
  directory_ = {};
}

void Sandbox::Crash() {
  StopPostmaster(directory_, StopMode::kImmediate);
  marker_.postmaster = 0;
  WriteMarker(directory_.root, marker_);
}

void Sandbox::Restart() {
  StopPostmaster(directory_, StopMode::kFast);
  Launch();
}

Sandbox Sandbox::MakeStandby(const StandbyOptions& options) {
  Sandbox standby{Installation(installation_)};
  const auto name = options.name.empty() ? "standby_" + standby.id() : options.name;
  CopyForStandby({conninfo(), data_dir(), standby.data_dir(), installation_.user, options.slot});
  const std::string primary =
      fmt::format("{} application_name={}", conninfo(), ConninfoValue(name));
  WriteText(
      standby.directory_.settings(),
      fmt::format("{}primary_conninfo = {}\nprimary_slot_name = '{}'\n"
                  "recovery_min_apply_delay = '{}ms'\n{}\n",
                  ReadText(directory_.settings()), QuoteSetting(primary), options.slot,
                  options.recovery_min_apply_delay.count(), fmt::join(options.settings, "\n")));
  standby.Launch();
  if (options.keep) standby.Keep();
  return standby;
}

void Sandbox::Promote() {
  RunServerProgram(
      installation_, directory_, fmt::format("promote sandbox {}", id()), "pg_ctl",
      {"promote", "--wait", "--silent", "--timeout", std::to_string(installation_.deadline.count()),
       "--pgdata", directory_.data().string()});
}

Outcome Sandbox::RunClient(const std::string& program, std::vector<std::string> arguments,
                           std::chrono::milliseconds deadline) const {
  const std::filesystem::path path = bin_dir() / program;
  if (!std::filesystem::exists(path))
    throw SandboxError(
        fmt::format("{} comes without {}: install the client programs of this "
                    "version, or name a folder that has them with --pg-bin",
                    bin_dir().string(), program));
  Command command;
  command.argv.push_back(path.string());
  command.argv.insert(command.argv.end(), std::make_move_iterator(arguments.begin()),
                      std::make_move_iterator(arguments.end()));
  command.directory = directory_.root;
  command.deadline = deadline;
  return sandbox::Run(command);
}

std::string Sandbox::conninfo(const std::string& dbname) const {
  return fmt::format("host={} port={} user=postgres dbname={}",
                     ConninfoValue(socket_dir().string()), port(), ConninfoValue(dbname));
}

std::string Sandbox::tcp_conninfo(const std::string& dbname) const {
  return fmt::format("host=127.0.0.1 port={} user=postgres dbname={}", port(),
                     ConninfoValue(dbname));
}

}  // namespace pgalter::sandbox
