#pragma once

// What most rules ask of a statement.

#include <fmt/format.h>

#include <string>

#include "planner/lint/rule.h"

namespace pgalter::lint {

// Calls `visit(alter, command, index)` for every sub-command of that kind of an ALTER TABLE.
template <class Visit>
void ForEachCommand(const Context& context, sql::ast::TableChange change, const Visit& visit) {
  const auto* alter = context.statement.As<sql::ast::AlterTable>();
  if (alter == nullptr) return;
  for (std::size_t i = 0; i < alter->commands.size(); ++i)
    if (alter->commands[i].change == change) visit(*alter, alter->commands[i], static_cast<int>(i));
}

// Calls `visit(work)` for everything the statement does for that reason to a table that has rows.
template <class Visit>
void ForEachWork(const Context& context, locks::Reason reason, const Visit& visit) {
  for (const locks::Work& work : context.effects.works)
    if (work.reason == reason && context.Existing(work.relation)) visit(work);
}

// The lock that the statement takes on the relation; nullopt: none.
[[nodiscard]] std::optional<LockTaken> LockOn(const Context& context,
                                              const catalog::QualifiedName& relation);

// A note on a small table; an error where it is certain, else a warning.
[[nodiscard]] Severity Weigh(const Context& context, const locks::Work& work);

// A remark on such a work, all but the message filled in.
[[nodiscard]] Remark About(const Context& context, const locks::Work& work, std::string message);

// " (the type of t.c is not known)" or nothing.
[[nodiscard]] std::string Doubt(const locks::Work& work);

}  // namespace pgalter::lint
