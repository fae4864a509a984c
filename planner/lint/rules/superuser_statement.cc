#include <algorithm>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

constexpr std::string_view kTags[] = {"ALTER SYSTEM",
                                      "CREATE EVENT TRIGGER",
                                      "CREATE TABLESPACE",
                                      "CREATE LANGUAGE",
                                      "CREATE ACCESS METHOD",
                                      "LOAD",
                                      "CREATE FOREIGN DATA WRAPPER"};

bool ReadsTheServersFiles(const sql::ast::Statement& statement) {
  const auto* copy = statement.As<sql::ast::Copy>();
  return copy != nullptr && !copy->stdin_or_stdout;
}

bool HasUntrustedLanguage(const sql::ast::Statement& statement) {
  const auto* function = statement.As<sql::ast::CreateFunction>();
  if (function == nullptr) return false;
  const std::string& language = function->language;
  return language == "c" || language == "internal" || language.ends_with('u');
}

void Check(const Context& context, const Reporter& report) {
  const auto& statement = context.statement;
  if (std::ranges::find(kTags, statement.tag) == std::end(kTags) &&
      !ReadsTheServersFiles(statement) && !HasUntrustedLanguage(statement))
    return;
  Say(report,
      fmt::format("{} needs a superuser here, or a role of the server's own", statement.tag));
}

}  // namespace

constinit const Rule kSuperuserStatement{
    .id = "superuser-statement",
    .title = "Statement for a superuser",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "It fails for a role without that right: on managed services nobody has it.",
    .remedy = "Run it apart from the migrations, by whoever runs the server.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
