#include "cli/own_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

constexpr off_t kMostOutput = 65'536;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const Context& context) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("PGALTER_DSN=")) variables.emplace_back(*entry);
  if (!context.dsn.empty()) variables.push_back("PGALTER_DSN=" + context.dsn);
  return variables;
}

// Only what is safe between fork and exec. -1: nowhere.
[[noreturn]] void Become(char* const* arguments, char* const* environment, int out, int err) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out < 0 ? null : out, STDOUT_FILENO);
  ::dup2(err < 0 ? null : err, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  ::execve("/proc/self/exe", arguments, environment);
  ::_exit(127);
}

std::string LastOf(int file) {
  if (file < 0) return "";
  const off_t size = ::lseek(file, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - kMostOutput);
  std::string text(static_cast<std::size_t>(std::max<off_t>(0, size - from)), '\0');
  const ssize_t got = ::pread(file, text.data(), text.size(), from);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return text;
}

}  // namespace

std::vector<std::string> SharedArguments(const Context& context) {
  std::vector<std::string> arguments{"--no-color"};
  if (context.Has("config"))
    arguments.insert(arguments.end(),
                     {"--config", std::filesystem::absolute(context.Get("config")).string()});
  if (!context.log_file.empty())
    arguments.insert(arguments.end(),
                     {"--log-file", std::filesystem::absolute(context.log_file).string(),
                      "--log-format", context.Get("log-format")});
  return arguments;
}

OwnProgram OwnProgram::Start(const Context& context, std::vector<std::string> words, Keep keep) {
  const std::string command = words.front();
  words.insert(words.begin(), "pgalter");
  for (std::string& shared : SharedArguments(context)) words.push_back(std::move(shared));
  std::vector<std::string> environment = Environment(context);
  const std::vector<char*> argv = Pointers(words);
  const std::vector<char*> envp = Pointers(environment);
  OwnProgram program;
  if (keep == Keep::kOutput) {
    program.out_ = ::memfd_create("pgalter", MFD_CLOEXEC);
    program.err_ = ::memfd_create("pgalter", MFD_CLOEXEC);
  }
  program.process_ = ::fork();
  if (program.process_ == 0) Become(argv.data(), envp.data(), program.out_, program.err_);
  if (program.process_ < 0)
    throw Rejected(ExitCode::kError,
                   fmt::format("cannot start another process for `pgalter {}`: fork: {}", command,
                               std::strerror(errno)),
                   "the machine has no room for it now: try again later");
  return program;
}

OwnProgram::OwnProgram(OwnProgram&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      code_(other.code_) {}

OwnProgram::~OwnProgram() {
  for (const int file : {out_, err_})
    if (file >= 0) ::close(file);
}

std::optional<int> OwnProgram::Ended() {
  if (code_ || process_ < 0) return code_;
  int status = 0;
  const pid_t ended = ::waitpid(process_, &status, WNOHANG);
  if (ended == process_) code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

void OwnProgram::Pause() const {
  if (process_ > 0 && !code_) ::kill(process_, SIGTERM);
}

std::string OwnProgram::Out() const { return LastOf(out_); }
std::string OwnProgram::Err() const { return LastOf(err_); }

}  // namespace pgalter::cli
