// Plain SQL: every .sql file of the directory by name. `rollback/` and names like x.down.sql are
// the way down. Sent as psql sends it: each statement commits by itself, unless the file says
// BEGIN.

#include <algorithm>
#include <array>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

using std::string_view_literals::operator""sv;

bool IsWayDown(std::string_view path) {
  constexpr std::array kDirectories{"rollback"sv, "rollbacks"sv, "down"sv, "undo"sv, "revert"sv};
  constexpr std::array kEndings{".down.sql"sv, ".rollback.sql"sv, ".undo.sql"sv, ".revert.sql"sv};
  const std::string directory = Lower(DirectoryName(path));
  const std::string name = Lower(FileName(path));
  return name == "down.sql" || std::ranges::find(kDirectories, directory) != kDirectories.end() ||
         std::ranges::any_of(kEndings, [&](auto ending) { return name.ends_with(ending); });
}

Script Read(const Source& source) { return Whole(source.text, lint::Sending::kOneByOne); }

}  // namespace

extern const Format kPlainSql;
const Format kPlainSql{.name = "plain", .is_down = &IsWayDown, .read = &Read, .psql = true};

}  // namespace pgalter::formats
