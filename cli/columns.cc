#include "cli/columns.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace pgalter::cli {

std::optional<std::size_t> TerminalColumns(int descriptor) {
  winsize told{};
  if (::ioctl(descriptor, TIOCGWINSZ, &told) != 0 || told.ws_col == 0) return std::nullopt;
  return told.ws_col;
}

std::size_t ColumnsFrom(std::string_view variable, std::optional<std::size_t> terminal) {
  std::size_t set = 0;
  const char* end = variable.data() + variable.size();
  const auto read = std::from_chars(variable.data(), end, set);
  if (read.ec == std::errc() && read.ptr == end && set > 0) return set;
  return terminal.value_or(kUnknownColumns);
}

std::size_t ColumnsOfOutput() {
  const char* set = std::getenv("COLUMNS");
  return ColumnsFrom(set == nullptr ? "" : set, TerminalColumns(STDOUT_FILENO));
}

}  // namespace pgalter::cli
