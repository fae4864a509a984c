#include "migrations/history/collection.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "migrations/formats/folder.h"
#include "migrations/formats/reader.h"
#include "migrations/formats/text.h"
#include "migrations/history/assertion.h"
#include "migrations/history/exclusion.h"
#include "migrations/history/sha256.h"
#include "planner/sql/line_index.h"
#include "planner/sql/text.h"

namespace pgalter::history {

namespace fs = std::filesystem;

namespace {

using formats::SectionKind;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t Digits(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && IsDigit(text[end])) ++end;
  return end - at;
}

// The number at the front of a name: "20260102", "2026-01-02", "20260102_1530".
std::size_t NumberSize(std::string_view name) {
  const auto separated = [&](std::size_t at, std::size_t digits) {
    return at < name.size() && (name[at] == '-' || name[at] == '_') &&
           Digits(name, at + 1) == digits;
  };
  std::size_t size = Digits(name, 0);
  if (size == 4 && separated(4, 2) && separated(7, 2)) size = 10;
  const bool date = size == 8 || size == 10;
  if (date && separated(size, 6)) return size + 7;
  if (date && separated(size, 4)) return size + 5;
  return size;
}

std::string_view WithoutSuffixes(std::string_view name) {
  for (const std::string_view suffix :
       {".sql", ".up", ".down", ".rollback", ".undo", ".revert", ".SQL"})
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  return name;
}

struct Parts {
  std::string_view version;
  std::string_view title;
};

Parts SplitFlyway(std::string_view name) {
  const std::size_t bars = name.find("__");
  if (name.empty() || bars == std::string_view::npos) return {name, {}};
  const auto title = name.substr(bars + 2);
  if (name[0] == 'R') return {name, title};
  return {name.substr(1, bars - 1), title};
}

Parts Split(std::string_view format, std::string_view path) {
  if (format == "prisma") {
    const std::size_t slash = path.rfind('/');
    const auto directory =
        slash == std::string_view::npos ? path : formats::FileName(path.substr(0, slash));
    return {directory, directory};
  }
  if (format == "pgroll") {
    const auto name = formats::FileName(path);
    return {name.substr(0, name.rfind('.')), name.substr(0, name.rfind('.'))};
  }
  if (format == "sqitch") {
    for (const std::string_view top : {"deploy/", "revert/", "verify/"})
      if (path.starts_with(top)) path.remove_prefix(top.size());
    const auto name = WithoutSuffixes(path);
    return {name, name};
  }
  const auto name = WithoutSuffixes(formats::FileName(path));
  if (format == "flyway") return SplitFlyway(name);
  const std::size_t size = NumberSize(name);
  if (size == 0) return {name, name};
  auto title = name.substr(size);
  while (!title.empty() && (title[0] == '_' || title[0] == '-' || title[0] == '.'))
    title.remove_prefix(1);
  return {name.substr(0, size), title};
}

// The text with nothing but these spans, at its own lines.
std::string Only(const std::string& text, const std::vector<sql::Span>& spans) {
  std::string only = text;
  std::size_t at = 0;
  for (const sql::Span span : spans) {
    formats::Blank(only, {at, span.begin});
    at = span.end;
  }
  formats::Blank(only, {at, only.size()});
  return only;
}

std::vector<sql::Span> SpansOf(const std::vector<lint::Part>& parts) {
  std::vector<sql::Span> spans;
  for (const lint::Part& part : parts) spans.push_back(part.span);
  std::ranges::sort(spans, {}, &sql::Span::begin);
  return spans;
}

std::string Normalised(std::string_view bytes) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] != '\r' || i + 1 == bytes.size() || bytes[i + 1] != '\n') text += bytes[i];
  return text;
}

// The statement without its comments: a blank stands for each.
std::string Bare(std::string_view text, const sql::Piece& piece) {
  std::string bare;
  std::size_t at = piece.span.begin;
  for (const sql::Comment& comment : piece.comments) {
    if (comment.span.begin < at || comment.span.end > piece.span.end) continue;
    bare += formats::Trim(text.substr(at, comment.span.begin - at));
    bare += ' ';
    at = comment.span.end;
  }
  bare += formats::Trim(text.substr(at, piece.span.end - at));
  return bare;
}

// One query with a single statement is no transaction.
bool IsTogether(const std::string& text, const std::vector<lint::Part>& parts) {
  const auto statements = [&](const lint::Part& part) {
    return std::ranges::count_if(
        sql::SplitScript(formats::Cut(text, part.span)),
        [](const sql::Piece& piece) { return piece.kind != sql::PieceKind::kComments; });
  };
  return std::ranges::any_of(parts, [&](const lint::Part& part) {
    return part.sending == lint::Sending::kTransaction ||
           (part.sending == lint::Sending::kOneQuery && statements(part) > 1);
  });
}

Script ScriptOf(const formats::File& file, std::string text) {
  Script script;
  script.text = std::move(text);
  script.together = IsTogether(file.text, file.parts);
  script.may_be_alone = !script.together && file.format != "pgalter" && file.format != "plain";
  return script;
}

// With blanks or commas between.
std::vector<std::string> Versions(std::string text) {
  std::ranges::replace(text, ',', ' ');
  return formats::Words(text);
}

class Collecting {
 public:
  Collecting(fs::path directory, std::string format)
      : directory_(std::move(directory)), format_(std::move(format)) {}

  Collection Collect();

 private:
  formats::Migrations Read(formats::Direction direction) const;
  void FindForeign();
  // What is no text cannot be sent as it stands.
  void CheckBytes(const formats::File& file);
  void AddUp(const formats::File& file);
  void AddOwn(Migration& migration, const std::string& text);
  void AddDown(const formats::File& file);
  void CheckQuestions(const std::string& file, const std::string& section);
  [[nodiscard]] std::string Relative(const fs::path& path) const;

  fs::path directory_;
  std::string format_;
  Collection collection_;
  fs::path last_checked_;
  std::map<std::string, std::size_t> by_version_;
};

std::string Collecting::Relative(const fs::path& path) const {
  return path.lexically_relative(directory_).generic_string();
}

formats::Migrations Collecting::Read(formats::Direction direction) const {
  formats::Reader reader({format_, direction});
  reader.Add(directory_);
  return reader.Take();
}

void Collecting::AddOwn(Migration& migration, const std::string& text) {
  formats::OwnFile own = formats::ReadOwnFile(text);
  for (formats::OwnProblem& problem : own.problems)
    collection_.faults.push_back({migration.file, std::move(problem)});
  if (const auto title = own.Header("title"); !title.empty()) migration.title = title;
  migration.irreversible = own.Header("irreversible");
  migration.up.as_written = own.Header("transaction") == "single";
  migration.up.may_be_alone = own.Header("transaction") == "none";
  migration.up.rebuild_matviews = own.Header("rebuild_matviews") == "yes";
  migration.depends_on = Versions(own.Header("depends_on"));
  migration.conflicts_with = Versions(own.Header("conflicts_with"));
  for (const formats::Section& section : own.sections) {
    const std::string body = Only(text, {section.body});
    if (section.kind == SectionKind::kVerify || section.kind == SectionKind::kDownVerify)
      CheckQuestions(migration.file, body);
    if (section.kind == SectionKind::kVerify) migration.verify = body;
    if (section.kind == SectionKind::kDownVerify) migration.down_verify = body;
    // As `pgalter new` leaves it, it is not written yet. That there is nothing to take back is said
    // by a comment.
    const bool blank = body.find_first_not_of(" \t\r\n") == std::string::npos;
    if (section.kind == SectionKind::kDown && !blank) {
      migration.down = migration.up;
      migration.down->text = body;
    }
    if (section.kind <= SectionKind::kContract) migration.sections.push_back(section);
  }
  migration.header = std::move(own.header);
}

// Now, not when the migration is applied and they are asked.
void Collecting::CheckQuestions(const std::string& file, const std::string& section) {
  const sql::LineIndex lines(section);
  for (const sql::Piece& piece : sql::SplitScript(section)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    ReadAssertion read = ParseAssertion(formats::Cut(section, piece.span));
    if (!read.problem) continue;
    AssertionProblem& problem = *read.problem;
    collection_.faults.push_back({file,
                                  {lines.At(piece.span.begin).line, std::move(problem.what),
                                   std::move(problem.typed), std::move(problem.known)}});
  }
}

void Collecting::CheckBytes(const formats::File& file) {
  const std::string_view text = file.text;
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = text[at] == '\0' ? 0 : sql::CharacterSize(text.substr(at));
    if (size == 0) {
      const std::string_view what = text[at] == '\0'
                                        ? "a zero byte stands here, which no text can have"
                                        : "the bytes here are not UTF-8: save the file as UTF-8";
      collection_.faults.push_back({Relative(file.path), {line, std::string(what), {}, {}}});
      return;
    }
    if (text[at] == '\n') ++line;
    at += size;
  }
}

void Collecting::AddUp(const formats::File& file) {
  const std::string only = Only(file.text, SpansOf(file.parts));
  if (!file.continues || file.path != last_checked_) CheckBytes(file);
  last_checked_ = file.path;
  if (file.continues && !collection_.migrations.empty()) {
    Migration& last = collection_.migrations.back();
    last.up.text += "\n" + only;
    last.sums = ChecksumsOf(last.up.text, last.up.text, last.sections);
    return;
  }
  Migration migration;
  migration.file = Relative(file.path);
  migration.format = file.format;
  migration.version = VersionOf(file.format, migration.file);
  migration.title = TitleOf(file.format, migration.file);
  migration.up = ScriptOf(file, only);
  if (file.format == "flyway" && migration.version.starts_with("R__")) {
    collection_.notes.push_back(migration.file +
                                " is repeatable: it is not applied here, leave it to its tool");
    return;
  }
  const std::string bytes = file.rewritten ? formats::ReadWhole(file.path) : file.text;
  if (file.own_text) AddOwn(migration, file.text);
  migration.sums = ChecksumsOf(bytes, only, migration.sections);
  collection_.migrations.push_back(std::move(migration));
}

void Collecting::AddDown(const formats::File& file) {
  const std::string path = Relative(file.path);
  const auto at = by_version_.find(VersionOf(file.format, path));
  if (at == by_version_.end()) {
    collection_.notes.push_back(path + " is a way down without a way up");
    return;
  }
  Migration* found = &collection_.migrations[at->second];
  if (file.own_text) return;  // read with its way up
  if (path != found->file) CheckBytes(file);
  const std::string only = Only(file.text, SpansOf(file.parts));
  if (sql::SplitScript(only).empty()) return;
  if (!found->down) {
    found->down = ScriptOf(file, only);
  } else {
    found->down->text += "\n" + only;
  }
}

// Left out they would be missing in the order, and nobody would know.
void Collecting::FindForeign() {
  const formats::Folder folder(directory_, formats::Depth::kDeep);
  const auto& all = collection_.migrations;
  const bool goose = std::ranges::any_of(
      all, [](const Migration& migration) { return migration.format == "goose"; });
  const bool node = std::ranges::any_of(
      all, [](const Migration& migration) { return migration.format == "node-pg-migrate"; });
  for (const std::string& file : folder.files()) {
    const std::string_view name = formats::FileName(file);
    const bool script = name.ends_with(".js") || name.ends_with(".ts") || name.ends_with(".cjs") ||
                        name.ends_with(".mjs");
    if (node && script && name == file && IsDigit(name[0]))
      collection_.foreign.push_back(file +
                                    " is a migration in JavaScript or TypeScript: only "
                                    "node-pg-migrate can run it; write it as SQL, or leave this "
                                    "directory to node-pg-migrate");
    if (goose && name.ends_with(".go") && !name.ends_with("_test.go") && IsDigit(name[0]))
      collection_.foreign.push_back(file +
                                    " is a migration in Go: only goose can run it; write it as "
                                    "SQL, or leave this directory to goose");
    if (all.empty() && name.ends_with(".py") && collection_.foreign.empty())
      collection_.foreign.push_back(
          file +
          " is a migration in Python, and there is no SQL: put what `alembic upgrade FROM:TO "
          "--sql` (or `manage.py sqlmigrate`) prints into files, a file a migration");
  }
}

Collection Collecting::Collect() {
  collection_.directory = directory_;
  formats::Migrations up = Read(formats::Direction::kUp);
  collection_.notes = std::move(up.notes);
  collection_.problems = std::move(up.problems);
  for (const formats::File& file : up.files) AddUp(file);
  std::ranges::move(FaultsOfExclusions(collection_.migrations),
                    std::back_inserter(collection_.faults));
  FindForeign();
  const auto& all = collection_.migrations;
  for (std::size_t i = 0; i < all.size(); ++i) by_version_.try_emplace(all[i].version, i);
  if (std::ranges::all_of(up.files, &formats::File::own_text))
    return std::move(collection_);  // read with their ways up
  const formats::Migrations down = Read(formats::Direction::kDown);
  for (const formats::File& file : down.files)
    if (file.judged) AddDown(file);
  return std::move(collection_);
}

}  // namespace

std::string VersionOf(std::string_view format, std::string_view path) {
  return std::string(Split(format, path).version);
}

std::string VersionKey(std::string_view format, std::string_view version) {
  const bool dotted = format == "flyway";
  const auto known = [&](char c) { return IsDigit(c) || (dotted && (c == '.' || c == '_')); };
  if (version.empty() || !std::ranges::all_of(version, known)) return std::string(version);
  std::vector<std::string> numbers(1);
  for (const char c : version) {
    if (!IsDigit(c)) {
      numbers.emplace_back();
    } else if (numbers.back() != "0") {
      numbers.back() += c;
    } else {
      numbers.back() = c;
    }
  }
  while (numbers.size() > 1 && (numbers.back().empty() || numbers.back() == "0"))
    numbers.pop_back();
  std::string key;
  for (const std::string& number : numbers)
    key += (key.empty() ? "" : ".") + (number.empty() ? "0" : number);
  return key;
}

std::string TitleOf(std::string_view format, std::string_view path) {
  std::string title(Split(format, path).title);
  std::ranges::replace(title, '_', ' ');
  return title;
}

Checksums ChecksumsOf(std::string_view bytes, std::string_view way_up,
                      const std::vector<formats::Section>& sections) {
  const std::string up = Normalised(way_up);
  std::string statements;
  for (const sql::Piece& piece : sql::SplitScript(up))
    if (piece.kind != sql::PieceKind::kComments) statements += Bare(up, piece) + ";\n";
  for (const formats::Section& section : sections) {
    statements += "-- " + std::string(formats::NameOf(section.kind));
    for (const formats::Argument& argument : section.arguments)
      statements += " " + argument.key + "=" + argument.value;
    statements += "\n";
  }
  return {Sha256(bytes), Sha256(Normalised(bytes)), Sha256(statements)};
}

Collection ReadCollection(const fs::path& directory, const std::string& format) {
  return Collecting(directory, format).Collect();
}

}  // namespace pgalter::history
