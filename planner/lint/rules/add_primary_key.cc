#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kPrimaryKey, [&](const locks::Work& work) {
    report(About(context, work,
                 fmt::format("this primary key builds an index while nobody can use {}",
                             Context::Show(work.relation))));
  });
  ForEachWork(context, locks::Reason::kNotNull, [&](const locks::Work& work) {
    const auto* command = CommandOf(context, work);
    if (command == nullptr || !command->constraint || command->constraint->using_index.empty())
      return;
    Remark remark = About(context, work,
                          fmt::format("{} may hold NULL, so all of {} is read while nobody can use "
                                      "it",
                                      work.subject, Context::Show(work.relation)));
    remark.remedy =
        "First make the columns NOT NULL: ADD CHECK (column IS NOT NULL) NOT VALID, VALIDATE "
        "CONSTRAINT in another transaction, SET NOT NULL, drop the CHECK.";
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kAddPrimaryKey{
    .id = "add-primary-key",
    .title = "Primary key that reads the table",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE while the index is built and NULLs are looked for: nobody reads or "
        "writes the table meanwhile.",
    .remedy =
        "CREATE UNIQUE INDEX CONCURRENTLY; make the columns NOT NULL by a validated CHECK; then "
        "ADD PRIMARY KEY USING INDEX, which takes an instant.",
    .check = &Check};

}  // namespace pgalter::lint
