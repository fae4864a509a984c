#include "migrations/formats/reader.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "migrations/formats/format.h"
#include "migrations/formats/include.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {

namespace fs = std::filesystem;

namespace {

// Given an atlas.sum or nothing at all, the files may still be another tool's.
bool LeavesOpen(const Format& format) { return &format == &Plain() || format.name == "atlas"; }

Script ReadScript(const Format& format, const Source& source) {
  return format.read != nullptr ? format.read(source) : Plain().read(source);
}

// sqitch.plan stands beside deploy/ and revert/.
fs::path RootOf(const fs::path& directory) {
  const fs::path plain = directory.has_filename() ? directory : directory.parent_path();
  const std::string name = plain.filename().string();
  std::error_code ignored;
  if ((name == "deploy" || name == "revert") &&
      fs::exists(plain.parent_path() / "sqitch.plan", ignored))
    return plain.parent_path();
  return directory;
}

// What could be judged instead, where there is no SQL.
std::string_view AdviceFor(const Folder& folder) {
  using Advice = std::pair<std::string_view, std::string_view>;
  static constexpr std::array kAdvice{
      Advice{".py", "judge what `alembic upgrade FROM:TO --sql` or `manage.py sqlmigrate` prints"},
      Advice{".rb", "judge db/structure.sql, or the SQL that the migrations execute"},
      Advice{".xml", "judge what `liquibase update-sql` prints"},
      Advice{".yaml", "judge the SQL that the tool prints"},
      Advice{".json", "judge the SQL that the tool prints"},
  };
  for (const Advice& advice : kAdvice)
    if (std::ranges::any_of(folder.files(),
                            [&](const std::string& file) { return file.ends_with(advice.first); }))
      return advice.second;
  return {};
}

}  // namespace

std::vector<std::string_view> FormatNames() {
  std::vector<std::string_view> names;
  for (const Format* format : AllFormats()) names.push_back(format->name);
  std::ranges::sort(names);
  return names;
}

Reader::Reader(Options options)
    : options_(std::move(options)), given_(FindFormat(options_.format)) {}

Migrations Reader::Take() { return std::move(migrations_); }

void Reader::Add(const fs::path& operand) {
  std::error_code ignored;
  if (fs::is_directory(operand, ignored)) {
    AddDirectory(operand);
  } else {
    AddFile(operand);
  }
}

void Reader::AddText(std::string text) {
  const Folder nowhere;
  const Source source{nowhere, "", text};
  const Format& format = FormatOf(source, given_ != nullptr ? *given_ : Plain());
  Met(format);
  if (options_.direction == Direction::kUp) {
    AddUp(source, format, true);
  } else {
    AddUp(source, format, false);
    AddDown(source, format);
  }
}

const Format& Reader::FormatOf(const Folder& folder) const {
  if (given_ != nullptr) return *given_;
  const auto found = std::ranges::find_if(AllFormats(), [&](const Format* format) {
    return format->marks_folder != nullptr && format->marks_folder(folder);
  });
  return found == AllFormats().end() ? Plain() : **found;
}

const Format& Reader::FormatOf(const Source& source, const Format& folder) const {
  if (given_ != nullptr || !LeavesOpen(folder)) return folder;
  for (const Format* format : AllFormats())
    if (format->marks_text != nullptr && format->marks_text(source.text)) return *format;
  if (&folder == &Plain() && !source.file.empty()) {
    const std::string path = (source.folder.root() / source.file).generic_string();
    for (const Format* format : AllFormats())
      if (format->marks_file != nullptr && format->marks_file(path)) return *format;
  }
  return folder;
}

void Reader::Met(const Format& format) {
  const std::string name(format.name);
  if (std::ranges::find(migrations_.formats, name) == migrations_.formats.end())
    migrations_.formats.push_back(name);
}

std::optional<std::string> Reader::Text(const Folder& folder, const std::string& file) {
  const fs::path path = folder.root() / file;
  try {
    return ReadWhole(path);
  } catch (const std::runtime_error& error) {
    migrations_.problems.push_back("cannot read " + path.string() + ": " + error.what());
    return std::nullopt;
  }
}

void Reader::Push(const Source& source, const std::string& text, std::vector<lint::Part> parts,
                  bool judged) {
  File file;
  if (!source.file.empty()) file.path = source.folder.root() / source.file;
  file.rewritten = text != source.text;
  file.text = text;
  file.parts = std::move(parts);
  if (file.parts.empty()) file.parts.push_back({});
  file.judged = judged;
  migrations_.files.push_back(std::move(file));
}

void Reader::Name(std::size_t first, const Format& format) {
  for (std::size_t i = first; i < migrations_.files.size(); ++i) {
    migrations_.files[i].format = format.name;
    migrations_.files[i].own_text = format.own_text;
  }
}

std::optional<fs::path> Reader::ToFollow(const fs::path& path, const Include& include) {
  // All pieces of all scripts: each piece has the whole text of its file.
  constexpr std::size_t kMostBytes = std::size_t{64} << 20U;
  const std::string where = path.empty() ? "standard input" : path.string();
  const auto found = FindIncluded(include, path);
  std::string_view why;
  std::error_code ignored;
  if (!found) {
    why = "which is not there, or not below its directory: it is not judged";
  } else if (std::ranges::find(including_, fs::weakly_canonical(*found, ignored)) !=
             including_.end()) {
    why = "and is included by it in turn: it is not gone into again";
  } else if (included_bytes_ > kMostBytes) {
    why = "which is not judged: there are too many includes";
  }
  if (why.empty()) return found;
  std::string note = where + " includes " + include.file + ", " + std::string(why);
  std::vector<std::string>& notes = migrations_.notes;
  if (std::ranges::find(notes, note) == notes.end()) notes.push_back(std::move(note));
  return std::nullopt;
}

void Reader::Follow(const fs::path& file, bool judged) {
  std::string text;
  try {
    text = ReadWhole(file);
  } catch (const std::runtime_error& error) {
    migrations_.problems.push_back("cannot read " + file.string() + ": " + error.what());
    return;
  }
  std::error_code ignored;
  including_.push_back(fs::weakly_canonical(file, ignored));
  PushScript(file, text, {{{0, text.size()}, lint::Sending::kOneByOne}}, judged);
  including_.pop_back();
}

void Reader::PushScript(const fs::path& path, const std::string& text,
                        const std::vector<lint::Part>& parts, bool judged) {
  bool continues = including_.size() > 1;
  const auto push = [&](const lint::Part& part) {
    included_bytes_ += text.size();
    File file;
    file.path = path;
    file.text = text;
    file.parts = {part};
    file.judged = judged;
    file.rewritten = true;  // of several pieces, each with the whole text
    file.continues = std::exchange(continues, true);
    migrations_.files.push_back(std::move(file));
  };
  const std::vector<Include> includes = FindIncludes(text);
  for (lint::Part part : parts) {
    const std::size_t end = part.span.end;
    for (const Include& include : includes) {
      if (include.span.begin < part.span.begin || include.span.end > end) continue;
      const auto file = ToFollow(path, include);
      if (!file) continue;
      push({{part.span.begin, include.span.begin}, part.sending});
      Follow(*file, judged);
      part.span.begin = include.span.end;
    }
    push(part);
  }
}

void Reader::LeaveOutIncluded(const Folder& folder, Sequence& sequence) {
  std::vector<fs::path> included;
  for (const std::string& file : sequence.up) {
    const fs::path path = folder.root() / file;
    const auto text = folder.Text(file);
    if (!text) continue;
    for (const Include& include : FindIncludes(*text)) {
      std::error_code ignored;
      if (const auto found = FindIncluded(include, path))
        included.push_back(fs::weakly_canonical(*found, ignored));
    }
  }
  if (included.empty()) return;
  const std::vector<std::string> all = sequence.up;
  std::erase_if(sequence.up, [&](const std::string& file) {
    std::error_code ignored;
    const fs::path path = fs::weakly_canonical(folder.root() / file, ignored);
    return std::ranges::find(included, path) != included.end();
  });
  // Scripts that include one another leave none to begin with.
  if (sequence.up.empty()) sequence.up = all;
}

void Reader::AddUp(const Source& source, const Format& format, bool judged) {
  const std::size_t first = migrations_.files.size();
  Script script = ReadScript(format, source);
  if (!script.problem.empty()) {
    const std::string where =
        source.file.empty() ? "standard input" : (source.folder.root() / source.file).string();
    if (judged) migrations_.problems.push_back(where + ": " + script.problem);
    return;
  }
  if (script.up.empty() && !script.down.empty()) script.note = "has a way down only";
  if (judged && !script.note.empty())
    migrations_.notes.push_back((source.folder.root() / source.file).string() + " " + script.note);
  const std::string text = script.up_text ? *script.up_text : std::string(source.text);
  if (format.psql && !FindIncludes(text).empty()) {
    const fs::path path = source.file.empty() ? fs::path() : source.folder.root() / source.file;
    std::error_code ignored;
    including_ = {fs::weakly_canonical(path, ignored)};
    if (script.up.empty()) script.up.push_back({{0, text.size()}, lint::Sending::kOneByOne});
    PushScript(path, text, script.up, judged);
  } else {
    Push(source, text, std::move(script.up), judged);
  }
  Name(first, format);
}

void Reader::AddDown(const Source& source, const Format& format) {
  Script script = ReadScript(format, source);
  const std::string text = script.down_text ? *script.down_text : std::string(source.text);
  std::ranges::reverse(script.down);
  const std::size_t first = migrations_.files.size();
  for (const lint::Part& part : script.down) Push(source, text, {part}, true);
  Name(first, format);
}

void Reader::AddWhole(const Folder& folder, const Format& format, const std::string& file) {
  const auto text = Text(folder, file);
  if (!text) return;
  const Source source{folder, file, *text};
  AddUp(source, FormatOf(source, format), true);
}

void Reader::AddDirectory(const fs::path& directory) {
  const Folder folder(RootOf(directory), Depth::kDeep);
  if (!folder.problem().empty())
    migrations_.problems.push_back("cannot read the directory " + directory.string() + ": " +
                                   folder.problem());
  const Format& format = FormatOf(folder);
  Sequence sequence = format.order != nullptr ? format.order(folder) : NaturalOrder(folder, format);
  if (format.psql) LeaveOutIncluded(folder, sequence);
  for (const std::string& note : sequence.notes)
    migrations_.notes.push_back((folder.root() / note).string());
  if (sequence.up.empty() && sequence.down.empty())
    if (const auto advice = AdviceFor(folder); !advice.empty())
      migrations_.notes.push_back(directory.string() + " has no SQL in it: " + std::string(advice));

  const bool up = options_.direction == Direction::kUp;
  std::vector<std::pair<std::string, std::string>> texts;  // that may have a way down in them
  for (const std::string& file : sequence.up) {
    auto text = Text(folder, file);
    if (!text) continue;
    const Source source{folder, file, *text};
    const Format& own = FormatOf(source, format);
    Met(own);
    if (&own != &format && IsDown(own, file)) {
      migrations_.notes.push_back((folder.root() / file).string() + " is a way down, and left out");
      continue;
    }
    AddUp(source, own, up);
    if (!up) texts.emplace_back(file, std::move(*text));
  }
  if (up) return;
  std::ranges::reverse(texts);
  for (const auto& [file, text] : texts) {
    const Source source{folder, file, text};
    AddDown(source, FormatOf(source, format));
  }
  for (const std::string& file : sequence.down) AddWhole(folder, format, file);
}

const Reader::Known& Reader::DirectoryOf(const fs::path& file) {
  const fs::path parent = file.parent_path();
  const auto [found, fresh] = known_.try_emplace(parent);
  Known& known = found->second;
  if (!fresh) return known;
  known.folder = Folder(parent, Depth::kFlat);
  const Format& format = RootOf(parent) != parent ? *FindFormat("sqitch") : FormatOf(known.folder);
  if (&format != &Plain()) known.format = &format;
  return known;
}

void Reader::AddFile(const fs::path& path) {
  const Known& known = DirectoryOf(path);
  const std::string file = path.filename().string();
  const auto text = Text(known.folder, file);
  if (!text) return;
  const Source source{known.folder, file, *text};
  const Format* format = &FormatOf(source, given_ != nullptr ? *given_ : Plain());
  const bool marked = format->marks_text != nullptr && format->marks_text(source.text);
  if (given_ == nullptr && !marked && known.format != nullptr) format = known.format;
  Met(*format);
  const bool down = IsDown(*format, path.generic_string());
  if (options_.direction == Direction::kUp) {
    if (down) {
      migrations_.notes.push_back(path.string() + " is a way down: --down judges it");
    } else {
      AddUp(source, *format, true);
    }
  } else if (down) {
    AddUp(source, *format, true);
  } else {
    AddUp(source, *format, false);
    AddDown(source, *format);
  }
}

}  // namespace pgalter::formats
