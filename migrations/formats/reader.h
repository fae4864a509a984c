#pragma once

// Migrations as their own tool keeps them: which files, in which order, which part of a file is the
// way up and which the way down, and how the statements reach the server. For lint and plan.
//
// The tool is found out by its marks in the directory, in a file's text or in its name; what has
// none is plain SQL. Nothing here throws: what cannot be read is a problem, and the rest is read.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/formats/folder.h"
#include "planner/lint/linter.h"

namespace pgalter::formats {

struct Format;
struct Include;
struct Sequence;
struct Source;

enum class Direction { kUp, kDown };

struct Options {
  std::string format;  // one of FormatNames(); empty: found out
  Direction direction = Direction::kUp;
};

struct File {
  std::filesystem::path path;     // below the operand, as that was given; empty: a text
  std::string format;             // as which it is read
  std::string text;               // as on disk, unless rewritten
  std::vector<lint::Part> parts;  // never empty: what is to be left out is in none
  bool judged = true;             // else history: the way up before a way down
  // Goes on where the file before it left off, in the same session: what follows \i in a script,
  // and what it brings in.
  bool continues = false;
  // Blanks stand where marks of the tool were, or a semicolon for its own end of a statement. Of
  // the same length, so places are those of the file; but it must not be written back. Where the
  // file is no SQL, only lines are, as far as there is room.
  bool rewritten = false;
  bool own_text = false;  // the text has sections as our own format has them
};

struct Migrations {
  std::vector<File> files;            // as the tool runs them. A way down: by parts, the last first
  std::vector<std::string> formats;   // that were met
  std::vector<std::string> notes;     // files that were left out, or that the tool refuses, and why
  std::vector<std::string> problems;  // what could not be read, and why
};

[[nodiscard]] std::vector<std::string_view> FormatNames();

class Reader {
 public:
  explicit Reader(Options options);

  // A directory, with what is below it; or one file, whose directory may tell the tool.
  void Add(const std::filesystem::path& operand);
  // A text without a file: standard input.
  void AddText(std::string text);

  [[nodiscard]] Migrations Take();

 private:
  // The directory of single files.
  struct Known {
    Folder folder;
    const Format* format = nullptr;  // nullptr: the directory leaves it open
  };

  const Known& DirectoryOf(const std::filesystem::path& file);
  void AddDirectory(const std::filesystem::path& directory);
  void AddFile(const std::filesystem::path& path);
  void AddWhole(const Folder& folder, const Format& format, const std::string& file);
  void AddUp(const Source& source, const Format& format, bool judged);
  void AddDown(const Source& source, const Format& format);
  void Push(const Source& source, const std::string& text, std::vector<lint::Part> parts,
            bool judged);
  // Those from that one on were read as this.
  void Name(std::size_t first, const Format& format);
  // The parts of a psql script, and between them the scripts that it includes.
  void PushScript(const std::filesystem::path& path, const std::string& text,
                  const std::vector<lint::Part>& parts, bool judged);
  // The script that is included, unless it is to be left out, which is noted.
  std::optional<std::filesystem::path> ToFollow(const std::filesystem::path& path,
                                                const Include& include);
  void Follow(const std::filesystem::path& file, bool judged);
  // Those that another script of the folder includes run there.
  void LeaveOutIncluded(const Folder& folder, Sequence& sequence);
  [[nodiscard]] std::optional<std::string> Text(const Folder& folder, const std::string& file);
  [[nodiscard]] const Format& FormatOf(const Folder& folder) const;
  // By the text and the name, where the directory leaves it open.
  [[nodiscard]] const Format& FormatOf(const Source& source, const Format& folder) const;
  void Met(const Format& format);

  Options options_;
  const Format* given_ = nullptr;
  std::map<std::filesystem::path, Known> known_;
  Migrations migrations_;
  std::vector<std::filesystem::path> including_;  // the scripts that are open
  std::size_t included_bytes_ = 0;
};

}  // namespace pgalter::formats
