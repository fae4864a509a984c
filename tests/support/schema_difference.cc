#include "tests/support/schema_difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

namespace pgalter::test {
namespace {

using catalog::Table;
using catalog::TableKind;
using sql::QualifiedName;
using sql::ast::ConstraintKind;
using Lines = std::set<std::string>;

std::string Text(const QualifiedName& name) { return name.schema.value_or("?") + "." + name.name; }

// The server does not keep how many dimensions were written.
std::string Text(sql::ast::TypeName type) {
  type.array_dimensions = std::min(type.array_dimensions, 1);
  return ToString(type);
}

std::string Text(const catalog::Column& column) {
  std::vector<std::string> from = column.generated_from;
  std::ranges::sort(from);
  return fmt::format("{} {}{}{}{}{}{}{}", column.name, Text(column.type),
                     column.collation.empty() ? "" : " collate " + column.collation,
                     column.not_null ? " not-null" : "", column.has_default ? " default" : "",
                     column.identity ? " identity" : "",
                     column.generated ? fmt::format(" generated({})", fmt::join(from, ",")) : "",
                     column.local ? "" : " inherited");
}

// A number may come back as a string of the key's type.
std::vector<std::string> Unquoted(std::vector<std::string> values) {
  for (std::string& value : values) std::erase(value, '\'');
  return values;
}

std::string Text(const sql::ast::PartitionBound& bound) {
  return fmt::format("{}({})({})({}) {}/{}", bound.is_default ? "default" : "",
                     fmt::join(Unquoted(bound.from), ","), fmt::join(Unquoted(bound.to), ","),
                     fmt::join(Unquoted(bound.values), ","), bound.modulus, bound.remainder);
}

std::string Text(const sql::ast::PartitionBy& by) {
  return fmt::format("{}({})", by.strategy, fmt::join(by.columns, ","));
}

std::string Text(const catalog::Constraint& constraint) {
  const sql::ast::Constraint& definition = constraint.definition;
  std::vector<std::string> columns = definition.columns;
  if (definition.kind == ConstraintKind::kCheck) std::ranges::sort(columns);
  std::string text = fmt::format(
      "{} kind={} ({}) include({}){}{}{}{}{}", constraint.name, static_cast<int>(definition.kind),
      fmt::join(columns, ","), fmt::join(definition.included, ","),
      constraint.valid ? "" : " not-valid", definition.deferrable ? " deferrable" : "",
      definition.initially_deferred ? " deferred" : "", definition.no_inherit ? " no-inherit" : "",
      constraint.local ? "" : " inherited");
  if (const auto& key = definition.foreign_key)
    text += fmt::format(" -> {}({}) delete={} update={} parent={}", Text(key->target),
                        fmt::join(key->target_columns, ","), static_cast<int>(key->on_delete),
                        static_cast<int>(key->on_update), constraint.parent);
  return text;
}

std::string Text(const catalog::Index& index, const Table& table) {
  std::string parts;
  for (const sql::ast::IndexColumn& part : index.columns)
    parts += fmt::format("{}{}{}{} ", part.column.empty() ? "(expression)" : part.column,
                         part.operator_class.name.empty() ? "" : " " + part.operator_class.name,
                         part.descending ? " desc" : "", part.nulls_first ? " nulls-first" : "");
  std::string options;
  for (const auto& [option, value] : index.options) options += fmt::format(" {}={}", option, value);
  std::vector<std::string> mentions;
  for (const catalog::Column& column : table.columns)
    if (index.Mentions(column.name)) mentions.push_back(column.name);
  std::ranges::sort(mentions);
  return fmt::format("{}{}{}{} {} ({}) include({}){} mentions({}){}{}", Text(index.name),
                     index.unique ? " unique" : "", index.valid ? "" : " invalid",
                     index.constraint ? " constraint" : "", index.method, parts,
                     fmt::join(index.included, ","), index.where ? " partial" : "",
                     fmt::join(mentions, ","), index.parent ? " of " + Text(*index.parent) : "",
                     options);
}

bool IsView(const Table& table) {
  return table.kind == TableKind::kView || table.kind == TableKind::kMaterializedView;
}

// Takes out of each what the other does not know.
void LeaveWhatBothKnow(Table& known, Table& live) {
  if (known.owner.empty()) live.owner.clear();
  if (IsView(known) || !known.complete || known.kind == TableKind::kSequence) {
    known.columns.clear();
    live.columns.clear();
  }
  for (Table* table : {&known, &live}) {
    // A table's sequences go with it to UNLOGGED from PostgreSQL 15 on.
    if (table->kind == TableKind::kSequence) table->persistence = sql::ast::Persistence::kPermanent;
    std::erase_if(table->constraints, [](const catalog::Constraint& constraint) {
      return constraint.definition.kind == ConstraintKind::kNotNull;
    });
    // A partition has its parent's identity from PostgreSQL 17 on.
    if (table->parent)
      for (catalog::Column& column : table->columns) column.identity = false;
  }
}

Lines Describe(const Table& table) {
  Lines lines;
  const std::string name = Text(table.name);
  const auto add = [&](const std::string& what, const std::string& text) {
    lines.insert(fmt::format("{}: {} {}", name, what, text));
  };
  add("is", fmt::format("kind={} persistence={} row-security={}", static_cast<int>(table.kind),
                        static_cast<int>(table.persistence), table.row_security));
  if (!table.owner.empty()) add("owner", table.owner);
  if (!table.of_type.empty()) add("of", table.of_type);
  for (const catalog::Column& column : table.columns) add("column", Text(column));
  for (const catalog::Constraint& constraint : table.constraints)
    add("constraint", Text(constraint));
  for (const catalog::Index& index : table.indexes) add("index", Text(index, table));
  for (const catalog::Trigger& trigger : table.triggers) {
    std::vector<std::string> columns = trigger.columns;
    std::ranges::sort(columns);
    std::vector<std::string> read = trigger.columns_read;
    std::ranges::sort(read);
    add("trigger", fmt::format("{} of({}) reads({}) {}", trigger.name, fmt::join(columns, ","),
                               fmt::join(read, ","), trigger.function.name));
  }
  for (const std::string& policy : table.policies) add("policy", policy);
  for (const std::string& rule : table.rules) add("rule", rule);
  if (table.partition_by) add("partitioned by", Text(*table.partition_by));
  if (table.parent) add("partition of", Text(*table.parent));
  if (table.bound) add("bound", Text(*table.bound));
  for (const QualifiedName& parent : table.inherits) add("inherits", Text(parent));
  for (const QualifiedName& read : table.reads) add("reads", Text(read));
  if (table.owned_by) add("owned by", Text(*table.owned_by) + "." + table.owned_by_column);
  return lines;
}

// Each column that the view really reads must be known, if only by its name; what is said to be
// read of a certain table must really be.
void CompareViewColumns(const Table& known, const Table& live, std::vector<std::string>& said) {
  const auto names = [](const sql::ColumnUse& use) {
    return fmt::format("{}.{}.{}", use.schema, use.qualifier, use.name);
  };
  Lines certain;
  Lines by_name;
  bool star = false;
  for (const sql::ColumnUse& use : known.view_columns) {
    if (!use.schema.empty() && !use.whole_row) certain.insert(names(use));
    by_name.insert(use.name);
    star = star || use.whole_row || use.name.empty();
  }
  Lines really;
  for (const sql::ColumnUse& use : live.view_columns) {
    really.insert(names(use));
    if (!star && !certain.contains(names(use)) && !by_name.contains(use.name))
      said.push_back(fmt::format("+ {}: view column {}", Text(live.name), names(use)));
  }
  for (const std::string& use : certain)
    if (!really.contains(use))
      said.push_back(fmt::format("- {}: view column {}", Text(known.name), use));
}

template <class Object>
std::string DescribeDomain(const Object& domain) {
  Lines checks;
  for (const sql::ast::Constraint& constraint : domain.constraints)
    if (constraint.kind == ConstraintKind::kCheck)
      checks.insert(constraint.name + (constraint.not_valid ? " not-valid" : ""));
  return fmt::format("domain {} {}{}{} ({})", Text(domain.name), Text(domain.base),
                     domain.not_null ? " not-null" : "", domain.has_default ? " default" : "",
                     fmt::join(checks, ","));
}

std::string DescribeType(const catalog::Type& type) {
  std::vector<std::string> attributes;
  for (const catalog::Column& attribute : type.attributes) attributes.push_back(Text(attribute));
  return fmt::format("type {} shape={} ({}) ({})", Text(type.name), static_cast<int>(type.shape),
                     fmt::join(type.values, ","), fmt::join(attributes, ","));
}

Lines DescribeOthers(const catalog::Schema& schema) {
  Lines lines;
  for (const auto& [key, domain] : schema.domains()) lines.insert(DescribeDomain(domain));
  for (const auto& [key, type] : schema.types()) lines.insert(DescribeType(type));
  for (const auto& [name, overloads] : schema.functions())
    for (const catalog::Function& function : overloads)
      lines.insert(fmt::format("function {} {}/{} volatility={} {}", Text(function.name),
                               function.arguments, function.optional_arguments,
                               static_cast<int>(function.volatility), function.language));
  return lines;
}

void Compare(const Lines& known, const Lines& live, std::vector<std::string>& said) {
  for (const std::string& line : known)
    if (!live.contains(line)) said.push_back("- " + line);
  for (const std::string& line : live)
    if (!known.contains(line)) said.push_back("+ " + line);
}

}  // namespace

std::vector<std::string> Differences(const catalog::Schema& known, const catalog::Schema& live) {
  std::vector<std::string> said;
  for (const auto& [key, table] : known.tables())
    if (!live.tables().contains(key)) said.push_back("- table " + key);
  for (const auto& [key, table] : live.tables()) {
    const auto found = known.tables().find(key);
    if (found == known.tables().end()) {
      said.push_back("+ table " + key);
      continue;
    }
    Table mine = found->second;
    Table theirs = table;
    LeaveWhatBothKnow(mine, theirs);
    Compare(Describe(mine), Describe(theirs), said);
    // What a materialized view reads of its tables is not followed by columns.
    if (mine.kind == TableKind::kView) CompareViewColumns(mine, theirs, said);
  }
  Compare(DescribeOthers(known), DescribeOthers(live), said);
  return said;
}

}  // namespace pgalter::test
