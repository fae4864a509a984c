#include <algorithm>
#include <array>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

// A serial column is an integer.
std::string Stored(const sql::ast::TypeName& type) {
  if (!sql::ast::IsSerial(type)) return type.name;
  if (type.name.find("big") == 0 || type.name == "serial8") return "int8";
  return type.name == "serial" || type.name == "serial4" ? "int4" : "int2";
}

std::string TypeOf(const Context& context, const catalog::QualifiedName& table,
                   const std::string& column) {
  std::string found;
  ForEachNewColumn(context, [&](const auto& name, const sql::ast::ColumnDefinition& definition) {
    if (name == table && definition.name == column) found = Stored(definition.type);
  });
  if (!found.empty()) return found;
  const catalog::Table* known = context.schema.FindTable(table);
  const catalog::Column* at = known == nullptr ? nullptr : known->FindColumn(column);
  return at == nullptr || !at->known ? "" : Stored(at->type);
}

std::vector<std::string> TargetColumns(const Context& context, const sql::ast::ForeignKey& key) {
  if (!key.target_columns.empty()) return key.target_columns;
  const catalog::Table* target = context.schema.FindTable(key.target);
  const catalog::Constraint* primary = target == nullptr ? nullptr : target->PrimaryKey();
  return primary == nullptr ? std::vector<std::string>{} : primary->definition.columns;
}

// Types of one row have an equality among them; those of two do not.
bool CannotBeCompared(const std::string& one, const std::string& other) {
  using Kind = std::vector<std::string_view>;
  static const std::array<Kind, 7> kKinds{{{"int2", "int4", "int8", "numeric", "float4", "float8"},
                                           {"text", "varchar", "bpchar"},
                                           {"date", "timestamp", "timestamptz"},
                                           {"uuid"},
                                           {"bool"},
                                           {"bytea"},
                                           {"inet", "cidr"}}};
  const auto kind = [](const std::string& type) {
    return std::ranges::find_if(
        kKinds, [&](const Kind& types) { return std::ranges::find(types, type) != types.end(); });
  };
  return kind(one) != kKinds.end() && kind(other) != kKinds.end() && kind(one) != kind(other);
}

void Check(const Context& context, const Reporter& report) {
  ForEachNewConstraint(context, [&](const auto& table, const sql::ast::Constraint& constraint,
                                    const std::vector<std::string>& columns) {
    if (!constraint.foreign_key) return;
    const auto& target = constraint.foreign_key->target;
    const auto targets = TargetColumns(context, *constraint.foreign_key);
    for (std::size_t i = 0; i < std::min(columns.size(), targets.size()); ++i) {
      const std::string from = TypeOf(context, table, columns[i]);
      const std::string to = TypeOf(context, target, targets[i]);
      if (from.empty() || to.empty() || from == to) continue;
      Remark remark;
      remark.message =
          fmt::format("{}.{} is {}, and references {}.{}, which is {}", Context::Show(table),
                      columns[i], from, Context::Show(target), targets[i], to);
      if (CannotBeCompared(from, to)) {
        remark.severity = Severity::kError;
        remark.message += ": the server refuses a key between types that it cannot compare";
      }
      report(std::move(remark));
    }
  });
}

}  // namespace

constinit const Rule kFkTypeMismatch{
    .id = "fk-type-mismatch",
    .title = "Foreign key of another type than its target",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "The values of the wider side do not fit the other; comparisons need a cast, and joins "
        "may miss an index.",
    .remedy = "The same type on both sides.",
    .check = &Check};

}  // namespace pgalter::lint
