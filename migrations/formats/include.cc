#include "migrations/formats/include.h"

#include <algorithm>
#include <array>

#include "migrations/formats/text.h"

namespace pgalter::formats {

namespace fs = std::filesystem;

namespace {

bool IsBelow(const fs::path& file, const fs::path& directory) {
  std::error_code failed;
  const fs::path top = fs::weakly_canonical(directory.empty() ? "." : directory, failed);
  const fs::path from_top = fs::weakly_canonical(file, failed).lexically_relative(top);
  return !failed && !from_top.empty() && *from_top.begin() != "..";
}

std::optional<Include> ReadInclude(std::string_view command) {
  const auto words = Words(command);
  if (words.size() < 2) return std::nullopt;
  const std::string& name = words.front();
  const bool relative = name == "\\ir" || name == "\\include_relative";
  if (!relative && name != "\\i" && name != "\\include") return std::nullopt;
  return Include{{}, words[1], relative};
}

}  // namespace

std::vector<Include> FindIncludes(std::string_view text) {
  std::vector<Include> includes;
  if (text.find("\\i") == std::string_view::npos) return includes;
  for (const sql::Piece& piece : sql::SplitScript(text)) {
    if (piece.kind != sql::PieceKind::kMeta) continue;
    auto include = ReadInclude(Cut(text, piece.span));
    if (!include) continue;
    include->span = piece.span;
    includes.push_back(*std::move(include));
  }
  return includes;
}

// psql is started in the directory of the script often enough, whatever \i means.
std::optional<fs::path> FindIncluded(const Include& include, const fs::path& script) {
  const fs::path beside = (script.parent_path() / include.file).lexically_normal();
  const fs::path here = fs::path(include.file).lexically_normal();
  const std::array candidates =
      include.relative ? std::array{beside, beside} : std::array{here, beside};
  for (const fs::path& file : candidates) {
    std::error_code failed;
    if (!fs::is_regular_file(file, failed)) continue;
    if (IsBelow(file, script.parent_path()) || IsBelow(file, ".")) return file;
  }
  return std::nullopt;
}

}  // namespace pgalter::formats
