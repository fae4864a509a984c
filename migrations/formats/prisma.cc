// Prisma: one directory a migration with migration.sql in it, by name. A file is sent as one query,
// so several statements are one transaction and a single one is none.

#include <algorithm>
#include <functional>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

bool MarksFile(std::string_view path) { return FileName(path) == "migration.sql"; }

bool MarksFolder(const Folder& folder) {
  return std::ranges::any_of(folder.files(), [](const std::string& file) {
    return MarksFile(file) && file.find('/') != std::string::npos;
  });
}

bool IsWayDown(std::string_view path) { return FileName(path) == "down.sql"; }

Sequence Order(const Folder& folder) {
  Sequence sequence;
  for (const std::string& file : folder.files()) {
    if (MarksFile(file)) sequence.up.push_back(file);
    if (IsWayDown(file)) sequence.down.push_back(file);
  }
  // Prisma knows no numbers in names.
  const auto directory = [](const std::string& file) { return DirectoryName(file); };
  std::ranges::stable_sort(sequence.up, {}, directory);
  std::ranges::stable_sort(sequence.down, std::ranges::greater(), directory);
  return sequence;
}

Script Read(const Source& source) { return Whole(source.text, lint::Sending::kOneQuery); }

}  // namespace

extern const Format kPrisma;
const Format kPrisma{.name = "prisma",
                     .marks_folder = &MarksFolder,
                     .marks_file = &MarksFile,
                     .is_down = &IsWayDown,
                     .order = &Order,
                     .read = &Read};

}  // namespace pgalter::formats
