#pragma once

// What stands around a statement: in its transaction, and in the schema, as rules about objects
// ask.

#include <functional>
#include <string>
#include <vector>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

// Statements of the same transaction, without this one: the nearest first. One that commits by
// itself has none. Only so many are looked at that a long script stays linear.
[[nodiscard]] std::vector<const ScriptStatement*> Earlier(const Context& context);
[[nodiscard]] std::vector<const ScriptStatement*> Later(const Context& context);

using StatementTest = std::function<bool(const sql::ast::Statement&)>;
[[nodiscard]] bool AnyEarlier(const Context& context, const StatementTest& test);
[[nodiscard]] bool AnyLater(const Context& context, const StatementTest& test);

[[nodiscard]] bool Same(const Context& context, const catalog::QualifiedName& a,
                        const catalog::QualifiedName& b);

// Whether it is an ALTER TABLE of that table with such a sub-command.
[[nodiscard]] bool Alters(const Context& context, const sql::ast::Statement& statement,
                          const catalog::QualifiedName& table,
                          const std::function<bool(const sql::ast::TableCommand&)>& test);

// Whether the statement leaves a relation with that name behind: by creating it, or by renaming
// another to it.
[[nodiscard]] bool Makes(const Context& context, const sql::ast::Statement& statement,
                         const catalog::QualifiedName& relation);

// Others use it: it was there before the run, is not temporary, and is not known to be missing.
[[nodiscard]] bool InUse(const Context& context, const catalog::QualifiedName& relation);

// A relation that the statement needs, is not known, and is made by a later statement of any file.
struct MadeTooLate {
  catalog::QualifiedName relation;
  Moment when;
};
[[nodiscard]] std::optional<MadeTooLate> MadeLater(const Context& context);

// Calls `visit(failure)` for each that the server would give.
template <class Visit>
void ForEachFailure(const Context& context, locks::Refusal refusal, const Visit& visit) {
  for (const locks::Failure& failure : context.effects.failures)
    if (failure.refusal == refusal) visit(failure);
}

// A remark on such a failure: an error where it is certain, else a warning.
[[nodiscard]] Remark Refused(const locks::Failure& failure, std::string message);

}  // namespace pgalter::lint
