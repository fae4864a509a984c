#include "migrations/convert/liquibase_tree.h"

#include <algorithm>
#include <array>

#include "migrations/convert/draft.h"
#include "migrations/formats/reader.h"
#include "migrations/formats/text.h"

namespace pgalter::convert {

namespace {

using formats::SameWord;
using formats::Trim;
using std::string_view_literals::operator""sv;

bool Says(const Node& node, std::string_view key, std::string_view value) {
  return SameWord(Trim(node.Attribute(key)), value);
}

class Changelog {
 public:
  Changelog(const std::string& file, const TextOf& text_of, Properties& properties)
      : file_(file), text_of_(text_of), properties_(properties) {}

  std::vector<Entry> ReadTree(const Node& root);
  std::vector<Entry> ReadSql(const std::string& text);

 private:
  Changeset ReadChangeset(const Node& node);
  void TakeChange(Changeset& changeset, const Node& node);
  void TakeRollback(Changeset& changeset, const Node& node);
  // The SQL of <sql> or <sqlFile>; nothing: it is another kind of change.
  std::optional<std::string> SqlOf(Changeset& changeset, const Node& node);
  void TakeProperty(const Node& node);
  [[nodiscard]] std::string Filled(std::string text) const;

  const std::string& file_;
  const TextOf& text_of_;
  Properties& properties_;
};

std::string Changelog::Filled(std::string text) const {
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) break;
    const auto found = properties_.find(text.substr(at + 2, end - at - 2));
    if (found == properties_.end()) {
      at = end;
      continue;
    }
    text.replace(at, end + 1 - at, found->second);
    at += found->second.size();
  }
  return text;
}

void Changelog::TakeProperty(const Node& node) {
  if (!IsForPostgres(node.Attribute("dbms"))) return;
  if (node.Attribute("name").empty())
    throw Unreadable("a property from a file is not read: give it a name and a value");
  properties_.try_emplace(node.Attribute("name"), node.Attribute("value"));  // the first counts
}

std::optional<std::string> Changelog::SqlOf(Changeset& changeset, const Node& node) {
  std::string text;
  if (node.name == "sql") {
    text = node.text + node.Attribute("sql");
  } else if (node.name == "sqlFile") {
    const std::string path = node.Attribute("path");
    auto found = text_of_(path, Says(node, "relativeToChangelogFile", "true"));
    if (!found) {
      changeset.unread.push_back("sqlFile " + path + ", which is not there");
      return "";
    }
    text = *std::move(found);
  } else {
    return std::nullopt;
  }
  if (!IsForPostgres(node.Attribute("dbms"))) return "";
  text = Filled(std::move(text));
  const sql::Span whole{0, text.size()};
  if (const std::string mark = node.Attribute("endDelimiter"); !mark.empty()) {
    formats::ReplaceDelimiter(text, whole, mark);
  } else {
    for (const auto word : {"go"sv, "/"sv}) formats::ReplaceDelimiter(text, whole, word);
  }
  return Terminated(std::move(text)) + "\n";
}

void Changelog::TakeRollback(Changeset& changeset, const Node& node) {
  std::string text = node.text;
  if (Trim(text).empty()) text.clear();
  for (const Node& child : node.children) {
    if (const auto sql = SqlOf(changeset, child)) {
      text += *sql;
    } else if (child.name != "comment" && child.name != "empty") {
      changeset.unread.push_back("rollback by " + child.name);
    }
  }
  if (!text.empty()) changeset.down += Terminated(Filled(std::move(text))) + "\n";
}

void Changelog::TakeChange(Changeset& changeset, const Node& node) {
  constexpr std::array kNothing{"validCheckSum"sv, "empty"sv, "tagDatabase"sv, "output"sv};
  if (node.name == "changes") {
    for (const Node& change : node.children) TakeChange(changeset, change);
  } else if (const auto sql = SqlOf(changeset, node)) {
    changeset.up += *sql;
  } else if (node.name == "comment") {
    changeset.title = Trim(node.text);
  } else if (node.name == "rollback") {
    TakeRollback(changeset, node);
  } else if (node.name == "preConditions") {
    changeset.conditions.emplace_back("preConditions");
  } else if (std::ranges::find(kNothing, node.name) == kNothing.end()) {
    changeset.unread.push_back(node.name);
  }
}

Changeset Changelog::ReadChangeset(const Node& node) {
  Changeset changeset;
  changeset.file = node.Attribute("logicalFilePath");
  changeset.id = node.Attribute("id");
  changeset.author = node.Attribute("author");
  changeset.title = node.Attribute("comment");
  changeset.transaction = !Says(node, "runInTransaction", "false");
  changeset.ours = IsForPostgres(node.Attribute("dbms"));
  for (const auto key : {"context"sv, "contextFilter"sv, "labels"sv})
    if (!node.Attribute(key).empty()) changeset.conditions.emplace_back(key);
  for (const auto key : {"runAlways"sv, "runOnChange"sv})
    if (Says(node, key, "true")) changeset.conditions.emplace_back(key);
  // YAML has a rollback of one statement as a value.
  if (const std::string sql = node.Attribute("rollback"); !sql.empty())
    changeset.down = Terminated(Filled(sql)) + "\n";
  for (const Node& child : node.children) TakeChange(changeset, child);
  return changeset;
}

std::vector<Entry> Changelog::ReadTree(const Node& root) {
  if (root.name != "databaseChangeLog")
    throw Unreadable("line 1: it is no changelog: its root is " + root.name);
  std::vector<Entry> entries;
  for (const Node& node : root.children) {
    if (node.name == "property") TakeProperty(node);
    Entry entry;
    const bool all = node.name == "includeAll";
    if (node.name == "changeSet") {
      entry.changeset = ReadChangeset(node);
      if (entry.changeset->file.empty()) entry.changeset->file = root.Attribute("logicalFilePath");
      if (entry.changeset->file.empty()) entry.changeset->file = file_;
    } else if (node.name == "include" || all) {
      entry.inclusion = {Filled(node.Attribute(all ? "path" : "file")),
                         Says(node, "relativeToChangelogFile", "true"), all};
    } else {
      continue;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

// "author:id key:value ...", on the line before its statements.
void TakeHead(Changeset& changeset, std::string_view text, std::size_t body) {
  const std::size_t end = text.find_last_not_of("\r\n", body == 0 ? 0 : body - 1);
  const std::size_t begin = text.find_last_of("\r\n", end);
  const std::size_t from = begin == std::string_view::npos ? 0 : begin + 1;
  const auto head = formats::AfterMark(text.substr(from, end + 1 - from), "changeset");
  if (!head) return;
  const std::vector<std::string> words = formats::Words(*head);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t colon = words[i].find(':');
    const std::string key = words[i].substr(0, colon);
    const std::string value = colon == std::string::npos ? "" : words[i].substr(colon + 1);
    if (i == 0) {
      changeset.author = key;
      changeset.id = value;
    }
    for (const auto known : {"context"sv, "contextFilter"sv, "labels"sv})
      if (i > 0 && SameWord(key, known)) changeset.conditions.emplace_back(known);
    for (const auto known : {"runAlways"sv, "runOnChange"sv})
      if (i > 0 && SameWord(key, known) && SameWord(value, "true"))
        changeset.conditions.emplace_back(known);
    if (SameWord(key, "logicalFilePath")) changeset.file = value;
  }
}

std::vector<Entry> Changelog::ReadSql(const std::string& text) {
  std::vector<Entry> entries;
  formats::Reader up({"liquibase", formats::Direction::kUp});
  up.AddText(text);
  formats::Reader down({"liquibase", formats::Direction::kDown});
  down.AddText(text);
  const formats::Migrations ways_up = up.Take();
  const formats::Migrations ways_down = down.Take();
  const formats::File& file = ways_up.files.front();
  const bool formatted = formats::HasMark(text, "liquibase formatted sql");
  for (const lint::Part& part : file.parts) {
    if (formatted && part.span.begin == 0) continue;  // none is for PostgreSQL
    Changeset changeset;
    changeset.file = file_;
    changeset.author = "includeAll";
    changeset.id = "raw";
    changeset.transaction = part.sending == lint::Sending::kTransaction;
    TakeHead(changeset, text, part.span.begin);
    const auto body = formats::Cut(file.text, part.span);
    changeset.up = Terminated(Filled(std::string(body))) + "\n";
    if (formatted && formats::HasMark(body, "precondition"))
      changeset.conditions.emplace_back("preconditions");
    for (const formats::File& way : ways_down.files)
      if (way.judged && way.parts.front().span.begin == part.span.begin)
        changeset.down = Terminated(Filled(std::string(formats::Cut(way.text, part.span)))) + "\n";
    entries.push_back({std::move(changeset), std::nullopt});
  }
  return entries;
}

}  // namespace

bool IsChangelogName(std::string_view file) {
  return file.ends_with(".xml") || file.ends_with(".yaml") || file.ends_with(".yml") ||
         file.ends_with(".json");
}

bool IsForPostgres(std::string_view dbms) {
  std::string names(dbms);
  std::ranges::replace(names, ',', ' ');
  bool any = false;
  bool only_excluded = true;
  for (const std::string& name : formats::Words(names)) {
    if (SameWord(name, "!postgresql") || SameWord(name, "none")) return false;
    if (!name.starts_with('!')) only_excluded = false;
    any = any || SameWord(name, "postgresql") || SameWord(name, "all");
  }
  return any || only_excluded;
}

std::vector<Entry> ReadChangelog(const std::string& file, const std::string& text,
                                 const TextOf& text_of, Properties& properties) {
  Changelog changelog(file, text_of, properties);
  if (file.ends_with(".xml")) return changelog.ReadTree(ReadXml(text));
  if (file.ends_with(".json")) return changelog.ReadTree(ReadJson(text));
  if (IsChangelogName(file)) return changelog.ReadTree(ReadYaml(text));
  return changelog.ReadSql(text);
}

}  // namespace pgalter::convert
