#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using sql::ast::TableChange;

constexpr int kNotValidOnPartitioned = 18;

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kForeignKey, [&](const locks::Work& work) {
    const auto* command = CommandOf(context, work);
    // Of the two tables, the one that refers.
    if (command == nullptr || work.relation != context.schema.Resolve(*TargetOf(context.statement)))
      return;
    const std::string table = Context::Show(work.relation);
    if (command->change == TableChange::kAddColumn) {
      Remark remark = About(context, work,
                            fmt::format("the default of column {} is looked up for every row of {}",
                                        command->name, table));
      remark.remedy =
          "Add the column without REFERENCES, then the foreign key NOT VALID, then VALIDATE "
          "CONSTRAINT in another transaction.";
      report(std::move(remark));
      return;
    }
    if (command->change == TableChange::kAlterConstraint) {
      report(
          About(context, work,
                fmt::format("ENFORCED has every row of {} looked up, under the lock of ALTER TABLE",
                            table)));
      return;
    }
    if (command->change != TableChange::kAddConstraint || !command->constraint) return;
    const auto& key = command->constraint->foreign_key;
    Remark remark =
        About(context, work,
              fmt::format("adding this foreign key keeps everybody from writing {} and {} while "
                          "every row of {} is looked up",
                          table, key ? Context::Show(key->target) : "its target", table));
    if (IsPartitioned(context, work.relation) &&
        context.options.server_version < kNotValidOnPartitioned)
      remark.remedy =
          "For each partition ADD the foreign key NOT VALID and VALIDATE it in another "
          "transaction; "
          "then add it to the partitioned table, which finds them and reads nothing.";
    else
      remark.fix = ValidateApart(context, *command);
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kAddFkWithoutNotValid{
    .id = "add-fk-without-not-valid",
    .title = "Foreign key validated while it is added",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "SHARE ROW EXCLUSIVE on both tables until every row has been looked up: reads go on, "
        "writes to either wait.",
    .remedy =
        "ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in another transaction: that lets "
        "reads and writes go on.",
    .check = &Check};

}  // namespace pgalter::lint
