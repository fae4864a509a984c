#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  ForEachWork(context, locks::Reason::kPersistence, [&](const locks::Work& work) {
    const auto* command = CommandOf(context, work);
    if (command == nullptr || command->change != sql::ast::TableChange::kSetLogged) return;
    report(About(context, work,
                 fmt::format("SET LOGGED writes all of {} anew", Context::Show(work.relation))));
  });
}

}  // namespace

constinit const Rule kSetLogged{
    .id = "set-logged",
    .title = "Unlogged table made durable",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "The table and all its indexes are written anew, into the write-ahead log as well, under "
        "ACCESS EXCLUSIVE.",
    .remedy =
        "Make a new permanent table, copy the rows in batches while a trigger keeps up, and swap "
        "the names.",
    .check = &Check};

}  // namespace pgalter::lint
