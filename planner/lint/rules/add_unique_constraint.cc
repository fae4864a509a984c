#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

// As two statements, where the constraint is plain and has a name that the index can take.
std::vector<Edit> Fix(const Context& context, const sql::ast::TableCommand& command) {
  const auto* alter = context.statement.As<sql::ast::AlterTable>();
  if (context.embedded || context.transaction.open() || alter == nullptr) return {};
  if (alter->commands.size() != 1 || !command.constraint) return {};
  const sql::ast::Constraint& unique = *command.constraint;
  if (unique.name.empty() || unique.columns.empty() || !unique.included.empty()) return {};
  if (unique.deferrable || unique.nulls_not_distinct || unique.without_overlaps) return {};
  if (IsPartitioned(context, alter->name)) return {};
  std::string columns;
  for (const std::string& column : unique.columns) {
    // What is not in the text was a placeholder, or written in another case.
    if (context.text.find(column) == std::string_view::npos) return {};
    columns += (columns.empty() ? "" : ", ") + sql::QuoteIdentifier(column);
  }
  if (context.text.find(alter->name.name) == std::string_view::npos) return {};
  const std::string name = sql::QuoteIdentifier(unique.name);
  const std::string table = sql::ToString(alter->name);
  return {{context.span, fmt::format("CREATE UNIQUE INDEX CONCURRENTLY {} ON {} ({});\n"
                                     "ALTER TABLE {} ADD CONSTRAINT {} UNIQUE USING INDEX {}",
                                     name, table, columns, table, name, name)}};
}

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kUnique, [&](const locks::Work& work) {
    const auto* command = CommandOf(context, work);
    if (command == nullptr) return;
    const bool column = command->change == sql::ast::TableChange::kAddColumn;
    Remark remark = About(context, work,
                          fmt::format("{} builds an index while nobody can use {}",
                                      column ? fmt::format("UNIQUE at new column {}", command->name)
                                             : std::string("this unique constraint"),
                                      Context::Show(work.relation)));
    if (!column) remark.fix = Fix(context, *command);
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kAddUniqueConstraint{
    .id = "add-unique-constraint",
    .title = "Unique constraint that builds its index",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE while the index is built: nobody reads or writes the table meanwhile.",
    .remedy =
        "CREATE UNIQUE INDEX CONCURRENTLY, look whether it is valid, then ADD CONSTRAINT … UNIQUE "
        "USING INDEX, which takes an instant.",
    .check = &Check};

}  // namespace pgalter::lint
