#include "tests/support/pty.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <regex>
#include <stdexcept>
#include <thread>

namespace pgalter::test {

namespace {

std::vector<char*> Pointers(Words& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

winsize SizeOf(int columns, int rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  return size;
}

}  // namespace

Pty::Pty(const std::string& binary, const Words& arguments, const Words& environment, int columns,
         int rows) {
  Words words{binary};
  words.insert(words.end(), arguments.begin(), arguments.end());
  // Those that are given come first: the first of a name counts.
  Words variables = environment;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  const std::vector<char*> argv = Pointers(words);
  const std::vector<char*> envp = Pointers(variables);
  winsize size = SizeOf(columns, rows);
  pid_ = ::forkpty(&master_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("no terminal");
  if (pid_ == 0) {
    ::execve(binary.c_str(), argv.data(), envp.data());
    ::_exit(127);
  }
  ::tcgetattr(master_, &before_);
}

Pty::~Pty() {
  if (code_ < 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(master_);
}

void Pty::Press(const std::string& keys) const {
  if (::write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
    throw std::runtime_error("the terminal takes no keys");
}

void Pty::Resize(int columns, int rows) const {
  const winsize size = SizeOf(columns, rows);
  ::ioctl(master_, TIOCSWINSZ, &size);
}

void Pty::Signal(int signal) const { ::kill(pid_, signal); }

void Pty::Read() {
  pollfd ready{master_, POLLIN, 0};
  if (::poll(&ready, 1, 20) != 1) return;
  char buffer[4096];
  const ssize_t got = ::read(master_, buffer, sizeof buffer);
  if (got > 0) said_.append(buffer, static_cast<std::size_t>(got));
  // At the end of the other side reading fails at once, again and again.
  if (got <= 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

bool Pty::Await(const std::function<bool(const std::string&)>& condition,
                std::chrono::seconds limit) {
  const auto give_up = std::chrono::steady_clock::now() + limit;
  while (!condition(said_)) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    Read();
  }
  return true;
}

std::vector<std::string> Pty::Frame() const {
  const std::string end = "\x1b[J";
  const std::string begin = "\x1b[H";
  std::vector<std::string> lines;
  const auto last = said_.rfind(end);
  if (last == std::string::npos) return lines;
  const auto first = said_.rfind(begin, last);
  if (first == std::string::npos) return lines;
  std::string frame = said_.substr(first + begin.size(), last - first - begin.size());
  frame = std::regex_replace(frame, std::regex("\x1b\\[[0-9;?]*[A-Za-z]"), "");
  std::size_t at = 0;
  for (std::size_t next = 0; next != std::string::npos; at = next + 2) {
    next = frame.find("\r\n", at);
    lines.push_back(frame.substr(at, next == std::string::npos ? next : next - at));
    // The terminal itself puts one in front of each line break (ONLCR).
    while (!lines.back().empty() && lines.back().back() == '\r') lines.back().pop_back();
    if (next == std::string::npos) break;
  }
  return lines;
}

bool Pty::AwaitShown(const std::string& text, std::chrono::seconds limit) {
  return Await(
      [&](const std::string&) {
        for (const std::string& line : Frame())
          if (line.find(text) != std::string::npos) return true;
        return false;
      },
      limit);
}

bool Pty::AwaitStopped() {
  int status = 0;
  return ::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
}

int Pty::Wait() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    Read();
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("it does not end");
  }
  for (int i = 0; i < 5; ++i) Read();
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

bool Pty::IsAsBefore() const {
  termios now{};
  return ::tcgetattr(master_, &now) == 0 && now.c_lflag == before_.c_lflag &&
         now.c_iflag == before_.c_iflag && now.c_oflag == before_.c_oflag;
}

}  // namespace pgalter::test
