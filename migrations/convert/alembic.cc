#include "migrations/convert/alembic.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "migrations/formats/folder.h"
#include "migrations/formats/text.h"

namespace pgalter::convert {

namespace fs = std::filesystem;

namespace {

using formats::Cut;
using formats::SameWord;
using formats::StartsWithWord;
using formats::Trim;
using history::Migration;
using sql::Piece;
using sql::PieceKind;

bool IsWordCharacter(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The text behind "name =" or "name: type =" at the front of a line.
std::optional<std::string_view> Assigned(std::string_view python, std::string_view name) {
  formats::Lines lines(python);
  while (const auto line = lines.Next()) {
    std::string_view here = Cut(python, line->span);
    if (!here.starts_with(name)) continue;
    here.remove_prefix(name.size());
    if (!here.empty() && IsWordCharacter(here.front())) continue;
    const std::size_t sign = here.find('=');
    if (sign == std::string_view::npos) continue;
    const auto between = Trim(here.substr(0, sign));
    if (!between.empty() && between.front() != ':') continue;
    return python.substr(static_cast<std::size_t>(here.data() - python.data()) + sign + 1);
  }
  return std::nullopt;
}

// The strings of a value: 'a', ("a", "b"), ['a'] over several lines, or none for None.
std::vector<std::string> Strings(std::string_view value) {
  std::vector<std::string> strings;
  int depth = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == '#') at = std::min(value.find('\n', at), value.size()) - 1;
    if (c == '\n' && depth <= 0) break;
    if (c != '\'' && c != '"') continue;
    const std::size_t end = value.find(c, at + 1);
    if (end == std::string_view::npos) break;
    strings.emplace_back(value.substr(at + 1, end - at - 1));
    at = end;
  }
  return strings;
}

std::string DocTitle(std::string_view python) {
  for (const std::string_view quote : {"\"\"\"", "'''"}) {
    const std::size_t at = python.find(quote);
    if (at == std::string_view::npos) continue;
    const auto before = python.substr(0, at);
    if (before.find("import") != std::string_view::npos) continue;
    formats::Lines lines(python, at + quote.size());
    while (const auto line = lines.Next()) {
      auto text = Trim(Cut(python, line->span));
      const std::size_t end = text.find(quote);
      text = Trim(text.substr(0, end));
      if (!text.empty()) return std::string(text);
      if (end != std::string_view::npos) break;
    }
  }
  return "";
}

std::vector<std::string> SplitIds(std::string_view text) {
  std::string ids(text);
  std::ranges::replace(ids, ',', ' ');
  return formats::Words(ids);
}

std::string_view FirstWord(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && IsWordCharacter(text[end])) ++end;
  return text.substr(0, end);
}

// Alembic's way to say which revision the database has: three forms of one statement each, about a
// revision of the step.
bool IsAboutItself(std::string_view statement, const PrintedStep& step) {
  const auto names = [&](const std::string& id) {
    return statement.find("'" + id + "'") != std::string_view::npos;
  };
  if (std::ranges::none_of(step.from, names) && std::ranges::none_of(step.to, names)) return false;
  const auto has = [&](std::string_view start, std::string_view inside) {
    return StartsWithWord(statement, start) && statement.find(inside) != std::string_view::npos;
  };
  return has("INSERT INTO ", " (version_num) VALUES ('") || has("UPDATE ", " SET version_num='") ||
         has("DELETE FROM ", ".version_num = '");
}

class Printed {
 public:
  explicit Printed(std::string_view text) : text_(text) {}

  std::vector<PrintedStep> Read() {
    for (const Piece& piece : sql::SplitScript(text_)) {
      for (const sql::Comment& comment : piece.comments) TakeComment(comment);
      if (piece.kind != PieceKind::kComments) TakePiece(piece);
    }
    return std::move(steps_);
  }

 private:
  void TakeComment(const sql::Comment& comment);
  void TakePiece(const Piece& piece);

  std::string_view text_;
  std::vector<PrintedStep> steps_;
  std::vector<sql::Span> comments_;  // since the statement before
  bool in_transaction_ = false;
  int transaction_ = 0;
  std::set<int> transactions_;  // of the step's statements; 0: none
  std::string version_table_;
};

void Printed::TakeComment(const sql::Comment& comment) {
  for (const bool up : {true, false}) {
    const auto rest =
        formats::AfterMark(comment.text, up ? "Running upgrade" : "Running downgrade");
    if (!rest) continue;
    const std::size_t arrow = rest->find("->");
    if (arrow == std::string_view::npos) continue;
    PrintedStep step;
    step.up = up;
    step.from = SplitIds(rest->substr(0, arrow));
    step.to = SplitIds(rest->substr(arrow + 2));
    steps_.push_back(std::move(step));
    transactions_.clear();
    comments_.clear();
    return;
  }
  comments_.push_back(comment.span);
}

void Printed::TakePiece(const Piece& piece) {
  const auto statement = Cut(text_, piece.span);
  const std::size_t begin =
      std::min(comments_.empty() ? piece.span.begin : comments_.front().begin, piece.span.begin);
  comments_.clear();
  const auto word = FirstWord(statement);
  const bool alone = Trim(statement) == word;
  if (alone && SameWord(word, "BEGIN")) {
    in_transaction_ = true;
    ++transaction_;
    return;
  }
  if (alone && SameWord(word, "COMMIT")) {
    in_transaction_ = false;
    return;
  }
  if (steps_.empty()) return;  // CREATE TABLE alembic_version
  PrintedStep& step = steps_.back();
  if (IsAboutItself(statement, step)) {
    if (const auto words = formats::Words(statement); words.size() > 2)
      version_table_ = SameWord(word, "UPDATE") ? words[1] : words[2];
    return;
  }
  std::size_t end = piece.span.end;
  if (end < text_.size() && text_[end] == ';') ++end;
  if (SameWord(word, "DROP") && !version_table_.empty() &&
      Trim(statement) == "DROP TABLE " + version_table_)
    return;
  step.statements.push_back({begin, end});
  transactions_.insert(in_transaction_ ? transaction_ : 0);
  step.together = transactions_.size() == 1 && in_transaction_;
}

class Collecting {
 public:
  explicit Collecting(const fs::path& directory) { collection_.directory = directory; }

  history::Collection Collect(const std::vector<fs::path>& printed);

 private:
  void ReadRevisions();
  struct Print {
    fs::path path;
    std::string text;
    std::vector<PrintedStep> steps;
  };
  void ReadPrint(const fs::path& path);
  void AddUp(const std::string& text, const PrintedStep& step, const fs::path& path);
  void AddDown(const std::string& text, const PrintedStep& step);
  void Problem(std::string what) { collection_.problems.push_back(std::move(what)); }

  history::Collection collection_;
  struct Known {
    Revision revision;
    std::string file;
    std::string bytes;
  };
  std::map<std::string, Known> revisions_;
  std::map<std::string, std::size_t> places_;  // in the collection
  std::vector<Print> prints_;
};

void Collecting::ReadRevisions() {
  const formats::Folder folder(collection_.directory, formats::Depth::kDeep);
  for (const std::string& file : folder.files()) {
    if (!file.ends_with(".py")) continue;
    auto text = folder.Text(file);
    if (!text) continue;
    Revision revision = ReadRevision(*text);
    if (revision.id.empty()) continue;
    const std::string id = revision.id;
    const auto [found, fresh] =
        revisions_.try_emplace(id, Known{std::move(revision), file, *std::move(text)});
    if (!fresh)
      Problem(fmt::format("{} and {} are both revision {}", found->second.file, file, id));
  }
  if (revisions_.empty())
    Problem(
        fmt::format("{} holds no revision of Alembic: --dir is to name the directory that has "
                    "them, as alembic/versions",
                    collection_.directory.string()));
}

std::string TextOf(const std::string& text, const std::vector<sql::Span>& spans) {
  std::string only;
  for (const sql::Span& span : spans) only += std::string(Cut(text, span)) + "\n";
  return only;
}

history::Script ScriptOf(const std::string& text, const PrintedStep& step) {
  history::Script script;
  script.text = TextOf(text, step.statements);
  script.together = step.together && !step.statements.empty();
  script.may_be_alone = !step.together;
  return script;
}

void Collecting::AddUp(const std::string& text, const PrintedStep& step, const fs::path& path) {
  const std::string id = step.id();
  const auto known = revisions_.find(id);
  if (known == revisions_.end())
    return Problem(fmt::format("{} has revision {}, and no file of {} is that revision",
                               path.string(), id, collection_.directory.string()));
  const Revision& revision = known->second.revision;
  const std::set<std::string> from(step.from.begin(), step.from.end());
  if (from != std::set<std::string>(revision.down.begin(), revision.down.end()))
    return Problem(fmt::format("{} was printed when {} stood on another revision: print it anew",
                               path.string(), known->second.file));
  if (places_.contains(id)) return Problem(fmt::format("{} was printed twice", id));
  places_[id] = collection_.migrations.size();
  Migration migration;
  migration.version = id;
  migration.title = revision.title.empty() ? id : revision.title;
  migration.file = known->second.file;
  migration.format = "alembic";
  migration.depends_on = revision.down;
  std::ranges::copy(revision.depends_on, std::back_inserter(migration.depends_on));
  migration.up = ScriptOf(text, step);
  migration.sums = history::ChecksumsOf(known->second.bytes, migration.up.text, {});
  collection_.migrations.push_back(std::move(migration));
}

void Collecting::AddDown(const std::string& text, const PrintedStep& step) {
  const auto at = places_.find(step.id());
  if (at == places_.end()) return;  // said as one that has no way up
  Migration& migration = collection_.migrations[at->second];
  // Nothing takes nothing back: a merge of two branches.
  if (!step.statements.empty() || migration.up.text.empty()) migration.down = ScriptOf(text, step);
}

void Collecting::ReadPrint(const fs::path& path) {
  std::string text;
  try {
    text = formats::ReadWhole(path);
  } catch (const std::runtime_error& error) {
    return Problem(fmt::format("cannot read {}: {}", path.string(), error.what()));
  }
  std::vector<PrintedStep> steps = ReadPrinted(text);
  if (steps.empty())
    return Problem(
        fmt::format("{} is not what Alembic prints: no line of it is \"-- Running "
                    "upgrade …\"",
                    path.string()));
  prints_.push_back({path, std::move(text), std::move(steps)});
}

history::Collection Collecting::Collect(const std::vector<fs::path>& printed) {
  ReadRevisions();
  for (const fs::path& path : printed) ReadPrint(path);
  for (const Print& print : prints_)
    for (const PrintedStep& step : print.steps)
      if (step.up) AddUp(print.text, step, print.path);
  for (const Print& print : prints_)
    for (const PrintedStep& step : print.steps)
      if (!step.up) AddDown(print.text, step);
  std::vector<std::string> missing;
  for (const auto& [id, known] : revisions_)
    if (!places_.contains(id)) missing.push_back(fmt::format("{} ({})", id, known.file));
  if (!missing.empty() && collection_.problems.empty())
    Problem(
        fmt::format("of {} there is no SQL: print all of it, alembic upgrade base:heads --sql "
                    "> FILE, and name it: --printed FILE",
                    fmt::join(missing, ", ")));
  return std::move(collection_);
}

}  // namespace

Revision ReadRevision(std::string_view python) {
  Revision revision;
  const auto id = Assigned(python, "revision");
  const auto down = Assigned(python, "down_revision");
  if (!id || !down) return revision;
  const std::vector<std::string> ids = Strings(*id);
  if (ids.empty()) return revision;
  revision.id = ids.front();
  revision.down = Strings(*down);
  if (const auto depends = Assigned(python, "depends_on")) revision.depends_on = Strings(*depends);
  revision.title = DocTitle(python);
  return revision;
}

std::string PrintedStep::id() const {
  const std::vector<std::string>& ids = up ? to : from;
  return ids.empty() ? "" : ids.front();
}

std::vector<PrintedStep> ReadPrinted(std::string_view text) { return Printed(text).Read(); }

history::Collection ReadAlembic(const fs::path& directory, const std::vector<fs::path>& printed) {
  return Collecting(directory).Collect(printed);
}

}  // namespace pgalter::convert
