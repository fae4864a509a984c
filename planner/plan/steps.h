#pragma once

// The pieces that recipes put plans together from. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "planner/plan/plan.h"
#include "planner/plan/recipe.h"

namespace pgalter::plan {

using Texts = std::vector<std::string>;

// A name in the schema of `table`, as SQL; without one where `table` was written without.
[[nodiscard]] sql::QualifiedName Beside(const sql::QualifiedName& table, const std::string& name);
// "pgalter_<what>_<table>_<column>", cut to what the server keeps of a name.
[[nodiscard]] std::string MadeName(std::string_view what, const sql::QualifiedName& table,
                                   std::string_view column);
// "a, b", each quoted where it has to be.
[[nodiscard]] std::string List(const std::vector<std::string>& columns);
// As people know it: without the schema "public".
[[nodiscard]] std::string Show(const sql::QualifiedName& name);

[[nodiscard]] Step Ddl(Phase phase, Texts sql, Texts undo, std::string explain);
// CREATE INDEX CONCURRENTLY and its kin; taken back by dropping the index.
[[nodiscard]] Step BuildIndex(std::string sql, const sql::QualifiedName& index,
                              std::string explain);
[[nodiscard]] Step Validate(const sql::QualifiedName& table, const std::string& constraint);
[[nodiscard]] Step MakeBackfill(const sql::QualifiedName& table, std::string set, std::string where,
                                std::string explain);
[[nodiscard]] Step MakeGate(std::string name, std::string reason, long soak_s = 0);
// A statement outside of a transaction.
[[nodiscard]] Step Alone(Phase phase, StepKind kind, std::string sql, std::string explain);

// ADD CONSTRAINT … NOT VALID, and VALIDATE. `definition` without its name: "CHECK (a > 0)".
void AddInTwoSteps(const sql::QualifiedName& table, const std::string& head,
                   const std::string& name, const std::string& definition, std::string explain,
                   std::vector<Step>& steps);

// Makes the columns NOT NULL without a scan under a lock, unless they are proven to be. `head` as
// in Situation.
void ForbidNull(const Situation& situation, const sql::QualifiedName& table,
                const std::string& head, const std::vector<std::string>& columns,
                std::vector<Step>& steps);

}  // namespace pgalter::plan
