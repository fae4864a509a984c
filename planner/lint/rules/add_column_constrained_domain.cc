#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kConstrainedDomain, [&](const locks::Work& work) {
    const bool certain = work.certainty == locks::Certainty::kCertain;
    const std::string table = Context::Show(work.relation);
    Remark remark = About(
        context, work,
        certain ? fmt::format("the domain of column {} has a constraint, so adding it rewrites {}",
                              work.subject, table)
                : fmt::format("adding column {} may rewrite {}", work.subject, table));
    // Most types that nobody has shown are enums, or come with an extension.
    if (!certain) remark.severity = Severity::kNote;
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kAddColumnConstrainedDomain{
    .id = "add-column-constrained-domain",
    .title = "Column of a domain with constraints added",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "The server checks the domain for every row, even where the column is empty, and writes "
        "the table and its indexes anew under ACCESS EXCLUSIVE.",
    .remedy =
        "Add the column with the type that the domain is made of, or a domain without "
        "constraints, and put the condition on the table: ADD CHECK … NOT VALID, then VALIDATE "
        "CONSTRAINT in another transaction.",
    .check = &Check};

}  // namespace pgalter::lint
