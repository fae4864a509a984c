#pragma once

// One tool's way to keep migrations, as a row of functions. Private to migrations/formats: one file
// a tool, one line in formats.def.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/formats/folder.h"
#include "planner/lint/linter.h"

namespace pgalter::formats {

// The files that the tool runs, as paths from the folder.
struct Sequence {
  std::vector<std::string> up;
  std::vector<std::string> down;  // whole files, the first to run first
  std::vector<std::string> notes;
};

// A file's parts. A way down as a part of the file that also has the way up.
struct Script {
  std::vector<lint::Part> up;
  std::vector<lint::Part> down;
  // Instead of the file's text, and of the same size, unless that is no SQL.
  std::optional<std::string> up_text;
  std::optional<std::string> down_text;
  std::string problem;  // why it cannot be read; empty: it can
  std::string note;     // on the way up: what the tool will not run; empty: none
};

struct Source {
  const Folder& folder;
  std::string_view file;  // path from the folder; empty: there is none
  std::string_view text;
};

// What is left out is as plain SQL has it.
struct Format {
  std::string_view name;
  bool (*marks_folder)(const Folder& folder) = nullptr;
  bool (*marks_file)(std::string_view path) = nullptr;
  bool (*marks_text)(std::string_view text) = nullptr;
  bool (*is_down)(std::string_view path) = nullptr;  // the whole file
  Sequence (*order)(const Folder& folder) = nullptr;
  Script (*read)(const Source& source) = nullptr;
  bool psql = false;      // runs the scripts: \i and \ir in them are followed
  bool own_text = false;  // what is given out as the text is of our own format, with its sections
};

// In the order in which marks are looked for; plain SQL, which has none, is the last.
[[nodiscard]] const std::vector<const Format*>& AllFormats();
[[nodiscard]] const Format* FindFormat(std::string_view name);
[[nodiscard]] const Format& Plain();

[[nodiscard]] bool IsSql(std::string_view path);
[[nodiscard]] bool IsDown(const Format& format, std::string_view path);
// The .sql files of the folder itself, or, if there is no way up among them, of those below it.
[[nodiscard]] Sequence NaturalOrder(const Folder& folder, const Format& format);
[[nodiscard]] Script Whole(std::string_view text, lint::Sending sending);

}  // namespace pgalter::formats
