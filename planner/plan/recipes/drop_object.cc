#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::ast::ObjectKind;

// Those that programs name: nobody misses a trigger, a policy or an index by its name.
bool IsNamedByPrograms(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kView:
    case ObjectKind::kMaterializedView:
    case ObjectKind::kSequence:
    case ObjectKind::kForeignTable:
    case ObjectKind::kType:
    case ObjectKind::kDomain:
    case ObjectKind::kFunction:
    case ObjectKind::kSchema:
    case ObjectKind::kExtension:
      return true;
    default:
      return false;
  }
}

bool IsNobodys(const Situation& situation, const sql::QualifiedName& name) {
  if (situation.schema.IsNew(name)) return true;
  const sql::ast::TypeName type{name.schema.value_or(""), name.name, {}, 0};
  const catalog::Type* made = situation.schema.FindType(type);
  const catalog::Domain* domain = situation.schema.FindDomain(type);
  return (made != nullptr && made->origin == catalog::Origin::kInRun) ||
         (domain != nullptr && domain->origin == catalog::Origin::kInRun);
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* drop = situation.statement.As<sql::ast::Drop>();
  if (drop == nullptr || !IsNamedByPrograms(drop->kind) || drop->names.empty()) return std::nullopt;
  if (std::ranges::all_of(drop->names,
                          [&](const auto& name) { return IsNobodys(situation, name); }))
    return std::nullopt;
  std::string names;
  for (const auto& name : drop->names) names += (names.empty() ? "" : ", ") + Show(name);
  Proposal proposal;
  proposal.steps.push_back(MakeGate(fmt::format("unused-{}", drop->names.front().name),
                                    fmt::format("no program uses {} any more", names)));
  Step step = Ddl(Phase::kContract, {situation.text}, {},
                  drop->cascade ? "It goes, with everything that depends on it."
                                : "It goes; whoever still uses it fails.");
  step.backward_compatible = false;
  step.point_of_no_return = true;
  proposal.steps.push_back(std::move(step));
  if (drop->cascade)
    proposal.remarks.emplace_back(
        "CASCADE takes along what is not listed here, and locks the tables that it belongs to");
  return proposal;
}

}  // namespace

const Recipe kDropObject{
    .name = "drop-object",
    .forms = "DROP of a view, sequence, type, domain, function, schema or extension",
    .steps =
        "a gate, then the statement: what it takes is not kept. A view that the next statement "
        "makes "
        "again is replaced at once, both in one transaction",
    .propose = &Propose};

}  // namespace pgalter::plan
