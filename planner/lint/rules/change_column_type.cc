#include <algorithm>
#include <array>
#include <set>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using locks::Reason;
using locks::Work;

struct Form {
  Reason reason;
  std::string_view message;  // column, table, what it is about
  std::string_view remedy;   // empty: the rule's
};

// The worst first: one finding a column is enough.
constexpr auto kForms = std::to_array<Form>({
    {Reason::kTypeChange, "the new type of {0} rewrites {1} and its indexes", ""},
    {Reason::kTypeChangeForeignKey,
     "the new type of {0} makes {1} and the table it refers to be compared again",
     "Drop the foreign key and change the type in one transaction; add it again NOT VALID, and "
     "VALIDATE it in another."},
    {Reason::kTypeChangeCheck, "the new type of {0} makes a CHECK read all of {1} again",
     "In one transaction drop the CHECK, change the type and add the CHECK again NOT VALID; "
     "VALIDATE it in another."},
    {Reason::kTypeChangeIndex,
     "the new type of {0} leaves the rows of {1} as they are, but builds an index on it anew",
     "Drop the index CONCURRENTLY, change the type, and build the index CONCURRENTLY."},
});

// timestamp to timestamptz and back keep the rows in such a session.
bool RowsStay(const Context& context, const Work& work, const sql::ast::TableCommand& command) {
  const std::string& zone = context.session.time_zone();
  const bool utc = zone == "UTC" || zone == "utc" || zone == "Etc/UTC" || zone == "GMT";
  if (!utc || work.certainty == locks::Certainty::kCertain || command.expression) return false;
  const catalog::Table* table = context.schema.FindTable(work.relation);
  const catalog::Column* column = table == nullptr ? nullptr : table->FindColumn(command.name);
  const auto is_time = [](const std::string& type) {
    return type == "timestamp" || type == "timestamptz";
  };
  if (column == nullptr || !command.type) return false;
  if (!is_time(column->type.name) || !is_time(command.type->name)) return false;
  return std::ranges::none_of(
      table->indexes, [&](const catalog::Index& index) { return index.Mentions(command.name); });
}

void Check(const Context& context, const Reporter& report) {
  std::set<int> said;
  for (const Form& form : kForms) {
    ForEachWork(context, form.reason, [&](const Work& work) {
      const auto* command = CommandOf(context, work);
      if (command == nullptr || RowsStay(context, work, *command)) return;
      if (!said.insert(work.command).second) return;
      Remark remark = About(
          context, work,
          fmt::format(fmt::runtime(form.message), command->name, Context::Show(work.relation)));
      remark.remedy = form.remedy;
      report(std::move(remark));
    });
  }
}

}  // namespace

constinit const Rule kChangeColumnType{
    .id = "change-column-type",
    .title = "Column type changed in place",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE while the table is rewritten, or an index, CHECK or foreign key on the "
        "column is gone through again.",
    .remedy =
        "Add a new column, keep it current with a trigger, fill it with `pgalter backfill`, build "
        "its indexes CONCURRENTLY, and swap the names in one short transaction.",
    .check = &Check};

}  // namespace pgalter::lint
