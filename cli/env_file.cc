#include "cli/env_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "cli/rejected.h"
#include "engine/run/failure.h"

namespace pgalter::cli {

namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

bool IsName(std::string_view name) {
  const auto fits = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && (name[0] < '0' || name[0] > '9') && std::ranges::all_of(name, fits);
}

// Behind the quote that closes it, or the value, only a comment may stand.
bool IsRest(std::string_view text) {
  text = Trim(text);
  return text.empty() || text[0] == '#';
}

// The line itself may hold a password: it is not said.
[[noreturn]] void RefuseLine(const std::string& path, int line) {
  throw Rejected(run::ExitCode::kUsage, fmt::format("{}:{}: this is no NAME=VALUE", path, line),
                 "one a line; a value with blanks or # in it stands in quotes");
}

void TakeLine(const std::string& path, int number, std::string_view line) {
  line = Trim(line);
  if (line.empty() || line[0] == '#') return;
  if (line.starts_with("export ")) line = Trim(line.substr(7));
  const std::size_t sign = line.find('=');
  if (sign == std::string_view::npos) RefuseLine(path, number);
  const auto name = Trim(line.substr(0, sign));
  auto value = Trim(line.substr(sign + 1));
  if (!IsName(name)) RefuseLine(path, number);
  if (!value.empty() && (value[0] == '"' || value[0] == '\'')) {
    const std::size_t end = value.find(value[0], 1);
    if (end == std::string_view::npos || !IsRest(value.substr(end + 1))) RefuseLine(path, number);
    value = value.substr(1, end - 1);
  } else if (const std::size_t comment = value.find(" #"); comment != std::string_view::npos) {
    value = Trim(value.substr(0, comment));
  }
  // What is set already is somebody's wish.
  ::setenv(std::string(name).c_str(), std::string(value).c_str(), 0);
}

}  // namespace

void ReadEnvFile(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw Rejected(run::ExitCode::kUsage, fmt::format("cannot read --env-file {}", path), "");
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) TakeLine(path, number, line);
}

std::string DatabaseUrl() {
  const char* value = std::getenv("DATABASE_URL");
  std::string url = value == nullptr ? "" : value;
  const std::size_t scheme = url.find("://");
  const std::size_t plus = url.find('+');
  if (plus < scheme && scheme != std::string::npos) url.erase(plus, scheme - plus);
  return url;
}

bool IsOpenToOthers(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
         (found.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

}  // namespace pgalter::cli
