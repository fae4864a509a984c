#include "planner/catalog/diagram.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <vector>

#include "planner/catalog/key.h"
#include "planner/sql/text.h"

namespace pgalter::catalog {

namespace {

using sql::ast::ConstraintKind;
using Columns = std::vector<std::string>;

bool IsPlain(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 && (c & 0x80) == 0; }

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Between quotes. Mermaid reads #…; as a character's number; of its own marks many have a meaning
// there too, and "direction TB" has one anywhere.
std::string Quoted(std::string_view text) {
  const bool direction = Lower(std::string(text)).find("direction") != std::string::npos;
  std::string quoted = "\"";
  for (const char c : text) {
    const bool plain = IsPlain(c) || (c & 0x80) != 0 || c == '_' || c == '-' || c == '.' ||
                       c == ',' || c == '(' || c == ')' || c == '[' || c == ']' ||
                       (c == ' ' && !direction);
    quoted += plain ? std::string(1, c) : fmt::format("#{};", static_cast<int>(c));
  }
  return quoted + "\"";
}

// A column's name or type, which cannot be quoted. Those of Mermaid's own are none: PK, FK and UK
// in whatever case, with what is no letter behind them.
std::string Word(std::string_view text) {
  std::string word;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = std::max<std::size_t>(1, sql::CharacterSize(text.substr(at)));
    const char c = text[at];
    // Below U+00C0 there are no letters.
    const bool letter = size > 1 && static_cast<unsigned char>(c) >= 0xc3;
    const bool plain = IsPlain(c) || c == '_' ||
                       (at > 0 && (c == '-' || c == '(' || c == ')' || c == '[' || c == ']'));
    word += letter || plain ? std::string(text.substr(at, size)) : "_";
    at += size;
  }
  const std::string front = Lower(word.substr(0, 2));
  const bool key = (front == "pk" || front == "fk" || front == "uk") &&
                   (word.size() == 2 || !(IsPlain(word[2]) || word[2] == '_'));
  const bool digit = !word.empty() && std::isdigit(static_cast<unsigned char>(word[0])) != 0;
  return word.empty() || key || digit ? "_" + word : word;
}

bool Contains(const Columns& columns, const std::string& name) {
  return std::ranges::find(columns, name) != columns.end();
}

bool Within(const Columns& some, const Columns& all) {
  return !some.empty() &&
         std::ranges::all_of(some, [&](const std::string& name) { return Contains(all, name); });
}

// The columns of each key that no two rows share; a key over an expression, or over some rows, says
// nothing of all.
std::vector<Columns> KeysOf(const Table& table) {
  std::vector<Columns> keys;
  for (const Constraint& constraint : table.constraints) {
    const auto& definition = constraint.definition;
    const bool unique = definition.kind == ConstraintKind::kPrimaryKey ||
                        definition.kind == ConstraintKind::kUnique;
    if (unique && !definition.without_overlaps) keys.push_back(definition.columns);
  }
  for (const Index& index : table.indexes) {
    if (!index.unique || !index.valid || index.constraint || index.where) continue;
    Columns columns;
    for (const auto& column : index.columns) columns.push_back(column.column);
    if (!Contains(columns, "")) keys.push_back(std::move(columns));
  }
  return keys;
}

class Drawing {
 public:
  Drawing(const Schema& schema, const std::set<std::string>& left_out)
      : schema_(schema), left_out_(left_out) {}

  std::string Draw() {
    for (const auto& [key, table] : schema_.tables())
      if (IsDrawn(table)) AddTable(table);
    std::ranges::sort(relations_);
    std::string text = "erDiagram\n" + entities_;
    for (const std::string& relation : relations_) text += relation;
    return text;
  }

 private:
  [[nodiscard]] bool IsDrawn(const Table& table) const;
  [[nodiscard]] const Table* Whole(const Table* table) const;
  static std::string NameOf(const Table& table);
  static std::string ColumnLine(const Table& table, const Column& column,
                                const std::vector<Columns>& keys);
  void AddTable(const Table& table);
  void AddRelation(const Table& table, const Constraint& constraint,
                   const std::vector<Columns>& keys);

  const Schema& schema_;
  const std::set<std::string>& left_out_;
  std::string entities_;
  std::vector<std::string> relations_;
};

bool Drawing::IsDrawn(const Table& table) const {
  const bool kind = table.kind == TableKind::kTable || table.kind == TableKind::kPartitioned ||
                    table.kind == TableKind::kForeign;
  return kind && !table.parent && !left_out_.contains(Key(table.name));
}

// What a partition belongs to, from the top.
const Table* Drawing::Whole(const Table* table) const {
  while (table != nullptr && table->parent) table = schema_.FindTable(*table->parent);
  return table;
}

std::string Drawing::NameOf(const Table& table) {
  const std::string schema = table.name.schema.value_or("");
  if (schema.empty() || schema == "public") return Quoted(table.name.name);
  return Quoted(schema + "." + table.name.name);
}

std::string Drawing::ColumnLine(const Table& table, const Column& column,
                                const std::vector<Columns>& keys) {
  const Constraint* primary = table.PrimaryKey();
  Columns marks;
  if (primary != nullptr && Contains(primary->definition.columns, column.name))
    marks.emplace_back("PK");
  if (std::ranges::any_of(table.constraints, [&](const Constraint& constraint) {
        return constraint.definition.kind == ConstraintKind::kForeignKey &&
               Contains(constraint.definition.columns, column.name);
      }))
    marks.emplace_back("FK");
  const Columns alone{column.name};
  const bool primary_alone = primary != nullptr && primary->definition.columns == alone;
  if (!primary_alone && std::ranges::find(keys, alone) != keys.end()) marks.emplace_back("UK");
  const std::string type = column.known ? sql::ast::ToString(column.type) : "unknown";
  Columns said;
  if (Word(column.name) != column.name) said.push_back(column.name);
  if (Word(type) != type) said.push_back(type);
  if (column.not_null && !Contains(marks, "PK")) said.emplace_back("not null");
  std::string line = fmt::format("    {} {}", Word(type), Word(column.name));
  if (!marks.empty()) line += fmt::format(" {}", fmt::join(marks, ", "));
  if (!said.empty()) line += " " + Quoted(fmt::format("{}", fmt::join(said, ", ")));
  return line + "\n";
}

void Drawing::AddTable(const Table& table) {
  const std::vector<Columns> keys = KeysOf(table);
  entities_ += fmt::format("  {} {{\n", NameOf(table));
  for (const Column& column : table.columns) entities_ += ColumnLine(table, column, keys);
  entities_ += "  }\n";
  for (const Constraint& constraint : table.constraints)
    if (constraint.definition.foreign_key) AddRelation(table, constraint, keys);
}

// From the table that is referred to. A row has none of it where a column may be NULL, and it has
// one row at most where the columns hold a key; a line is whole where they are of the primary key.
void Drawing::AddRelation(const Table& table, const Constraint& constraint,
                          const std::vector<Columns>& keys) {
  const Table* target = Whole(schema_.FindTable(constraint.definition.foreign_key->target));
  if (target == nullptr || !IsDrawn(*target)) return;
  const Columns& columns = constraint.definition.columns;
  const bool maybe = std::ranges::any_of(columns, [&](const std::string& name) {
    const Column* column = table.FindColumn(name);
    return column == nullptr || !column->not_null;
  });
  const bool one =
      std::ranges::any_of(keys, [&](const Columns& key) { return Within(key, columns); });
  const Constraint* primary = table.PrimaryKey();
  const bool identifying = primary != nullptr && Within(columns, primary->definition.columns);
  relations_.push_back(fmt::format("  {} {}{}{} {} : {}\n", NameOf(*target), maybe ? "|o" : "||",
                                   identifying ? "--" : "..", one ? "o|" : "o{", NameOf(table),
                                   Quoted(constraint.name)));
}

}  // namespace

std::string Diagram(const Schema& schema, const std::set<std::string>& left_out) {
  return Drawing(schema, left_out).Draw();
}

}  // namespace pgalter::catalog
