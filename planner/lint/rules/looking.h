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

// The table that an ALTER TABLE, CREATE INDEX or CREATE TABLE … PARTITION OF is about.
[[nodiscard]] const catalog::QualifiedName* TargetOf(const sql::ast::Statement& statement);
// The sub-command of the ALTER TABLE that the work belongs to; nullptr: none.
[[nodiscard]] const sql::ast::TableCommand* CommandOf(const Context& context,
                                                      const locks::Work& work);
[[nodiscard]] bool IsPartitioned(const Context& context, const catalog::QualifiedName& table);

// The lock that the statement takes on the relation; nullopt: none.
[[nodiscard]] std::optional<LockTaken> LockOn(const Context& context,
                                              const catalog::QualifiedName& relation);

// A note on a small table; an error where it is certain, else a warning.
[[nodiscard]] Severity Weigh(const Context& context, const locks::Work& work);

// A remark on such a work, all but the message filled in.
[[nodiscard]] Remark About(const Context& context, const locks::Work& work, std::string message);

// " (the type of t.c is not known)" or nothing.
[[nodiscard]] std::string Doubt(const locks::Work& work);

// Puts CONCURRENTLY behind a word of the statement; behind its end where the word is empty. Nothing
// where the statement stands in a transaction, or an edit cannot reach it.
[[nodiscard]] std::vector<Edit> AddConcurrently(const Context& context, std::string_view word);

// Adds the constraint NOT VALID, and validates it in a statement of its own. Only where the
// statement does nothing else, commits by itself, and names the constraint.
[[nodiscard]] std::vector<Edit> ValidateApart(const Context& context,
                                              const sql::ast::TableCommand& command);

}  // namespace pgalter::lint
