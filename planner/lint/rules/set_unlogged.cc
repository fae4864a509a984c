#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kPersistence, [&](const locks::Work& work) {
    const auto* command = CommandOf(context, work);
    if (command == nullptr || command->change != sql::ast::TableChange::kSetUnlogged) return;
    report(About(context, work,
                 fmt::format("SET UNLOGGED writes all of {} anew", Context::Show(work.relation))));
  });
}

}  // namespace

constinit const Rule kSetUnlogged{
    .id = "set-unlogged",
    .title = "Table made unlogged",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "The table and all its indexes are written anew under ACCESS EXCLUSIVE; afterwards a "
        "crash empties the table, and standbys do not have it.",
    .remedy =
        "Make a new unlogged table, copy the rows in batches while a trigger keeps up, and swap "
        "the names.",
    .check = &Check};

}  // namespace pgalter::lint
