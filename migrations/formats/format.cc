#include "migrations/formats/format.h"

#include <algorithm>
#include <iterator>

#include "migrations/formats/text.h"

namespace pgalter::formats {

#define PGALTER_FORMAT(symbol) extern const Format k##symbol;
#include "migrations/formats/formats.def"
#undef PGALTER_FORMAT

const std::vector<const Format*>& AllFormats() {
  static const std::vector<const Format*> formats = {
#define PGALTER_FORMAT(symbol) &k##symbol,
#include "migrations/formats/formats.def"
#undef PGALTER_FORMAT
  };
  return formats;
}

const Format* FindFormat(std::string_view name) {
  const auto found = std::ranges::find(AllFormats(), name, &Format::name);
  return found == AllFormats().end() ? nullptr : *found;
}

const Format& Plain() { return kPlainSql; }

bool IsSql(std::string_view path) {
  return path.size() > 4 && SameWord(path.substr(path.size() - 4), ".sql");
}

bool IsDown(const Format& format, std::string_view path) {
  return format.is_down != nullptr ? format.is_down(path) : kPlainSql.is_down(path);
}

Sequence NaturalOrder(const Folder& folder, const Format& format) {
  Sequence deep;
  Sequence flat;
  for (const std::string& file : folder.files()) {
    if (!IsSql(file)) continue;
    if (IsDown(format, file)) {
      deep.down.push_back(file);
      continue;
    }
    deep.up.push_back(file);
    if (file.find('/') == std::string::npos) flat.up.push_back(file);
  }
  std::ranges::reverse(deep.down);
  if (flat.up.empty()) return deep;
  flat.down = std::move(deep.down);
  return flat;
}

Script Whole(std::string_view text, lint::Sending sending) {
  Script script;
  script.up = {{{0, text.size()}, sending}};
  return script;
}

}  // namespace pgalter::formats
