#include "cli/outside/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

namespace pgalter::cli::outside {

namespace {

constexpr Milliseconds kLook{10};
constexpr std::size_t kMostOutput = 65'536;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }
  void Take(int number) {
    Close();
    number_ = number;
  }
  void Close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_ = -1;
};

// What it has written so far. The rest past the limit is read all the same, or it would hang.
void Drain(int from, std::string& into) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got <= 0) return;
    const auto room = kMostOutput - std::min(kMostOutput, into.size());
    into.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
  }
}

// Its group goes with it, whatever happens to us here.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) Kill();
  }
  // Its exit code once it has ended.
  bool Ended(int& code) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    ::kill(-pid_, SIGKILL);  // what it left behind
    pid_ = -1;
    return true;
  }
  void Kill() {
    ::kill(-pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

bool IsSecret(std::string_view entry) {
  for (const std::string_view name : {"PGALTER_DSN=", "PGPASSWORD=", "PGSSLPASSWORD="})
    if (entry.starts_with(name)) return true;
  return false;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Pipe {
  Descriptor ours;
  Descriptor its;
  bool Open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    ours.Take(ends[0]);
    its.Take(ends[1]);
    return ::fcntl(ours.number(), F_SETFL, O_NONBLOCK) == 0;
  }
};

// 0, or why not.
int Spawn(ProgramCall& call, int input, int out, int err, pid_t& pid) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!IsSecret(*entry)) environment.emplace_back(*entry);
  environment.insert(environment.end(), call.environment.begin(), call.environment.end());
  const std::vector<char*> argv = Pointers(call.words);
  const std::vector<char*> envp = Pointers(environment);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  const int error = ::posix_spawnp(&pid, call.words.front().c_str(), &actions, &attributes,
                                   argv.data(), envp.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  return error;
}

ProgramEnd NotStarted(const std::string& program, int error) {
  ProgramEnd end;
  end.code = 127;
  end.err = fmt::format("{} could not be started: {}", program, std::strerror(error));
  return end;
}

}  // namespace

Task<ProgramEnd> RunProgram(ProgramCall call) {
  const std::string program = call.words.at(0);
  // A file without a name: a pipe would end us where nobody reads it.
  const Descriptor input(::memfd_create("pgalter", MFD_CLOEXEC));
  Pipe out;
  Pipe err;
  if (input.number() < 0 || !out.Open() || !err.Open()) co_return NotStarted(program, errno);
  if (::write(input.number(), call.input.data(), call.input.size()) !=
          static_cast<ssize_t>(call.input.size()) ||
      ::lseek(input.number(), 0, SEEK_SET) != 0)
    co_return NotStarted(program, errno);
  pid_t pid = -1;
  const int error = Spawn(call, input.number(), out.its.number(), err.its.number(), pid);
  if (error != 0) co_return NotStarted(program, error);
  Child child(pid);
  out.its.Close();
  err.its.Close();
  ProgramEnd end;
  const auto until = async::Clock::now() + call.limit;
  bool ended = child.Ended(end.code);
  while (!ended && !end.timed_out) {
    co_await async::SleepFor(kLook);
    Drain(out.ours.number(), end.out);
    Drain(err.ours.number(), end.err);
    ended = child.Ended(end.code);
    end.timed_out = !ended && async::Clock::now() >= until;
  }
  if (end.timed_out) {
    child.Kill();
    end.code = 128 + SIGKILL;
  }
  Drain(out.ours.number(), end.out);
  Drain(err.ours.number(), end.err);
  co_return end;
}

std::string Describe(const ProgramEnd& end, Milliseconds limit) {
  if (end.timed_out)
    return fmt::format("took longer than {:g} s", std::chrono::duration<double>(limit).count());
  std::string_view words = end.err.empty() ? end.out : end.err;
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.remove_suffix(1);
  const auto line = words.rfind('\n');
  if (line != std::string_view::npos) words.remove_prefix(line + 1);
  std::string text = fmt::format("exit code {}", end.code);
  if (!words.empty()) text += fmt::format(": {}", words.substr(0, 300));
  return text;
}

}  // namespace pgalter::cli::outside
