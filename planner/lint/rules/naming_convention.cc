#include <algorithm>
#include <regex>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

struct Named {
  std::string_view kind;
  std::string name;
};

// Needs no quotes.
bool IsPlain(const std::string& name) {
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool Follows(const Named& named, const Options& options) {
  const auto pattern = options.naming.find(named.kind);
  if (pattern == options.naming.end())
    return IsPlain(named.name) || !options.on.contains("naming-convention");
  try {
    return std::regex_search(named.name, std::regex(pattern->second, std::regex::ECMAScript));
  } catch (const std::regex_error&) {
    return true;  // whoever reads the configuration refuses it
  }
}

std::vector<Named> NewNames(const Context& context) {
  std::vector<Named> names;
  const auto& statement = context.statement;
  if (const auto* table = statement.As<sql::ast::CreateTable>())
    names.push_back({"table", table->name.name});
  if (const auto* table = statement.As<sql::ast::CreateTableAs>())
    names.push_back({table->materialized_view ? "view" : "table", table->name.name});
  if (const auto* index = statement.As<sql::ast::CreateIndex>())
    names.push_back({"index", index->name});
  if (const auto* view = statement.As<sql::ast::CreateView>())
    names.push_back({"view", view->name.name});
  if (const auto* sequence = statement.As<sql::ast::Sequence>(); sequence && sequence->create)
    names.push_back({"sequence", sequence->name.name});
  if (const auto* type = statement.As<sql::ast::CreateType>())
    names.push_back({"type", type->name.name});
  if (const auto* schema = statement.As<sql::ast::CreateSchema>())
    names.push_back({"schema", schema->name});
  if (const auto* function = statement.As<sql::ast::CreateFunction>())
    names.push_back({"function", function->name.name});
  if (const auto* trigger = statement.As<sql::ast::CreateTrigger>())
    names.push_back({"trigger", trigger->name});
  ForEachNewColumn(context, [&](const auto&, const sql::ast::ColumnDefinition& column) {
    names.push_back({"column", column.name});
  });
  ForEachNewConstraint(context,
                       [&](const auto&, const sql::ast::Constraint& constraint, const auto&) {
                         names.push_back({"constraint", constraint.name});
                       });
  return names;
}

void Check(const Context& context, const Reporter& report) {
  for (const Named& named : NewNames(context))
    if (!named.name.empty() && !Follows(named, context.options))
      Say(report,
          fmt::format("the {} name {} does not follow the convention", named.kind, named.name));
}

}  // namespace

constinit const Rule kNamingConvention{
    .id = "naming-convention",
    .title = "Name that does not follow the convention",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "Names that differ in style are mistyped; names with capitals have to be quoted for ever.",
    .remedy = "Rename it before anybody uses it.",
    .check = &Check};

}  // namespace pgalter::lint
