// Starting and ending the server in a sandbox's folder. The postmaster is never a child of ours;
// it is found through postmaster.pid and recognised by its arguments. For this room only.
#pragma once

#include <optional>

#include "engine/sandbox/directory.h"
#include "engine/sandbox/find_server.h"
#include "engine/sandbox/process.h"

namespace pgalter::sandbox {

enum class StopMode {
  kFast,       // sessions are ended, everything is written out
  kImmediate,  // as if it had crashed: the next start recovers
};

struct Installation {
  ServerBinaries server;
  std::optional<User> user;
  std::chrono::seconds deadline{60};  // for any one program of the server
};

void InitCluster(const Installation& installation, const Directory& directory);

// Starts on a port that is free, or on `port` when it is not 0; returns the port.
int StartPostmaster(const Installation& installation, const Directory& directory, int port);

// The live postmaster of this folder.
std::optional<pid_t> FindPostmaster(const Directory& directory);

// Returns when the server is gone; goes from fast to immediate to SIGKILL when it does not end.
void StopPostmaster(const Directory& directory, StopMode mode) noexcept;

// Runs one of the server's programs as the server's user; throws with its output and the log's
// tail.
void RunServerProgram(const Installation& installation, const Directory& directory,
                      const std::string& attempt, const std::string& program,
                      const std::vector<std::string>& arguments);

// A value as postgresql.conf has it.
std::string QuoteSetting(const std::string& value);

std::string LogTail(const Directory& directory, std::size_t lines);

}  // namespace pgalter::sandbox
