#include <fmt/format.h>

#include "planner/plan/recipes/constraint.h"
#include "planner/plan/steps.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

using Change = sql::ast::AlterDomain::Change;

// What follows the domain's name: "ADD CONSTRAINT c CHECK (…)".
std::string ChangeText(const std::string& statement) {
  const auto words = sql::Words::Read(statement);
  return words ? words->Cut(words->AfterName(2), words->size()) : "";
}

// As the server names it: domain_check, domain_check1 …
std::string NameOf(const Situation& situation, const sql::ast::AlterDomain& alter) {
  catalog::Schema after = situation.schema;
  after.Apply(situation.statement);
  sql::ast::TypeName type;
  const sql::QualifiedName resolved = situation.schema.ResolveType(alter.name);
  type.schema = resolved.schema.value_or("");
  type.name = resolved.name;
  const catalog::Domain* domain = after.FindDomain(type);
  if (domain == nullptr || domain->constraints.empty()) return "";
  return domain->constraints.back().name;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* alter = situation.statement.As<sql::ast::AlterDomain>();
  if (alter == nullptr || situation.effects.works.empty()) return std::nullopt;
  Proposal proposal;
  proposal.answer = Answer::kLeastBad;
  proposal.remarks.emplace_back(
      "no constraint of a domain can be validated while its tables are written: CHECKs of the "
      "tables can");
  const bool add = alter->change == Change::kAddConstraint && alter->constraint &&
                   alter->constraint->kind == sql::ast::ConstraintKind::kCheck;
  const std::string name = add ? NameOf(situation, *alter) : "";
  if (name.empty()) {
    proposal.steps.push_back(Ddl(Phase::kMigrate, {situation.text}, {},
                                 "Every table that uses the domain is read under the lock."));
    return proposal;
  }
  const std::string head = "ALTER DOMAIN " + sql::ToString(alter->name);
  const std::string quoted = sql::QuoteIdentifier(name);
  proposal.steps.push_back(
      Ddl(Phase::kExpand,
          {fmt::format("{} ADD CONSTRAINT {} {} NOT VALID", head, quoted,
                       DefinitionOf(ChangeText(situation.text)))},
          {fmt::format("{} DROP CONSTRAINT IF EXISTS {}", head, quoted)},
          "Values that are written from here on are checked; no table is locked."));
  proposal.steps.push_back(Ddl(Phase::kMigrate,
                               {fmt::format("{} VALIDATE CONSTRAINT {}", head, quoted)}, {},
                               "Every table that uses the domain is read under the lock."));
  return proposal;
}

}  // namespace

const Recipe kDomainConstraint{
    .name = "domain-constraint",
    .forms = "ALTER DOMAIN … ADD CONSTRAINT, SET NOT NULL, VALIDATE",
    .steps =
        "NOT VALID, which locks nothing, then VALIDATE, whose scans no form spares: writers "
        "of the tables wait, and the plan says so",
    .propose = &Propose};

}  // namespace pgalter::plan
