#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

constexpr int kNotNullNotValid = 18;

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kNotNull, [&](const locks::Work& work) {
    const auto* command = CommandOf(context, work);
    const bool key = command != nullptr && command->constraint &&
                     command->constraint->kind == sql::ast::ConstraintKind::kPrimaryKey;
    if (key) return;  // add-primary-key
    Remark remark = About(context, work,
                          fmt::format("NOT NULL on {} reads all of {} while nobody can use it",
                                      work.subject, Context::Show(work.relation)));
    if (context.options.server_version >= kNotNullNotValid)
      remark.remedy =
          "ADD CONSTRAINT … NOT NULL … NOT VALID, then VALIDATE CONSTRAINT in another "
          "transaction; no SET NOT NULL afterwards, it would scan again.";
    if (command != nullptr && command->change == sql::ast::TableChange::kAddConstraint)
      remark.fix = ValidateApart(context, *command);
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kSetNotNull{
    .id = "set-not-null",
    .title = "NOT NULL set without a constraint that proves it",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE for a scan of the whole table: nobody reads or writes it meanwhile.",
    .remedy =
        "ADD CHECK (column IS NOT NULL) NOT VALID; VALIDATE CONSTRAINT in another transaction; "
        "then SET NOT NULL, which believes the valid CHECK; then drop the CHECK.",
    .check = &Check};

}  // namespace pgalter::lint
