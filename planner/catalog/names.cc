#include <algorithm>
#include <string_view>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;

constexpr std::size_t kLongestName = 63;  // bytes

// Cuts no character in two.
std::string Clipped(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes);
}

// name1_name2_label within 63 bytes: the longer of the two names gives way.
std::string ObjectName(const std::string& first, const std::string& second,
                       const std::string& label) {
  std::size_t overhead = label.empty() ? 0 : label.size() + 1;
  if (!second.empty()) ++overhead;
  std::size_t first_size = first.size();
  std::size_t second_size = second.size();
  while (first_size + second_size + overhead > kLongestName) {
    if (first_size > second_size) {
      --first_size;
    } else {
      --second_size;
    }
  }
  std::string name = Clipped(first, first_size);
  if (!second.empty()) name.append("_").append(Clipped(second, second_size));
  if (!label.empty()) name.append("_").append(label);
  return name;
}

// As the server joins columns into a name: it stops once the name is long enough.
std::string Joined(const std::vector<std::string>& columns) {
  std::string joined;
  for (const std::string& column : columns) {
    if (!joined.empty()) joined += '_';
    joined += column;
    if (joined.size() > kLongestName) break;
  }
  return joined;
}

// What the server calls an expression of an index: after the function at its top, if there is one.
std::string ExpressionName(const sql::ast::Expression& expression) {
  std::string_view text = expression.text;
  while (text.starts_with('(') && text.ends_with(')')) text = text.substr(1, text.size() - 2);
  // A cast is called what it casts.
  for (const sql::ColumnUse& use : expression.facts.columns)
    if (text.starts_with(use.name + "::") &&
        text.find_first_of(" ()+-*/") == std::string_view::npos)
      return use.name;
  const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.");
  if (end == 0 || end == std::string_view::npos || text[end] != '(' || !text.ends_with(')'))
    return "expr";
  const std::string_view called = text.substr(0, end);
  return std::string(called.substr(called.rfind('.') + 1));
}

std::string_view Label(ConstraintKind kind) {
  switch (kind) {
    case ConstraintKind::kPrimaryKey:
      return "pkey";
    case ConstraintKind::kUnique:
      return "key";
    case ConstraintKind::kExclude:
      return "excl";
    case ConstraintKind::kForeignKey:
      return "fkey";
    case ConstraintKind::kNotNull:
      return "not_null";
    default:
      return "check";
  }
}

}  // namespace

bool Change::RelationExists(const std::string& schema, const std::string& name) const {
  const std::string key = Key(schema, name);
  return schema_.tables_.contains(key) || schema_.index_tables_.contains(key);
}

std::string Change::RelationName(const QualifiedName& table, const std::string& columns,
                                 const std::string& label) const {
  const std::string schema = table.schema.value_or("");
  std::string name = ObjectName(table.name, columns, label);
  for (int number = 1; RelationExists(schema, name); ++number)
    name = ObjectName(table.name, columns, label + std::to_string(number));
  return name;
}

std::string Change::ConstraintName(const Table& table,
                                   const sql::ast::Constraint& constraint) const {
  const std::string label(Label(constraint.kind));
  std::string columns;
  switch (constraint.kind) {
    case ConstraintKind::kPrimaryKey:
      break;
    case ConstraintKind::kCheck: {
      // Named after its column only where it reads one alone.
      if (!constraint.expression) break;
      const auto& uses = constraint.expression->facts.columns;
      if (!uses.empty() && std::ranges::all_of(uses, [&](const sql::ColumnUse& use) {
            return use.name == uses.front().name;
          }))
        columns = uses.front().name;
      break;
    }
    default: {
      std::vector<std::string> all = constraint.columns;
      all.insert(all.end(), constraint.included.begin(), constraint.included.end());
      columns = Joined(all);
    }
  }
  const std::string schema = table.name.schema.value_or("");
  const bool has_index = constraint.kind == ConstraintKind::kPrimaryKey ||
                         constraint.kind == ConstraintKind::kUnique ||
                         constraint.kind == ConstraintKind::kExclude;
  std::string name = ObjectName(table.name.name, columns, label);
  for (int number = 1;
       table.FindConstraint(name) != nullptr || (has_index && RelationExists(schema, name));
       ++number)
    name = ObjectName(table.name.name, columns, label + std::to_string(number));
  return name;
}

std::string Change::IndexName(const Table& table, const std::vector<sql::ast::IndexColumn>& columns,
                              const std::vector<std::string>& included) const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    std::string unique = name;
    for (int number = 1; std::ranges::find(names, unique) != names.end(); ++number)
      unique = name + std::to_string(number);
    names.push_back(std::move(unique));
  };
  for (const sql::ast::IndexColumn& column : columns) {
    if (column.column.empty()) {
      add(column.expression ? ExpressionName(*column.expression) : "expr");
    } else {
      add(column.column);
    }
  }
  for (const std::string& column : included) add(column);
  return RelationName(table.name, Joined(names), "idx");
}

}  // namespace pgalter::catalog
