#include "cli/evidence/texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "cli/evidence/secret.h"
#include "migrations/formats/folder.h"
#include "migrations/history/sha256.h"

namespace pgalter::cli::evidence {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

struct Taken {
  std::string text;
  std::string why;  // it is not copied; empty: it is
};

// In comments as well, which the server never sees.
bool HoldsSecret(const std::string& text) {
  std::string bare = text;
  for (const std::string_view mark : {"--", "/*", "*/"})
    for (std::size_t at = bare.find(mark); at != std::string::npos; at = bare.find(mark, at))
      bare.replace(at, mark.size(), mark.size(), ' ');
  return CanHoldSecret(text) || CanHoldSecret(bare);
}

// Of a name from the database: below the directory, and nowhere else.
bool IsBelow(const fs::path& file) {
  return !file.empty() && file.is_relative() &&
         std::ranges::none_of(file, [](const fs::path& part) { return part == ".."; });
}

Taken Take(const fs::path& directory, const std::string& file, const std::string& sum) {
  if (!IsBelow(file)) return {"", "its name leads out of the directory"};
  Taken taken;
  try {
    taken.text = formats::ReadWhole(directory / file);
  } catch (const std::runtime_error&) {
    taken.why = fmt::format("it is not in {}, or cannot be read", directory.string());
    return taken;
  }
  if (history::Sha256(taken.text) != sum) {
    taken.why = "its SHA-256 is not the one in the history";
  } else if (HoldsSecret(taken.text)) {
    taken.why = "it can hold a password or a connection string";
  }
  return taken;
}

// Beside the report's own, whose names begin otherwise. SHA256SUMS has a line a name.
std::string CopyName(const std::string& file) {
  std::string name = "migration-" + file;
  for (char& c : name) {
    if (c == '/') c = '-';
    if (c == '\\' || static_cast<unsigned char>(c) < ' ') c = '_';
  }
  return name;
}

// Several migrations may be of one file.
std::string AddCopy(std::vector<TextCopy>& copies, std::string name, std::string text) {
  for (;;) {
    const auto same = std::ranges::find(copies, name, &TextCopy::name);
    if (same == copies.end()) break;
    if (same->text == text) return name;
    name += "-";
  }
  copies.push_back({name, std::move(text)});
  return name;
}

}  // namespace

void AddTexts(Gathered& gathered, const fs::path& directory) {
  json::array texts;
  const json::value& migrations = gathered.report.at("migrations");
  const json::array none;
  for (const json::value& row : migrations.is_array() ? migrations.get_array() : none) {
    const std::string file(row.at("file").as_string());
    Taken taken = Take(directory, file, std::string(row.at("bytes_sha256").as_string()));
    json::value copy;
    json::value why;
    if (taken.why.empty()) {
      copy = AddCopy(gathered.copies, CopyName(file), std::move(taken.text));
    } else {
      why = taken.why;
    }
    texts.push_back({{"version", row.at("version")}, {"file", file}, {"copy", copy}, {"why", why}});
  }
  gathered.report["texts"] = std::move(texts);
}

}  // namespace pgalter::cli::evidence
