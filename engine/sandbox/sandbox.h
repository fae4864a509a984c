// A throwaway PostgreSQL server: its own cluster, a unix socket in its own folder, a port on
// 127.0.0.1, trust for everybody on this machine. For the demo, rehearsals, benches and tests.
//
// It ends and is removed with its object, with Stop(), and, unless kept, soon after its process has
// ended in any way: a watchdog does it, and CollectAbandoned() what the watchdog could not. It
// never runs as root. Every call blocks; failures are SandboxError and quote the server's log. One
// thread at a time; after fork() the object does nothing in the child.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/sandbox/directory.h"
#include "engine/sandbox/error.h"
#include "engine/sandbox/marker.h"
#include "engine/sandbox/postmaster.h"
#include "engine/sandbox/process.h"
#include "engine/sandbox/watchdog.h"

namespace pgalter::sandbox {

struct Options {
  std::string pg_bin;  // empty: PGALTER_PG_BIN, pg_config, Debian's folders
  std::string user;    // only when root: empty means postgres, else nobody
  bool keep = false;   // goes on after this process; ended by Find(id).Stop()
  bool fsync = true;
  int max_connections = 100;
  std::string shared_buffers = "128MB";
  std::string wal_level = "replica";
  std::vector<std::string> settings;  // further lines of postgresql.conf; they win
  std::chrono::seconds deadline{60};
};

struct StandbyOptions {
  std::string name;  // its application_name on the primary; empty: "standby_ID"
  std::chrono::milliseconds recovery_min_apply_delay{0};
  std::string slot;                   // a physical slot to make and use; empty: none
  std::vector<std::string> settings;  // further lines of postgresql.conf; they win
  bool keep = false;                  // as of its primary; Stop() of that does not end it
};

struct Listed {
  Marker marker;
  bool running = false;
};

class [[nodiscard]] Sandbox {
 public:
  static Sandbox Start(const Options& options = {});
  // The kept sandbox of that id; it is not stopped with the object.
  static Sandbox Find(const std::string& id);
  // All kept ones of the current user.
  static std::vector<Listed> List();
  // Ends and removes what dead processes left behind; returns the ids. Start() calls it first.
  static std::vector<std::string> CollectAbandoned() noexcept;

  Sandbox(Sandbox&& other) noexcept;
  Sandbox& operator=(Sandbox&& other) noexcept;
  ~Sandbox();

  // Ends the server and removes everything. A second call does nothing.
  void Stop(StopMode mode = StopMode::kFast) noexcept;
  // The server ends as in a crash; the files stay, for Restart().
  void Crash();
  // Starts it again with its files, port and settings; a running one is stopped first.
  void Restart();

  // A streaming standby of this server, from a copy of its files. Also throws what engine/pg
  // throws.
  Sandbox MakeStandby(const StandbyOptions& options = {});
  // A standby becomes a primary of its own; returns when it accepts writes.
  void Promote();

  // A client program from the server's folder (psql, pg_restore), run to its end as the user of
  // this process. `arguments` are after its name. Its failure is an Outcome.
  [[nodiscard]] Outcome RunClient(const std::string& program, std::vector<std::string> arguments,
                                  std::chrono::milliseconds deadline) const;

  [[nodiscard]] std::string conninfo(const std::string& dbname = "postgres") const;
  [[nodiscard]] std::string tcp_conninfo(const std::string& dbname = "postgres") const;
  [[nodiscard]] const std::string& id() const { return marker_.id; }
  [[nodiscard]] int port() const { return marker_.port; }
  [[nodiscard]] std::filesystem::path socket_dir() const { return directory_.sockets(); }
  [[nodiscard]] std::filesystem::path data_dir() const { return directory_.data(); }
  [[nodiscard]] std::filesystem::path bin_dir() const { return installation_.server.bin_dir; }
  [[nodiscard]] const std::string& server_version() const { return installation_.server.version; }
  [[nodiscard]] int server_version_major() const { return installation_.server.major; }
  [[nodiscard]] pid_t postmaster_pid() const { return marker_.postmaster; }
  [[nodiscard]] bool running() const { return FindPostmaster(directory_).has_value(); }
  [[nodiscard]] std::string log_tail(std::size_t lines) const { return LogTail(directory_, lines); }

 private:
  explicit Sandbox(Installation installation);
  Sandbox(Directory directory, Marker marker, Installation installation);
  void Launch();
  // It outlives this process from now on.
  void Keep();

  Directory directory_;  // empty root: nothing to look after
  Marker marker_;
  Installation installation_;
  Watchdog watchdog_;
};

}  // namespace pgalter::sandbox
