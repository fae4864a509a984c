// A program on a terminal of its own (forkpty): what it draws, the keys that it is sent, the size
// that it is told, and how it leaves the terminal. Single-threaded tests only.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace pgalter::test {

class [[nodiscard]] Pty {
 public:
  Pty(const std::string& binary, const Words& arguments, const Words& environment,
      int columns = 100, int rows = 40);
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;
  ~Pty();

  void Press(const std::string& keys) const;
  void Resize(int columns, int rows) const;
  void Signal(int signal) const;
  // Reads until the condition holds of what was said so far; false past the limit or at the end.
  bool Await(const std::function<bool(const std::string&)>& condition,
             std::chrono::seconds limit = std::chrono::seconds(30));
  // The lines of the last whole frame, without colours.
  [[nodiscard]] std::vector<std::string> Frame() const;
  // Reads until a frame has this in it.
  bool AwaitShown(const std::string& text, std::chrono::seconds limit = std::chrono::seconds(30));
  [[nodiscard]] const std::string& said() const { return said_; }
  void Forget() { said_.clear(); }
  // Stopped by a signal, as Ctrl-Z does it.
  bool AwaitStopped();
  // As a shell has it: 128 + signal.
  int Wait();
  // Lines and echo, as a shell wants them.
  [[nodiscard]] bool IsAsBefore() const;

 private:
  void Read();

  int master_ = -1;
  pid_t pid_ = -1;
  int code_ = -1;
  termios before_{};
  std::string said_;
};

}  // namespace pgalter::test
