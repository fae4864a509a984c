// Other programs: run one to its end as a given user, recognise a process again, wait for its end.
// Safe in a program with threads: between fork and exec only async-signal-safe calls are made.
// For this room only, but Outcome, which Sandbox::RunClient returns.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pgalter::sandbox {

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

// Whom the server has to run as: nobody else (nullopt) unless this process is root. Then `wanted`,
// or without one `postgres`, else `nobody`; PostgreSQL refuses to run as root.
std::optional<User> ServerUser(const std::string& wanted);

struct Command {
  std::vector<std::string> argv;
  std::filesystem::path directory;  // where it runs; also its HOME
  std::optional<User> user;
  std::chrono::milliseconds deadline{std::chrono::minutes(1)};
};

struct Outcome {
  int exit_code = 0;  // 128 + signal when a signal ended it
  bool timed_out = false;
  std::string output;  // stdout and stderr together

  [[nodiscard]] bool ok() const { return exit_code == 0 && !timed_out; }
};

// Throws SandboxError when the program cannot be started; a failure of the program is an Outcome.
// The program sees no PG* variable of ours, speaks English, and dies with this process.
Outcome Run(const Command& command);

// A pid alone is not a process: numbers come round again.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t started = 0;  // clock ticks since boot
};

ProcessId ThisProcess();
bool IsRunning(const ProcessId& process);

// The pid namespace of this process. A pid means something only inside its own.
std::string PidNamespace();

// Its arguments; empty when there is no such process.
std::vector<std::string> CommandLine(pid_t pid);

// True when the process (a child or not) has ended within the limit.
bool WaitGone(pid_t pid, std::chrono::milliseconds limit);

}  // namespace pgalter::sandbox
