#pragma once

// psql's \i and \ir: scripts that are put together from others. Private to migrations/formats.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/script.h"

namespace pgalter::formats {

struct Include {
  sql::Span span;  // of the command in the text
  std::string file;
  bool relative = false;  // \ir: to the script, not to where psql was started
};

// In the order of the text.
[[nodiscard]] std::vector<Include> FindIncludes(std::string_view text);

// The file that is meant, if it is there and below the script's directory or the working directory:
// what a script pulls in from elsewhere is not ours to read.
[[nodiscard]] std::optional<std::filesystem::path> FindIncluded(
    const Include& include, const std::filesystem::path& script);

}  // namespace pgalter::formats
