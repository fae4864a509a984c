// golang-migrate: 1_title.up.sql and 1_title.down.sql, by number. A file is sent as one query, so
// several statements are one transaction and a single one is none.

#include <algorithm>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

bool IsNamed(std::string_view path, std::string_view ending) {
  const auto name = FileName(path);
  const std::size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  return digits > 0 && digits < name.size() && name[digits] == '_' && Lower(name).ends_with(ending);
}

bool MarksFile(std::string_view path) {
  return IsNamed(path, ".up.sql") || IsNamed(path, ".down.sql");
}

// A few other files beside them are not run by the tool; many mean that it is another tool.
bool MarksFolder(const Folder& folder) {
  const auto named = std::ranges::count_if(folder.files(), MarksFile);
  return named > 0 && 2 * named > std::ranges::count_if(folder.files(), IsSql);
}

bool IsWayDown(std::string_view path) { return IsNamed(path, ".down.sql"); }

Sequence Order(const Folder& folder) {
  Sequence sequence;
  for (const std::string& file : folder.files()) {
    if (IsNamed(file, ".up.sql")) {
      sequence.up.push_back(file);
    } else if (IsWayDown(file)) {
      sequence.down.push_back(file);
    } else if (IsSql(file)) {
      sequence.notes.push_back(file + " is not named as golang-migrate asks, which leaves it out");
    }
  }
  std::ranges::reverse(sequence.down);
  return sequence;
}

Script Read(const Source& source) { return Whole(source.text, lint::Sending::kOneQuery); }

}  // namespace

extern const Format kGolangMigrate;
const Format kGolangMigrate{.name = "golang-migrate",
                            .marks_folder = &MarksFolder,
                            .marks_file = &MarksFile,
                            .is_down = &IsWayDown,
                            .order = &Order,
                            .read = &Read};

}  // namespace pgalter::formats
