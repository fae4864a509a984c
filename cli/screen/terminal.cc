#include "cli/screen/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace pgalter::cli::screen {

namespace {

// No wrapping: what is wider than it counts is cut by the terminal, and does not shift the rest.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::array kCrashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

// What a handler of a crash restores: it has no object.
termios as_before{};

void WriteAll(std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(STDOUT_FILENO, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;  // it is gone
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

// Only what is safe in a handler. The second time the signal does what it does.
void RestoreAndDie(int signal) {
  WriteAll(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &as_before);
  ::raise(signal);
}

void HandleCrashes(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : kCrashes) ::sigaction(signal, &action, nullptr);
}

}  // namespace

bool Terminal::Possible(const Context& context) {
  const char* kind = std::getenv("TERM");
  const std::string_view name = kind == nullptr ? "" : kind;
  return context.output == Output::kText && !name.empty() && name != "dumb" &&
         ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
}

Terminal::Terminal() {
  ::tcgetattr(STDIN_FILENO, &as_before);
  Enter();
}

Terminal::~Terminal() { Leave(); }

void Terminal::Enter() {
  if (entered_) return;
  entered_ = true;
  HandleCrashes(&RestoreAndDie);
  // Ctrl-C, Ctrl-Z and Ctrl-\ stay what they are.
  termios keys = as_before;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  WriteAll(kEnter);
}

void Terminal::Leave() {
  if (!entered_) return;
  entered_ = false;
  WriteAll(kLeave);
  // What was typed ahead is not the shell's.
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &as_before);
  HandleCrashes(SIG_DFL);
}

Size Terminal::size() const {
  winsize told{};
  Size size;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &told) != 0) return size;
  if (told.ws_col > 0) size.columns = told.ws_col;
  if (told.ws_row > 0) size.rows = told.ws_row;
  return size;
}

void Terminal::Draw(const std::vector<std::string>& lines) const {
  if (!entered_) return;
  // In place, line by line: clearing the screen first would flicker.
  std::string frame = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) frame += "\r\n";
    frame += lines[i] + "\x1b[K";
  }
  WriteAll(frame + "\x1b[J");
}

}  // namespace pgalter::cli::screen
