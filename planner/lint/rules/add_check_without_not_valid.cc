#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using sql::ast::TableChange;

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kCheck, [&](const locks::Work& work) {
    const auto* command = CommandOf(context, work);
    if (command == nullptr) return;
    const std::string table = Context::Show(work.relation);
    if (command->change == TableChange::kAddColumn) {
      Remark remark = About(context, work,
                            fmt::format("the CHECK of new column {} reads every row of {}, empty "
                                        "as the column is",
                                        command->name, table));
      remark.remedy =
          "Add the column without the CHECK, then the CHECK with NOT VALID, then VALIDATE "
          "CONSTRAINT in another transaction.";
      report(std::move(remark));
    } else if (command->change == TableChange::kAddConstraint) {
      Remark remark = About(
          context, work,
          fmt::format("adding this CHECK keeps everybody from {} while all its rows are checked",
                      table));
      remark.fix = ValidateApart(context, *command);
      report(std::move(remark));
    }
  });
}

}  // namespace

constinit const Rule kAddCheckWithoutNotValid{
    .id = "add-check-without-not-valid",
    .title = "CHECK validated while it is added",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE until every row has been checked: nobody reads or writes the table "
        "meanwhile.",
    .remedy =
        "ADD CONSTRAINT … CHECK … NOT VALID, then VALIDATE CONSTRAINT in another transaction: "
        "that lets reads and writes go on.",
    .check = &Check};

}  // namespace pgalter::lint
