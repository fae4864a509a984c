// Liquibase's formatted SQL: changesets, each in a transaction of its own unless it says
// runInTransaction:false. The way back stands in comments, "--rollback ..." or
// "/* liquibase rollback ... */", and is the last changeset's first. A master changelog in another
// language is read for the order of its files only.

#include <algorithm>
#include <array>
#include <map>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kHead = "liquibase formatted sql";
constexpr std::string_view kChangeset = "changeset";
constexpr std::string_view kRollback = "rollback";
constexpr std::string_view kIgnore = "ignoreLines:";
constexpr std::string_view kRollbackBlock = "/* liquibase rollback";

bool MarksText(std::string_view text) { return HasMark(text, kHead); }

bool IsChangelog(std::string_view path) {
  return path.ends_with(".xml") || path.ends_with(".yaml") || path.ends_with(".yml") ||
         path.ends_with(".json");
}

bool IsMaster(const Folder& folder, const std::string& file) {
  if (!IsChangelog(file)) return false;
  const auto text = folder.Text(file);
  return text && text->find("databaseChangeLog") != std::string::npos;
}

bool MarksFolder(const Folder& folder) {
  return std::ranges::any_of(folder.files(), [&](const std::string& file) {
    return file.find('/') == std::string::npos && IsMaster(folder, file);
  });
}

// Where each file is named in the master changelogs; those that none names come last.
Sequence Order(const Folder& folder) {
  Sequence sequence = NaturalOrder(folder, Plain());
  std::map<std::string, std::pair<std::size_t, std::size_t>> places;
  std::size_t count = 0;
  for (const std::string& master : folder.files()) {
    if (!IsMaster(folder, master)) continue;
    const std::string text = folder.Text(master).value_or("");
    ++count;
    bool names = text.find("includeAll") != std::string::npos;
    for (const std::string& file : folder.files()) {
      if (!IsSql(file)) continue;
      std::size_t at = text.find(file);
      if (at == std::string::npos) at = text.find(FileName(file));
      if (at == std::string::npos) continue;
      names = true;
      places.try_emplace(file, count, at);
    }
    if (!names)
      sequence.notes.push_back(master +
                               " holds changes that are not SQL: judge what `liquibase "
                               "update-sql` prints of them");
  }
  if (places.empty()) return sequence;
  for (const std::string& file : folder.files())
    if (places.contains(file) && std::ranges::find(sequence.up, file) == sequence.up.end())
      sequence.up.push_back(file);
  std::ranges::stable_sort(sequence.up, [&](const std::string& a, const std::string& b) {
    const auto place = [&](const std::string& file) {
      const auto found = places.find(file);
      return found == places.end() ? std::pair(std::string::npos, std::string::npos)
                                   : found->second;
    };
    return place(a) < place(b);
  });
  return sequence;
}

struct Changeset {
  sql::Span body;
  bool transaction = true;
  bool split = true;
  bool ours = true;  // not for other databases only
  std::string delimiter;
  std::vector<sql::Span> rollback;  // SQL
  std::vector<sql::Span> marks;     // of rollback, with its SQL, and lines to ignore
};

Changeset ReadHead(std::string_view attributes, std::size_t begin) {
  Changeset changeset;
  changeset.body.begin = begin;
  for (const std::string& word : Words(attributes)) {
    const std::size_t colon = word.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = Lower(std::string_view(word).substr(0, colon));
    const std::string value = word.substr(colon + 1);
    const bool no = SameWord(value, "false");
    if (key == "runintransaction") changeset.transaction = !no;
    if (key == "splitstatements") changeset.split = !no;
    if (key == "enddelimiter") changeset.delimiter = value;
    if (key == "dbms" && !value.empty())
      changeset.ours = value.find("postgresql") != std::string::npos
                           ? value.find("!postgresql") == std::string::npos
                           : value.find('!') != std::string::npos || SameWord(value, "all");
  }
  return changeset;
}

class ChangelogReader {
 public:
  explicit ChangelogReader(std::string_view text) : text_(text) {}

  Script Read();

 private:
  void ReadLine(const Line& line);
  void ReadBlock(const Line& line);
  void ReadIgnored(const Line& line, std::string_view argument);
  [[nodiscard]] Script Make() const;
  [[nodiscard]] lint::Sending SendingOf(const Changeset& changeset) const;

  std::string_view text_;
  Lines lines_{text_};
  std::vector<Changeset> changesets_;
};

Script ChangelogReader::Read() {
  while (const auto line = lines_.Next()) ReadLine(*line);
  if (!changesets_.empty()) changesets_.back().body.end = text_.size();
  return Make();
}

void ChangelogReader::ReadLine(const Line& line) {
  const auto here = Cut(text_, line.span);
  if (const auto attributes = AfterMark(here, kChangeset)) {
    if (!changesets_.empty()) changesets_.back().body.end = line.span.begin;
    changesets_.push_back(ReadHead(*attributes, line.next));
    return;
  }
  if (changesets_.empty()) return;
  if (const auto sql = AfterMark(here, kRollback)) {
    Changeset& changeset = changesets_.back();
    changeset.marks.push_back(line.span);
    const bool nothing = sql->empty() || SameWord(*sql, "empty") ||
                         SameWord(*sql, "not required") || StartsWithWord(*sql, "changesetId:");
    const auto begin = static_cast<std::size_t>(sql->data() - text_.data());
    if (!nothing) changeset.rollback.push_back({begin, begin + sql->size()});
  } else if (const auto argument = AfterMark(here, kIgnore)) {
    ReadIgnored(line, *argument);
  } else if (StartsWithWord(Trim(here), kRollbackBlock)) {
    ReadBlock(line);
  }
}

void ChangelogReader::ReadBlock(const Line& line) {
  const std::size_t end = text_.find("*/", line.next);
  if (end == std::string_view::npos) return;
  changesets_.back().marks.push_back({line.span.begin, end + 2});
  changesets_.back().rollback.push_back({line.next, end});
  lines_ = Lines(text_, end + 2);
}

// start ... end, or a number of lines.
void ChangelogReader::ReadIgnored(const Line& line, std::string_view argument) {
  std::size_t left = 0;
  for (const char c : argument.substr(0, 6))
    if (c >= '0' && c <= '9') left = left * 10 + static_cast<std::size_t>(c - '0');
  const bool counted = !SameWord(argument, "start");
  sql::Span span = line.span;
  while (!counted || left-- > 0) {
    const auto next = lines_.Next();
    if (!next) break;
    span.end = next->span.end;
    if (!counted && AfterMark(Cut(text_, next->span), kIgnore)) break;
  }
  changesets_.back().marks.push_back(span);
}

lint::Sending ChangelogReader::SendingOf(const Changeset& changeset) const {
  if (changeset.transaction) return lint::Sending::kTransaction;
  return changeset.split ? lint::Sending::kOneByOne : lint::Sending::kOneQuery;
}

Script ChangelogReader::Make() const {
  Script script;
  std::string up(text_);
  std::string down(text_);
  for (const Changeset& changeset : changesets_) {
    if (!changeset.ours) continue;
    const auto sending = SendingOf(changeset);
    script.up.push_back({changeset.body, sending});
    for (const sql::Span& mark : changeset.marks) Blank(up, mark);
    Blank(down, changeset.body);
    for (const sql::Span& sql : changeset.rollback)
      std::ranges::copy(Cut(text_, sql), down.begin() + static_cast<std::ptrdiff_t>(sql.begin));
    if (!changeset.rollback.empty()) script.down.push_back({changeset.body, sending});
    for (std::string* text : {&up, &down}) {
      if (!changeset.delimiter.empty()) {
        std::string mark = changeset.delimiter;
        if (mark.starts_with("\\n")) mark = "\n" + mark.substr(2);
        ReplaceDelimiter(*text, changeset.body, mark);
      } else {
        for (const auto mark : {"go"sv, "/"sv}) ReplaceDelimiter(*text, changeset.body, mark);
      }
    }
  }
  if (up != text_) script.up_text = std::move(up);
  script.down_text = std::move(down);
  return script;
}

Script Read(const Source& source) {
  if (!MarksText(source.text)) return Whole(source.text, lint::Sending::kTransaction);
  return ChangelogReader(source.text).Read();
}

}  // namespace

extern const Format kLiquibase;
const Format kLiquibase{.name = "liquibase",
                        .marks_folder = &MarksFolder,
                        .marks_text = &MarksText,
                        .order = &Order,
                        .read = &Read};

}  // namespace pgalter::formats
