#include "cli/lint/input.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "cli/lint/changed_files.h"
#include "cli/rejected.h"
#include "migrations/formats/reader.h"

namespace pgalter::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStdin = "-";

std::string ReadStdin() {
  try {
    return formats::ReadWhole("/dev/stdin");
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kError, fmt::format("cannot read standard input: {}", error.what()),
                   "");
  }
}

void CheckOperand(const std::string& path) {
  std::error_code error;
  if (path == kStdin || fs::exists(path, error)) return;
  throw Rejected(
      error ? ExitCode::kError : ExitCode::kUsage,
      fmt::format("cannot read {}: {}", path, error ? error.message() : "there is no such file"),
      "name files or directories with migrations, or - for standard input");
}

bool IsBelow(const fs::path& path, const fs::path& directory) {
  const auto [end, rest] =
      std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return end == directory.end() || (end->empty() && std::next(end) == directory.end());
}

class InputReader {
 public:
  explicit InputReader(const LintSettings& settings) : settings_(settings) {}

  LintInput Read() {
    formats::Reader reader(
        {settings_.format, settings_.down ? formats::Direction::kDown : formats::Direction::kUp});
    for (const std::string& path : settings_.paths) CheckOperand(path);
    for (const std::string& path : settings_.paths) {
      if (path == kStdin) {
        reader.AddText(ReadStdin());
      } else {
        reader.Add(path);
      }
    }
    formats::Migrations migrations = reader.Take();
    input_.problems = std::move(migrations.problems);
    input_.notes = std::move(migrations.notes);
    for (formats::File& file : migrations.files) Add(std::move(file));
    for (const std::string& path : settings_.paths) CheckNotEmpty(path);
    if (!settings_.git_base.empty()) JudgeOnlyChanged();
    if (settings_.knows_schema()) DropHistory();
    return std::move(input_);
  }

 private:
  void Add(formats::File file);
  void CheckNotEmpty(const std::string& path) const;
  void JudgeOnlyChanged();
  void DropHistory();
  const fs::path& Repository(const fs::path& place);

  const LintSettings& settings_;
  LintInput input_;
  std::map<fs::path, fs::path> repositories_;  // by directory
};

const fs::path& InputReader::Repository(const fs::path& place) {
  const fs::path directory = place.parent_path();
  const auto [known, fresh] = repositories_.try_emplace(directory);
  if (fresh) known->second = RepositoryOf(directory.empty() ? "." : directory);
  return known->second;
}

void InputReader::Add(formats::File read) {
  const std::string name = read.path.empty() ? kStdin : read.path.string();
  lint::File file;
  file.name = name;
  if (!read.path.empty()) {
    const fs::path& repository = Repository(read.path);
    std::error_code ignored;
    const fs::path from_root =
        repository.empty()
            ? read.path.lexically_normal()
            : fs::weakly_canonical(read.path, ignored).lexically_relative(repository);
    file.name = from_root.string();
  }
  file.judged =
      read.judged && !Matches(settings_.ignore, name) && !Matches(settings_.ignore, file.name);
  file.continues = read.continues;
  file.parts = std::move(read.parts);
  if (settings_.options.runner != lint::Runner::kByFormat)
    for (lint::Part& part : file.parts)
      part.sending = settings_.options.runner == lint::Runner::kTransaction
                         ? lint::Sending::kTransaction
                         : lint::Sending::kOneByOne;
  file.text = std::move(read.text);
  input_.files.push_back(std::move(file));
  input_.origins.push_back({name, read.path, read.rewritten});
}

void InputReader::CheckNotEmpty(const std::string& path) const {
  std::error_code ignored;
  if (path == kStdin || !fs::is_directory(path, ignored) || !input_.problems.empty()) return;
  if (std::ranges::any_of(input_.origins,
                          [&](const Origin& origin) { return IsBelow(origin.place, path); }))
    return;
  throw Rejected(ExitCode::kUsage, fmt::format("there are no migrations in {}", path),
                 settings_.format.empty()
                     ? "name the directory that they are in"
                     : fmt::format("name the directory that they are in, or leave --format {} out",
                                   settings_.format));
}

// A dump or a live catalog has it already.
void InputReader::DropHistory() {
  for (std::size_t i = input_.files.size(); i-- > 0;) {
    if (input_.files[i].judged) continue;
    input_.files.erase(input_.files.begin() + static_cast<std::ptrdiff_t>(i));
    input_.origins.erase(input_.origins.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// What one branch brings is deployed together.
void InputReader::JudgeOnlyChanged() {
  std::map<fs::path, std::set<fs::path>> changed;  // by repository
  bool previous = false;
  for (std::size_t i = 0; i < input_.files.size(); ++i) {
    lint::File& file = input_.files[i];
    std::error_code ignored;
    const fs::path& repository = Repository(input_.origins[i].place);
    const auto [known, fresh] = changed.try_emplace(repository);
    if (fresh) known->second = ChangedFiles(repository, settings_.git_base);
    file.judged = file.judged &&
                  known->second.contains(fs::weakly_canonical(input_.origins[i].place, ignored));
    file.with_previous = file.judged && previous;
    previous = file.judged;
  }
}

}  // namespace

bool Matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::ranges::any_of(patterns, [&](std::string pattern) {
    if (pattern.starts_with("./")) pattern.erase(0, 2);
    if (pattern.ends_with("/")) pattern.pop_back();
    const std::string plain = name.starts_with("./") ? name.substr(2) : name;
    return ::fnmatch(pattern.c_str(), plain.c_str(), FNM_PERIOD) == 0 ||
           ::fnmatch((pattern + "/*").c_str(), plain.c_str(), 0) == 0;
  });
}

std::vector<lint::Source> SourcesOf(const LintInput& input) {
  std::vector<lint::Source> sources;
  for (std::size_t i = 0; i < input.files.size(); ++i)
    sources.push_back(
        {input.origins[i].name, input.files[i].name, input.files[i].text, input.files[i].judged});
  return sources;
}

LintInput ReadInput(const LintSettings& settings) {
  if (settings.paths.empty())
    throw Rejected(ExitCode::kUsage, "there is nothing to judge",
                   "name files or directories, or - for standard input; or set paths under [lint] "
                   "in pgalter.toml");
  return InputReader(settings).Read();
}

}  // namespace pgalter::cli
