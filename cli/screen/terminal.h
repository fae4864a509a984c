// Terminal: the whole screen, for as long as the object lives: alternate screen, no cursor, keys as
// they are pressed. The terminal is as before when it goes, and also when a signal ends the process
// that nobody can handle otherwise (a crash; SIGKILL alone leaves it, and `reset` mends that).
// One at a time. Plain ANSI: docs/decisions/full-screen.md.
#pragma once

#include <termios.h>

#include <string>
#include <vector>

#include "cli/context.h"

namespace pgalter::cli::screen {

struct Size {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

class Terminal {
 public:
  // stdin and stdout are one that can do this, and text was asked for.
  static bool Possible(const Context& context);

  Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  void Enter();
  void Leave();  // for a while: the process is about to be stopped
  [[nodiscard]] Size size() const;
  // As many lines as fit, each cut to fit before.
  void Draw(const std::vector<std::string>& lines) const;

 private:
  bool entered_ = false;
};

}  // namespace pgalter::cli::screen
