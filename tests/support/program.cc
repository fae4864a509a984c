#include "tests/support/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace pgalter::test {

namespace {

namespace fs = std::filesystem;

// The limits are those of a machine at rest; it may have other things to do.
constexpr int kBusy = 3;

std::string ReadFile(const fs::path& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<char*> Pointers(Words& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t Spawn(Words words, Words environment, const fs::path& folder) {
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  const std::string out = folder / "out";
  const std::string err = folder / "err";
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), flags, 0600);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, words.front().c_str(), &actions, nullptr,
                                  Pointers(words).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), words.front());
  return pid;
}

}  // namespace

Program::Program(const std::string& binary, const Words& arguments, const Words& environment)
    : what_(fmt::format("pgalter {}", fmt::join(arguments, " "))) {
  std::string folder = fs::temp_directory_path() / "pgalter-program-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), folder);
  folder_ = folder;
  Words words{binary};
  words.insert(words.end(), arguments.begin(), arguments.end());
  pid_ = Spawn(std::move(words), environment, folder_);
}

Program::~Program() {
  if (running()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Program::Signal(int signal) const {
  if (code_ < 0) ::kill(pid_, signal);
}

bool Program::running() {
  if (code_ >= 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

Ran Program::SoFar() const { return {code_, ReadFile(folder_ / "out"), ReadFile(folder_ / "err")}; }

Ran Program::Wait(std::chrono::seconds limit) {
  limit *= kBusy;
  const auto give_up = std::chrono::steady_clock::now() + limit;
  while (running()) {
    if (std::chrono::steady_clock::now() > give_up) {
      Signal(SIGKILL);
      const Ran said = SoFar();
      throw std::runtime_error(fmt::format("{} did not end within {} s; it had said:\n{}{}", what_,
                                           limit.count(), said.out, said.err));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return SoFar();
}

}  // namespace pgalter::test
