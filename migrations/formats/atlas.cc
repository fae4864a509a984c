// Atlas: atlas.sum beside the files, which run by name. One transaction a file, unless a comment at
// its head says `atlas:txmode none`. A checkpoint is the schema that the files before it lead to,
// for databases that have none of them: where these are there, it is left out.

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

constexpr std::string_view kTransactionMode = "atlas:txmode";
constexpr std::string_view kDelimiter = "atlas:delimiter";
constexpr std::string_view kCheckpoint = "atlas:checkpoint";

bool MarksFolder(const Folder& folder) { return folder.Has("atlas.sum"); }

bool MarksText(std::string_view text) {
  return HasMark(text, kTransactionMode) || HasMark(text, kDelimiter) || HasMark(text, kCheckpoint);
}

bool IsCheckpoint(const Folder& folder, const std::string& file) {
  const auto text = folder.Text(file);
  return text && HasMark(*text, kCheckpoint);
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    ++i;
    plain += text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : text[i] == 't' ? '\t' : text[i];
  }
  return plain;
}

Script Read(const Source& source) {
  Script script = Whole(source.text, lint::Sending::kTransaction);
  if (!MarksText(source.text)) return script;
  Lines lines(source.text);
  while (const auto line = lines.Next()) {
    const auto text = Cut(source.text, line->span);
    if (!Trim(text).empty() && !AfterMark(text, "")) break;
    if (const auto mode = AfterMark(text, kTransactionMode); mode && SameWord(*mode, "none"))
      script.up[0].sending = lint::Sending::kOneByOne;
    if (const auto delimiter = AfterMark(text, kDelimiter)) {
      std::string changed(source.text);
      if (ReplaceDelimiter(changed, {line->next, changed.size()}, Unescape(*delimiter)))
        script.up_text = std::move(changed);
    }
  }
  return script;
}

Sequence Order(const Folder& folder) {
  Sequence all = NaturalOrder(folder, Plain());
  std::vector<std::string> up;
  for (std::string& file : all.up) {
    if (!up.empty() && IsCheckpoint(folder, file)) {
      all.notes.push_back(file + " is a checkpoint of the files before it, and left out");
    } else {
      up.push_back(std::move(file));
    }
  }
  all.up = std::move(up);
  return all;
}

}  // namespace

extern const Format kAtlas;
const Format kAtlas{.name = "atlas",
                    .marks_folder = &MarksFolder,
                    .marks_text = &MarksText,
                    .order = &Order,
                    .read = &Read};

}  // namespace pgalter::formats
