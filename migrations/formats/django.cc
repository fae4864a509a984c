// What Django's sqlmigrate prints: a comment of three lines before each operation, and BEGIN and
// COMMIT around them unless the migration is not atomic. So it is read as it stands.

#include <algorithm>
#include <array>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kOperations{"Create model "sv,
                                 "Delete model "sv,
                                 "Rename model "sv,
                                 "Add field "sv,
                                 "Remove field "sv,
                                 "Alter field "sv,
                                 "Rename field "sv,
                                 "Alter unique_together "sv,
                                 "Alter index_together "sv,
                                 "Rename table "sv,
                                 "Change managers "sv,
                                 "Create index "sv,
                                 "Remove index "sv,
                                 "Rename index "sv,
                                 "Create constraint "sv,
                                 "Remove constraint "sv,
                                 "Concurrently create index "sv,
                                 "Concurrently remove index "sv,
                                 "Raw SQL operation"sv,
                                 "Raw Python operation"sv,
                                 "Custom state/database change combination"sv,
                                 "Set db_table "sv,
                                 "Alter model options "sv,
                                 "Change Meta options "sv};

bool IsOperation(std::string_view line) {
  if (!line.starts_with("-- ")) return false;
  line.remove_prefix(3);
  return std::ranges::any_of(kOperations,
                             [&](std::string_view start) { return line.starts_with(start); });
}

bool MarksText(std::string_view text) {
  for (std::size_t at = text.find("--\n"); at != std::string_view::npos;
       at = text.find("--\n", at + 1)) {
    if (at > 0 && text[at - 1] != '\n') continue;
    Lines lines(text, at + 3);
    const auto title = lines.Next();
    const auto end = lines.Next();
    if (title && end && IsOperation(Cut(text, title->span)) && Cut(text, end->span) == "--")
      return true;
  }
  return false;
}

}  // namespace

extern const Format kDjango;
const Format kDjango{.name = "django", .marks_text = &MarksText};

}  // namespace pgalter::formats
