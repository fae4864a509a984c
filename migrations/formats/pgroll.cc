// pgroll: JSON or YAML, a list of operations a file, by the files' names. An operation is read as
// the statements, backfills and gate of our own format that mean the same; what pgroll does when it
// completes stands behind a gate called "complete". Each operation stands at its line of the file,
// as far as there is room.

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>

#include "migrations/formats/format.h"
#include "migrations/formats/pgroll_operations.h"
#include "migrations/formats/text.h"
#include "migrations/formats/yaml.h"

namespace pgalter::formats {
namespace {

namespace json = boost::json;

constexpr std::string_view kGate =
    "-- pgalter:gate complete reason=\"every program works with the new schema\"";

bool IsJson(std::string_view text) { return Trim(text).starts_with('{'); }

bool IsPgrollFile(std::string_view path) {
  return path.ends_with(".json") || path.ends_with(".yaml") || path.ends_with(".yml");
}

// A key `operations` at the top, and one of the operations.
bool MarksText(std::string_view text) {
  const bool json = IsJson(text);
  const std::size_t at = text.find(json ? "\"operations\"" : "operations:");
  if (at == std::string_view::npos || (!json && at > 0 && text[at - 1] != '\n')) return false;
  std::string_view rest = text.substr(at + std::string_view("operations").size());
  while (!rest.empty()) {
    const std::size_t begin = rest.find_first_of("abcdefghijklmnopqrstuvwxyz");
    if (begin == std::string_view::npos) return false;
    rest.remove_prefix(begin);
    const std::size_t size =
        std::min(rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), rest.size());
    if (IsPgrollOperation(rest.substr(0, size))) return true;
    rest.remove_prefix(size);
  }
  return false;
}

bool MarksFolder(const Folder& folder) {
  return std::ranges::any_of(folder.files(), [&](const std::string& file) {
    if (file.find('/') != std::string::npos || !IsPgrollFile(file)) return false;
    const auto text = folder.Text(file);
    return text && MarksText(*text);
  });
}

// By letters, as pgroll does.
Sequence Order(const Folder& folder) {
  Sequence sequence;
  for (const std::string& file : folder.files()) {
    if (file.find('/') != std::string::npos) continue;
    if (IsPgrollFile(file)) {
      sequence.up.push_back(file);
    } else if (IsSql(file)) {
      sequence.notes.push_back(file + " is SQL: pgroll reads JSON and YAML only");
    }
  }
  std::ranges::sort(sequence.up);
  return sequence;
}

// The lines at which the items of the list "operations" begin.
std::vector<int> LinesOfJsonItems(std::string_view text) {
  std::vector<int> lines;
  int line = 1;
  int depth = 0;
  std::string_view last;  // text at the top
  bool inside = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') ++line;
    if (c == '"') {
      const std::size_t begin = at + 1;
      for (++at; at < text.size() && text[at] != '"'; ++at)
        if (text[at] == '\\') ++at;
      if (depth == 1) last = text.substr(begin, at - begin);
    }
    if (c == '{' && inside && depth == 2) lines.push_back(line);
    if (c == '[' && depth == 1) inside = last == "operations";
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth < 2) inside = false;
  }
  return lines;
}

struct Document {
  json::value value;
  std::vector<int> lines;
};

// Throws Unreadable.
Document ReadDocument(std::string_view text) {
  if (!IsJson(text)) return {ReadYaml(text), LinesOfYamlItems(text, "operations")};
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) throw Unreadable("it is no JSON: " + error.message());
  return {std::move(value), LinesOfJsonItems(text)};
}

class Writing {
 public:
  explicit Writing(const Document& document) : document_(document) {}

  // Throws Unreadable.
  std::string Write();

 private:
  void Take(const json::value& item, int line);
  void PutAt(int line, const std::string& text);
  void PutDown(const OwnLines& lines) { down_.insert(down_.begin(), lines.begin(), lines.end()); }

  const Document& document_;
  std::string text_ = "-- pgalter:up\n";
  int line_ = 2;
  OwnLines complete_;
  OwnLines down_;
  bool can_be_taken_back_ = true;
};

void Writing::PutAt(int line, const std::string& text) {
  for (; line_ < line; ++line_) text_ += '\n';
  text_ += text + '\n';
  line_ += 1 + static_cast<int>(std::ranges::count(text, '\n'));
}

void Writing::Take(const json::value& item, int line) {
  const auto refuse = [&](const std::string& why) {
    throw Unreadable("line " + std::to_string(line) + ": " + why);
  };
  if (!item.is_object() || item.get_object().size() != 1)
    refuse("an operation is one key, its name, with what belongs to it");
  const auto& only = *item.get_object().begin();
  PgrollOperation operation;
  try {
    operation = ReadPgrollOperation(only.key(), only.value());
  } catch (const BadOperation& bad) {
    refuse(bad.what());
  }
  for (const std::string& text : operation.start) PutAt(line, text);
  complete_.insert(complete_.end(), operation.complete.begin(), operation.complete.end());
  can_be_taken_back_ = can_be_taken_back_ && operation.down.has_value();
  if (operation.down) PutDown(*operation.down);
}

std::string Writing::Write() {
  if (!document_.value.is_object()) throw Unreadable("it is no migration: it has no operations");
  const json::object& top = document_.value.get_object();
  for (const auto& member : top)
    if (member.key() != "operations" && member.key() != "name" && member.key() != "version_schema")
      throw Unreadable("it has a key that is not known: " + std::string(member.key()));
  const json::value* operations = top.if_contains("operations");
  if (operations == nullptr || !operations->is_array())
    throw Unreadable("it is no migration: it has no list of operations");
  const json::array& items = operations->get_array();
  for (std::size_t i = 0; i < items.size(); ++i)
    Take(items[i], i < document_.lines.size() ? document_.lines[i] : 1);
  if (!complete_.empty()) {
    PutAt(0, std::string(kGate));
    PutAt(0, "-- pgalter:up");
    for (const std::string& text : complete_) PutAt(0, text);
  }
  if (can_be_taken_back_ && !down_.empty()) {
    PutAt(0, "-- pgalter:down");
    for (const std::string& text : down_) PutAt(0, text);
  }
  return std::move(text_);
}

Script Read(const Source& source) {
  std::string text;
  std::string problem;
  try {
    const Document document = ReadDocument(source.text);
    text = Writing(document).Write();
  } catch (const Unreadable& unreadable) {
    problem = unreadable.what();
    text.clear();
  }
  Script script = FindFormat("pgalter")->read({source.folder, source.file, text});
  script.problem = std::move(problem);
  script.down_text = text;
  script.up_text = std::move(text);
  return script;
}

}  // namespace

extern const Format kPgroll;
const Format kPgroll{.name = "pgroll",
                     .marks_folder = &MarksFolder,
                     .marks_text = &MarksText,
                     .order = &Order,
                     .read = &Read,
                     .own_text = true};

}  // namespace pgalter::formats
