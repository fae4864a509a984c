#include "tests/support/pgbouncer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace pgalter::test {
namespace {

constexpr const char* kProgram = "/usr/sbin/pgbouncer";

// Below the ports that the kernel hands out, and below those of the sandboxes. Another program may
// take it before pgbouncer does.
int ChoosePort() {
  static std::random_device random;
  return std::uniform_int_distribution(10'000, 19'999)(random);
}

std::string Settings(const sandbox::Sandbox& server, const PgBouncerOptions& options, int port,
                     const std::filesystem::path& directory) {
  return fmt::format(
      "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n"
      "unix_socket_dir =\nauth_type = trust\nauth_file = {}/users\npool_mode = {}\n"
      "default_pool_size = {}\nserver_round_robin = {}\n"
      "server_reset_query = {}\n",
      server.socket_dir().string(), server.port(), port, directory.string(), options.pool_mode,
      options.pool_size, options.round_robin ? 1 : 0, options.reset_query);
}

// Only what may be called between fork and exec.
[[noreturn]] void Run(const char* settings, int log, const passwd* user) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (user != nullptr && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(126);
  // Changing the user drops the wish to end with the test.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::execl(kProgram, kProgram, settings, static_cast<char*>(nullptr));
  ::_exit(127);
}

std::string Read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

bool PgBouncer::Installed() { return ::access(kProgram, X_OK) == 0; }

PgBouncer::PgBouncer(const sandbox::Sandbox& server, const PgBouncerOptions& options) {
  std::string name = (std::filesystem::temp_directory_path() / "pgalter-bouncer-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  directory_ = name;
  std::filesystem::permissions(
      directory_, std::filesystem::perms::others_exec | std::filesystem::perms::owner_all);
  std::ofstream(directory_ / "users") << "\"postgres\" \"\"\n";
  std::string problem;
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = ChoosePort();
    const auto settings = directory_ / "settings";
    std::ofstream(settings) << Settings(server, options, port_, directory_);
    Launch(settings.string());
    problem = AwaitAnswer();
    if (problem.empty()) return;
  }
  throw std::runtime_error(fmt::format("pgbouncer: {}\n{}", problem, Read(directory_ / "log")));
}

void PgBouncer::Launch(const std::string& settings) {
  const passwd* const user = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
  const int log = ::open((directory_ / "log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  pid_ = ::fork();
  if (pid_ == 0) Run(settings.c_str(), log, user);
  ::close(log);
}

// Why it does not serve; it has ended then. What answers may be another one, on the port of ours.
std::string PgBouncer::AwaitAnswer() {
  std::string problem;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    bool answers = false;
    try {
      Session(conninfo("postgres")).Exec("SELECT 1");
      answers = true;
    } catch (const SqlError& error) {
      problem = error.what();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return "it has ended: " + problem;
    }
    if (answers) return "";
    if (std::chrono::steady_clock::now() > until) {
      Stop();
      return problem;
    }
  }
}

void PgBouncer::Stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGINT);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

PgBouncer::~PgBouncer() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string PgBouncer::conninfo(const std::string& dbname) const {
  return fmt::format("host=127.0.0.1 port={} user=postgres dbname={}", port_, dbname);
}

}  // namespace pgalter::test
