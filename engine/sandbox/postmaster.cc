#include "engine/sandbox/postmaster.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "engine/sandbox/descriptor.h"
#include "engine/sandbox/error.h"

namespace pgalter::sandbox {
namespace {

using std::chrono::seconds;

bool IsFree(int port) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Below the range that the kernel hands to outgoing connections, so that the port is still free
// when a crashed server is started again.
int ChoosePort() {
  std::random_device random;
  std::uniform_int_distribution<int> ports(20000, 32767);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const int port = ports(random);
    if (IsFree(port)) return port;
  }
  throw SandboxError("cannot start a sandbox: no free port on 127.0.0.1 from 20000 to 32767");
}

void WriteConfig(const Directory& directory, int port) {
  WriteText(directory.config(),
            fmt::format("include {}\ninclude {}\n"
                        "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = {}\n",
                        QuoteSetting((directory.data() / "postgresql.conf").string()),
                        QuoteSetting(directory.settings().string()), port,
                        QuoteSetting(directory.sockets().string())));
}

// pg_ctl hands its options to a shell.
std::string QuoteShell(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

[[noreturn]] void ThrowFailure(const Installation& installation, const Directory& directory,
                               const std::string& attempt, const std::string& program,
                               const Outcome& outcome) {
  const auto log = LogTail(directory, 20);
  throw SandboxError(fmt::format(
      "cannot {}: {} (PostgreSQL {}{}) {}\n{}{}\n"
      "If a folder could not be reached, check that this user may enter {} and read {}; set TMPDIR "
      "or --pg-bin to others.",
      attempt, (installation.server.bin_dir / program).string(), installation.server.version,
      installation.user ? fmt::format(", as user \"{}\"", installation.user->name) : "",
      outcome.timed_out ? fmt::format("did not end within {} s", installation.deadline.count())
                        : fmt::format("exited with {}", outcome.exit_code),
      outcome.output, log.empty() ? "" : "The server's log ends with:\n" + log,
      directory.root.parent_path().string(), installation.server.bin_dir.string()));
}

Outcome RunAsServer(const Installation& installation, const Directory& directory,
                    const std::string& program, const std::vector<std::string>& arguments) {
  Command command{{(installation.server.bin_dir / program).string()},
                  directory.root,
                  installation.user,
                  installation.deadline + seconds(5)};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return Run(command);
}

bool LostThePort(const Directory& directory, std::size_t log_start) {
  return ReadText(directory.log()).find("could not bind IPv4 address", log_start) !=
         std::string::npos;
}

}  // namespace

std::string QuoteSetting(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

void RunServerProgram(const Installation& installation, const Directory& directory,
                      const std::string& attempt, const std::string& program,
                      const std::vector<std::string>& arguments) {
  const auto outcome = RunAsServer(installation, directory, program, arguments);
  if (!outcome.ok()) ThrowFailure(installation, directory, attempt, program, outcome);
}

void InitCluster(const Installation& installation, const Directory& directory) {
  RunServerProgram(installation, directory, "create a sandbox's cluster", "initdb",
                   {"--pgdata", directory.data().string(), "--encoding=UTF8", "--locale=C",
                    "--auth=trust", "--username=postgres", "--no-sync"});
}

int StartPostmaster(const Installation& installation, const Directory& directory, int port) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    const int chosen = port ? port : ChoosePort();
    WriteConfig(directory, chosen);
    const auto log_start = ReadText(directory.log()).size();
    const auto outcome = RunAsServer(
        installation, directory, "pg_ctl",
        {"start", "--wait", "--silent", "--timeout", std::to_string(installation.deadline.count()),
         "--pgdata", directory.data().string(), "--log", directory.log().string(), "--options",
         "-c config_file=" + QuoteShell(directory.config().string())});
    if (outcome.ok()) return chosen;
    // Another program took the port after we had looked.
    if (!port && attempt < kAttempts && LostThePort(directory, log_start)) continue;
    ThrowFailure(installation, directory, fmt::format("start a sandbox on port {}", chosen),
                 "pg_ctl", outcome);
  }
}

std::optional<pid_t> FindPostmaster(const Directory& directory) {
  std::ifstream file(directory.data() / "postmaster.pid");
  pid_t pid = 0;
  if (!(file >> pid) || pid <= 1) return std::nullopt;
  const auto arguments = CommandLine(pid);
  const auto data = directory.data().string();
  if (std::find(arguments.begin(), arguments.end(), data) == arguments.end()) return std::nullopt;
  return pid;
}

void StopPostmaster(const Directory& directory, StopMode mode) noexcept {
  struct Step {
    int signal;
    seconds patience;
  };
  for (const Step step :
       {Step{SIGINT, seconds(30)}, Step{SIGQUIT, seconds(10)}, Step{SIGKILL, seconds(5)}}) {
    if (mode == StopMode::kImmediate && step.signal == SIGINT) continue;
    const auto pid = FindPostmaster(directory);
    if (!pid || ::kill(*pid, step.signal) != 0 || WaitGone(*pid, step.patience)) return;
  }
}

std::string LogTail(const Directory& directory, std::size_t lines) {
  const auto text = ReadText(directory.log());
  std::size_t start = text.size();
  for (std::size_t count = 0; start > 0; --start) {
    if (text[start - 1] == '\n' && start != text.size() && ++count == lines) break;
  }
  return text.substr(start);
}

}  // namespace pgalter::sandbox
