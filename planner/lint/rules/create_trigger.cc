#include <algorithm>
#include <string_view>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

bool IsOfName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The column of `NEW.column :=` at that place, where `NEW.` begins; empty: it is no assignment.
std::string AssignedAt(std::string_view body, std::size_t at) {
  std::string column;
  for (at += 4; at < body.size() && IsOfName(body[at]); ++at) column += Lower(body[at]);
  while (at < body.size() && (body[at] == ' ' || body[at] == '\t')) ++at;
  return body.substr(at).starts_with(":=") ? column : "";
}

// What a function gives a value to that the table does not have. A function of several tables may
// tell them apart.
std::string MissingColumn(const catalog::Function& function, const catalog::Table& table) {
  std::string body = function.body;
  std::ranges::transform(body, body.begin(), Lower);
  if (function.language != "plpgsql" || body.find("tg_table_name") != std::string::npos ||
      body.find("tg_relid") != std::string::npos || body.find("tg_argv") != std::string::npos)
    return "";
  for (std::size_t at = body.find("new."); at != std::string::npos;
       at = body.find("new.", at + 1)) {
    if (at > 0 && IsOfName(body[at - 1])) continue;
    const std::string column = AssignedAt(body, at);
    if (!column.empty() && table.FindColumn(column) == nullptr) return column;
  }
  return "";
}

void CheckFunction(const Context& context, const sql::ast::CreateTrigger& create,
                   const Reporter& report) {
  const catalog::Table* table = context.schema.FindTable(create.table);
  std::vector<std::string> name{create.function.name};
  if (create.function.schema) name.insert(name.begin(), *create.function.schema);
  const catalog::Function* function = context.schema.FindFunction(name, 0);
  if (table == nullptr || !table->complete || function == nullptr || !create.row) return;
  const std::string column = MissingColumn(*function, *table);
  if (column.empty()) return;
  Remark remark;
  remark.severity = Severity::kError;
  remark.message = fmt::format("{} writes to {}, which {} does not have: every write fails",
                               create.function.name, column, Context::Show(create.table));
  remark.remedy = "Add the column first, or use another function.";
  report(std::move(remark));
}

void Check(const Context& context, const Reporter& report) {
  const auto* create = context.statement.As<sql::ast::CreateTrigger>();
  if (create == nullptr || !context.Existing(create->table)) return;
  CheckFunction(context, *create, report);
  const std::string table = Context::Show(create->table);
  Remark remark;
  remark.message = fmt::format("nobody writes {} while this waits for its lock", table);
  remark.lock = LockTaken{locks::LockMode::kShareRowExclusive, table};
  report(std::move(remark));
}

}  // namespace

constinit const Rule kCreateTrigger{
    .id = "create-trigger",
    .title = "Trigger created on a table in use",
    .category = Category::kLock,
    .severity = Severity::kNote,
    .effect =
        "SHARE ROW EXCLUSIVE for an instant: reads go on, writes wait until the lock is had. "
        "Afterwards every write runs the function.",
    .remedy = "Nothing where a lock_timeout is set and the function is known to be fast.",
    .check = &Check};

}  // namespace pgalter::lint
