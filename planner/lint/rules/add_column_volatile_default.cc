#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

// The column has no default of its own, and its domain's is not known.
bool FromUnknownDomain(const Context& context, const locks::Work& work) {
  const auto* command = CommandOf(context, work);
  return work.certainty == locks::Certainty::kPossible && command != nullptr && command->column &&
         command->column->Find(sql::ast::ConstraintKind::kDefault) == nullptr;
}

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kVolatileDefault, [&](const locks::Work& work) {
    Remark remark =
        About(context, work,
              fmt::format("adding column {} with a default that differs from row to row "
                          "rewrites {}",
                          work.subject, Context::Show(work.relation)));
    if (FromUnknownDomain(context, work)) remark.severity = Severity::kNote;
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kAddColumnVolatileDefault{
    .id = "add-column-volatile-default",
    .title = "Column added with a volatile default",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "The table and all its indexes are written anew under ACCESS EXCLUSIVE: nobody reads "
        "or writes it meanwhile.",
    .remedy =
        "Add the column without a default, set the default in a second statement, fill the "
        "rows with `pgalter backfill`, then add NOT NULL by a validated CHECK.",
    .check = &Check};

}  // namespace pgalter::lint
