#include <algorithm>
#include <array>

#include "planner/lint/rules/literals.h"

namespace pgalter::lint {

namespace {

// From here on, of a type that is as new as its value.
constexpr int kNewTypeAllowed = 17;

// Whether a literal in the statement can be of that type.
catalog::Truth MeansType(const Context& context, const std::string& type) {
  if (context.text.find(type) != std::string_view::npos) return catalog::Truth::kYes;
  bool all_known = true;
  for (const catalog::QualifiedName& name : TablesOf(context.statement)) {
    const catalog::Table* table = context.schema.FindTable(name);
    all_known = all_known && table != nullptr && table->complete;
    if (table == nullptr) continue;
    for (const catalog::Column& column : table->columns)
      if (column.type.name == type) return catalog::Truth::kYes;
  }
  return all_known ? catalog::Truth::kNo : catalog::Truth::kUnknown;
}

void Check(const Context& context, const Reporter& report) {
  const std::vector<std::string> literals = LiteralsOf(context.statement);
  for (const auto& added : context.transaction.enum_values()) {
    if (std::ranges::find(literals, added.value) == literals.end()) continue;
    if (added.type_is_new && context.options.server_version >= kNewTypeAllowed) continue;
    const catalog::Truth meant = MeansType(context, added.type);
    if (meant == catalog::Truth::kNo) continue;
    Remark remark;
    remark.severity = meant == catalog::Truth::kYes ? Severity::kError : Severity::kWarning;
    remark.message =
        fmt::format("'{}' was added to {} in this transaction and cannot be used in it",
                    added.value, added.type);
    report(std::move(remark));
    return;
  }
}

}  // namespace

constinit const Rule kEnumAddThenUse{
    .id = "enum-add-then-use",
    .title = "Enum value used in the transaction that adds it",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect =
        "The server refuses the value with 55P04 until the transaction that added it has "
        "committed.",
    .remedy = "ALTER TYPE … ADD VALUE in a transaction, or a migration, of its own.",
    .check = &Check};

}  // namespace pgalter::lint
