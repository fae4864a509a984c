#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using Change = sql::ast::AlterDomain::Change;

bool Verifies(const sql::ast::AlterDomain& alter) {
  if (alter.change == Change::kAddConstraint)
    return !alter.constraint || !alter.constraint->not_valid;
  return alter.change == Change::kSetNotNull || alter.change == Change::kValidateConstraint;
}

void Check(const Context& context, const Reporter& report) {
  const auto* alter = context.statement.As<sql::ast::AlterDomain>();
  if (alter == nullptr || !Verifies(*alter)) return;
  const std::string domain = Context::Show(alter->name);
  bool found = false;
  ForEachWork(context, locks::Reason::kDomainConstraint, [&](const locks::Work& work) {
    found = true;
    report(About(context, work,
                 fmt::format("all of {} is read for domain {} while nobody can write it",
                             Context::Show(work.relation), domain)));
  });
  sql::ast::TypeName type;
  type.schema = alter->name.schema.value_or("");
  type.name = alter->name.name;
  if (found || context.schema.FindDomain(type) != nullptr || context.schema.complete()) return;
  Remark remark;
  remark.severity = Severity::kWarning;
  remark.table_scan = true;
  remark.message = fmt::format(
      "every table that uses domain {} is read while nobody can write it (which ones is not known)",
      domain);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kDomainConstraint{
    .id = "domain-constraint",
    .title = "Domain constraint checked on every table that uses it",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "SHARE on every table with a column of the domain while all are read: writes to them "
        "wait. VALIDATE does the same.",
    .remedy =
        "ADD CONSTRAINT … NOT VALID to the domain, which holds for new values, and leave it so; "
        "to prove old rows, put the CHECK on the tables with NOT VALID and VALIDATE it there.",
    .check = &Check};

}  // namespace pgalter::lint
