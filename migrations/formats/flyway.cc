// Flyway: V1.2__title.sql by version, then R__title.sql by title; U1.2__title.sql is the way down,
// B1.2__title.sql stands for all versions up to its own. One transaction a file; a file with a
// statement that the tool knows to refuse one is sent without, and so is one whose script
// configuration (V1__x.sql.conf) says executeInTransaction=false.

#include <algorithm>
#include <array>
#include <initializer_list>
#include <tuple>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"
#include "planner/sql/script.h"

namespace pgalter::formats {
namespace {

using std::string_view_literals::operator""sv;

struct Settings {
  std::string versioned = "V";
  std::string undo = "U";
  std::string repeatable = "R";
  std::string baseline = "B";
  std::string separator = "__";
  bool transaction = true;
  bool mixed = false;
};

void ReadSettings(std::string_view text, Settings& settings) {
  Lines lines(text);
  while (const auto line = lines.Next()) {
    const auto here = Cut(text, line->span);
    const std::size_t equals = here.find('=');
    if (equals == std::string_view::npos) continue;
    auto key = Trim(here.substr(0, equals));
    if (StartsWithWord(key, "flyway.")) key.remove_prefix(7);
    const auto words = Words(here.substr(equals + 1));
    if (words.empty()) continue;
    if (SameWord(key, "sqlMigrationPrefix")) settings.versioned = words[0];
    if (SameWord(key, "undoSqlMigrationPrefix")) settings.undo = words[0];
    if (SameWord(key, "repeatableSqlMigrationPrefix")) settings.repeatable = words[0];
    if (SameWord(key, "baselineMigrationPrefix")) settings.baseline = words[0];
    if (SameWord(key, "sqlMigrationSeparator")) settings.separator = words[0];
    if (SameWord(key, "mixed")) settings.mixed = SameWord(words[0], "true");
    if (SameWord(key, "executeInTransaction")) settings.transaction = !SameWord(words[0], "false");
  }
}

Settings SettingsOf(const Folder& folder) {
  Settings settings;
  for (const auto file : {"conf/flyway.conf"sv, "flyway.conf"sv, "flyway.toml"sv})
    if (const auto text = folder.Text(file)) ReadSettings(*text, settings);
  return settings;
}

struct Name {
  enum class Kind { kBaseline, kVersioned, kRepeatable, kUndo } kind = Kind::kVersioned;
  std::string version;  // with dots
  std::string title;
};

std::optional<Name> NameOf(std::string_view path, const Settings& settings) {
  if (!IsSql(path)) return std::nullopt;
  auto file = FileName(path);
  file.remove_suffix(4);
  const std::size_t separator = file.find(settings.separator);
  if (separator == std::string_view::npos) return std::nullopt;
  const auto title = file.substr(separator + settings.separator.size());
  const auto front = file.substr(0, separator);
  if (front == settings.repeatable) return Name{Name::Kind::kRepeatable, "", std::string(title)};
  for (const auto& [prefix, kind] :
       {std::tuple(std::string_view(settings.baseline), Name::Kind::kBaseline),
        std::tuple(std::string_view(settings.versioned), Name::Kind::kVersioned),
        std::tuple(std::string_view(settings.undo), Name::Kind::kUndo)}) {
    if (!front.starts_with(prefix)) continue;
    std::string version(front.substr(prefix.size()));
    std::ranges::replace(version, '_', '.');
    if (version.empty() || version.find_first_not_of("0123456789.") != std::string::npos) continue;
    return Name{kind, std::move(version), std::string(title)};
  }
  return std::nullopt;
}

// 1.0 is 1.
bool VersionLess(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view version) {
    for (;;) {
      const std::size_t dot = version.rfind('.');
      if (dot == std::string_view::npos ||
          version.find_first_not_of('0', dot + 1) != std::string_view::npos)
        return version;
      version = version.substr(0, dot);
    }
  };
  return NaturalLess(bare(a), bare(b));
}

bool MarksFile(std::string_view path) { return NameOf(path, Settings{}).has_value(); }

bool MarksFolder(const Folder& folder) {
  if (folder.Has("flyway.toml") || folder.Has("flyway.conf")) return true;
  const auto named = std::ranges::count_if(folder.files(), MarksFile);
  return named > 0 && 2 * named > std::ranges::count_if(folder.files(), IsSql);
}

bool IsWayDown(std::string_view path) {
  const auto name = NameOf(path, Settings{});
  return name && name->kind == Name::Kind::kUndo;
}

bool IsCallback(std::string_view path) {
  const auto file = FileName(path);
  return file.starts_with("before") || file.starts_with("after");
}

Sequence Order(const Folder& folder) {
  struct Known {
    Name name;
    std::string file;
  };
  const Settings settings = SettingsOf(folder);
  Sequence sequence;
  std::vector<Known> known;
  for (const std::string& file : folder.files()) {
    if (!IsSql(file)) continue;
    if (auto name = NameOf(file, settings)) {
      known.push_back({std::move(*name), file});
    } else if (IsCallback(file)) {
      sequence.notes.push_back(file + " is a callback of Flyway's, and left out");
    } else {
      sequence.notes.push_back(file + " is not named as Flyway asks, which leaves it out");
    }
  }
  std::ranges::stable_sort(known, [](const Known& a, const Known& b) {
    if (a.name.kind != b.name.kind) return a.name.kind < b.name.kind;
    if (a.name.kind == Name::Kind::kRepeatable) return a.name.title < b.name.title;
    return VersionLess(a.name.version, b.name.version);
  });
  const auto first = std::ranges::find(known, Name::Kind::kVersioned,
                                       [](const Known& one) { return one.name.kind; });
  for (const Known& one : known) {
    if (one.name.kind == Name::Kind::kUndo) {
      sequence.down.push_back(one.file);
    } else if (one.name.kind == Name::Kind::kBaseline && first != known.end() &&
               !VersionLess(one.name.version, first->name.version)) {
      sequence.notes.push_back(one.file + " stands for versions that are there, and is left out");
    } else {
      sequence.up.push_back(one.file);
    }
  }
  std::ranges::reverse(sequence.down);
  return sequence;
}

// The first words of a statement, without comments, in lower case.
std::vector<std::string> FirstWords(const sql::Piece& piece) {
  constexpr std::size_t kEnough = 8;
  std::string text = piece.sql;
  for (const sql::Comment& comment : piece.comments)
    if (comment.span.begin >= piece.span.begin && comment.span.end <= piece.span.end)
      Blank(text, {comment.span.begin - piece.span.begin, comment.span.end - piece.span.begin});
  std::vector<std::string> words;
  std::string word;
  for (const char c : Lower(text)) {
    const bool inside = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (inside) word += c;
    if (!inside && !word.empty()) words.push_back(std::exchange(word, {}));
    if (words.size() == kEnough) return words;
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// What its own reader of PostgreSQL's SQL looks for. REINDEX and DETACH PARTITION CONCURRENTLY are
// not among them.
bool RefusesTransaction(const std::vector<std::string>& words) {
  const auto starts = [&](std::initializer_list<std::string_view> start) {
    return words.size() >= start.size() && std::equal(start.begin(), start.end(), words.begin());
  };
  for (const auto verb : {"create"sv, "drop"sv}) {
    if (starts({verb, "index", "concurrently"}) ||
        starts({verb, "unique", "index", "concurrently"}))
      return true;
    for (const auto kind : {"database"sv, "tablespace"sv, "subscription"sv})
      if (starts({verb, kind})) return true;
  }
  for (const auto kind : {"schema"sv, "database"sv, "system"sv})
    if (starts({"reindex", kind}) || starts({"reindex", "verbose", kind})) return true;
  return starts({"vacuum"}) || starts({"alter", "system"}) || starts({"discard", "all"});
}

// Most files have none of these words, and are not split for this.
bool MayRefuseTransaction(std::string_view text) {
  constexpr std::array kWords{"concurrently"sv, "vacuum"sv,  "reindex"sv,    "database"sv,
                              "system"sv,       "discard"sv, "tablespace"sv, "subscription"sv};
  const std::string lower = Lower(text);
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

Script Read(const Source& source) {
  Settings settings = SettingsOf(source.folder);
  if (const auto text = source.folder.Text(std::string(source.file) + ".conf"))
    ReadSettings(*text, settings);
  Script script = Whole(
      source.text, settings.transaction ? lint::Sending::kTransaction : lint::Sending::kOneByOne);
  if (!settings.transaction || !MayRefuseTransaction(source.text)) return script;
  bool refuses = false;
  bool others = false;
  for (const sql::Piece& piece : sql::SplitScript(source.text)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    const auto words = FirstWords(piece);
    if (RefusesTransaction(words)) {
      if (!refuses) script.up[0].refused_at = piece.span;
      refuses = true;
    } else if (words.empty() || words[0] != "set") {
      others = true;
    }
  }
  if (refuses) script.up[0].sending = lint::Sending::kOneByOne;
  if (refuses && others && !settings.mixed) {
    script.up[0].refusal =
        "Flyway does not run a file with statements that refuse a transaction beside others: give "
        "this one a file of its own, or set mixed=true";
    script.note =
        "has statements that refuse a transaction beside others: Flyway takes them apart "
        "only with mixed=true";
  }
  return script;
}

}  // namespace

extern const Format kFlyway;
const Format kFlyway{.name = "flyway",
                     .marks_folder = &MarksFolder,
                     .marks_file = &MarksFile,
                     .is_down = &IsWayDown,
                     .order = &Order,
                     .read = &Read};

}  // namespace pgalter::formats
