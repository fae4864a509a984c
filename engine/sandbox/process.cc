#include "engine/sandbox/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

#include "engine/sandbox/descriptor.h"
#include "engine/sandbox/error.h"

namespace pgalter::sandbox {
namespace {

using Clock = std::chrono::steady_clock;

// glibc 2.36 declares pidfd_open() in a header that C++ cannot link against. The kernel sets
// close-on-exec by itself.
int OpenPidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

std::optional<User> LookUp(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (!entry) return std::nullopt;
  User user{name, entry->pw_uid, entry->pw_gid, std::vector<gid_t>(64)};
  int count = static_cast<int>(user.groups.size());
  if (::getgrouplist(name.c_str(), user.gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(name.c_str(), user.gid, user.groups.data(), &count);
  }
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

// Our own PGPORT, PGOPTIONS or PGDATA would lead the server's programs astray; TZ and LC_ALL make
// initdb skip its search for a time zone and keep the messages that we read in English.
std::vector<std::string> Environment(const std::filesystem::path& home) {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    bool ours = true;
    for (const std::string_view prefix : {"PG", "LC_", "LANG", "HOME=", "TZ="}) {
      if (text.starts_with(prefix)) ours = false;
    }
    if (ours) kept.emplace_back(text);
  }
  kept.emplace_back("LC_ALL=C");
  kept.emplace_back("TZ=UTC");
  kept.push_back("HOME=" + home.string());
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct ChildFailure {
  int stage = 0;
  int error = 0;
};

constexpr std::array<const char*, 4> kStages = {"prepare its descriptors", "change the user",
                                                "enter its directory", "execute it"};

struct ChildPlan {
  char* const* argv;
  char* const* envp;
  const char* directory;
  const User* user;
  int output;
  int failure;
};

[[noreturn]] void FailChild(const ChildPlan& plan, int stage) {
  const ChildFailure failure{stage, errno};
  [[maybe_unused]] const auto written = ::write(plan.failure, &failure, sizeof failure);
  ::_exit(127);
}

[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(plan.output, 1) < 0 || ::dup2(plan.output, 2) < 0) {
    FailChild(plan, 0);
  }
  CloseOnExecFrom(3);
  if (plan.user) {
    if (::setgroups(plan.user->groups.size(), plan.user->groups.data()) != 0 ||
        ::setgid(plan.user->gid) != 0 || ::setuid(plan.user->uid) != 0) {
      FailChild(plan, 1);
    }
  }
  // After setuid, which clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::chdir(plan.directory) != 0) FailChild(plan, 2);
  ::execve(plan.argv[0], plan.argv, plan.envp);
  FailChild(plan, 3);
}

void ReadAvailable(int fd, std::string& into) {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return;
    }
  }
}

int Remaining(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

// Waits for the process and not for the end of its output: a server that it leaves behind may have
// inherited the descriptor.
bool CollectOutput(pid_t child, int output, Clock::time_point until, std::string& into) {
  const Descriptor watched(OpenPidfd(child));
  for (;;) {
    std::array<pollfd, 2> fds{pollfd{watched.get(), POLLIN, 0}, pollfd{output, POLLIN, 0}};
    const int ready = ::poll(fds.data(), fds.size(), Remaining(until));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    ReadAvailable(output, into);
    if (fds[0].revents) return true;
    // Output closed but still running: only the process is left to wait for.
    if (fds[1].revents & POLLHUP)
      return WaitGone(child, std::chrono::milliseconds(Remaining(until)));
  }
}

// Fields of /proc/PID/stat after the program's name, which may itself hold blanks and brackets.
std::vector<std::string> StatFields(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const auto bracket = line.rfind(')');
  if (bracket == std::string::npos) return {};
  std::istringstream rest(line.substr(bracket + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

// 0 for a process that does not exist or is only a zombie.
std::uint64_t StartOf(pid_t pid) {
  const auto fields = StatFields(pid);
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return 0;
  return std::stoull(fields[19]);
}

}  // namespace

std::optional<User> ServerUser(const std::string& wanted) {
  if (::geteuid() != 0) return std::nullopt;
  if (!wanted.empty()) {
    auto user = LookUp(wanted);
    if (!user) {
      throw SandboxError(fmt::format(
          "cannot run a sandbox as user \"{}\": there is no such user on this machine", wanted));
    }
    if (user->uid == 0) {
      throw SandboxError(fmt::format(
          "cannot run a sandbox as user \"{}\": PostgreSQL refuses to run as root; name another "
          "user",
          wanted));
    }
    return user;
  }
  for (const char* name : {"postgres", "nobody"}) {
    if (auto user = LookUp(name)) return user;
  }
  throw SandboxError(
      "cannot start a sandbox as root: PostgreSQL refuses to run as root and there is no user "
      "\"postgres\" or \"nobody\" to run it as; run pgalter as a plain user");
}

Outcome Run(const Command& command) {
  auto arguments = command.argv;
  auto environment = Environment(command.directory);
  const auto argv = Pointers(arguments);
  const auto envp = Pointers(environment);
  const std::string directory = command.directory.string();
  auto [output, child_output] = Pipe();
  auto [failure, child_failure] = Pipe();
  const ChildPlan plan{argv.data(),        envp.data(),
                       directory.c_str(),  command.user ? &*command.user : nullptr,
                       child_output.get(), child_failure.get()};
  const auto until = Clock::now() + command.deadline;
  const pid_t child = ::fork();
  if (child < 0) {
    throw SandboxError(fmt::format("cannot run {}: fork: {}", argv[0], std::strerror(errno)));
  }
  if (child == 0) BecomeProgram(plan);
  child_output.Close();
  child_failure.Close();
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);

  Outcome outcome;
  outcome.timed_out = !CollectOutput(child, output.get(), until, outcome.output);
  if (outcome.timed_out) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ChildFailure failed;
  if (::read(failure.get(), &failed, sizeof failed) == static_cast<ssize_t>(sizeof failed)) {
    throw SandboxError(
        fmt::format("cannot run {}{}: failed to {}: {}", argv[0],
                    command.user ? fmt::format(" as user \"{}\"", command.user->name) : "",
                    kStages[static_cast<std::size_t>(failed.stage)], std::strerror(failed.error)));
  }
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

ProcessId ThisProcess() { return {::getpid(), StartOf(::getpid())}; }

bool IsRunning(const ProcessId& process) {
  const auto started = StartOf(process.pid);
  return started != 0 && started == process.started;
}

std::string PidNamespace() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
}

std::vector<std::string> CommandLine(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

bool WaitGone(pid_t pid, std::chrono::milliseconds limit) {
  const Descriptor watched(OpenPidfd(pid));
  if (watched.get() < 0) return true;
  const auto until = Clock::now() + limit;
  for (;;) {
    pollfd fd{watched.get(), POLLIN, 0};
    const int ready = ::poll(&fd, 1, Remaining(until));
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) return false;
  }
}

}  // namespace pgalter::sandbox
