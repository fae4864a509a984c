#include "engine/sandbox/watchdog.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>

namespace pgalter::sandbox {
namespace {

// $1 is the folder. A word on stdin dismisses, the end of it is the owner's death. The postmaster
// is recognised by its arguments, since its number may belong to another process by now. SIGQUIT is
// the immediate shutdown, which leaves no shared memory behind; SIGKILL does and is the last
// resort.
constexpr const char* kScript = R"sh(
read -r word && exit 0
is_ours() {
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
  case "$pid" in ''|*[!0-9]*) return 1;; esac
  tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "$1/data"
}
round=0
while [ -d "$1" ] && [ $round -lt 100 ]; do
  if is_ours "$1"; then
    if [ $round -lt 60 ]; then kill -QUIT "$pid"; else kill -KILL "$pid"; fi
  else
    rm -rf -- "$1"
  fi
  round=$((round + 1))
  sleep 0.1
done
)sh";

[[noreturn]] void BecomeWatchdog(const char* const* argv, int line) {
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  // A terminal's Ctrl-C or hang-up, meant for the owner, must not end the watchdog before its work.
  for (const int number : {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE}) ::signal(number, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDWR);
  if (null < 0 || ::dup2(line, 0) < 0 || ::dup2(null, 1) < 0 || ::dup2(null, 2) < 0) ::_exit(127);
  CloseOnExecFrom(3);
  if (::chdir("/") != 0) ::_exit(127);
  ::execv(argv[0], const_cast<char* const*>(argv));
  ::_exit(127);
}

}  // namespace

Watchdog Watchdog::Guard(const Directory& directory) {
  const std::string root = directory.root.string();
  const std::array<const char*, 6> argv = {"/bin/sh",         "-c",         kScript,
                                           "pgalter-sandbox", root.c_str(), nullptr};
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw SandboxError(
        fmt::format("cannot watch over {}: socketpair: {}", root, std::strerror(errno)));
  }
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    throw SandboxError(fmt::format("cannot watch over {}: fork: {}", root, std::strerror(errno)));
  }
  if (child == 0) BecomeWatchdog(argv.data(), theirs.get());
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return Watchdog(std::move(ours));
}

void Watchdog::Dismiss() noexcept {
  if (line_.get() < 0) return;
  [[maybe_unused]] const auto sent = ::send(line_.get(), "done\n", 5, MSG_NOSIGNAL);
  line_.Close();
}

}  // namespace pgalter::sandbox
