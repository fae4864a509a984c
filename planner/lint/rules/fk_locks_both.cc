#include <algorithm>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

// Those that the statement names are no surprise.
std::vector<catalog::QualifiedName> Named(const Context& context) {
  std::vector<catalog::QualifiedName> names;
  if (const auto* drop = context.statement.As<sql::ast::Drop>();
      drop != nullptr && drop->kind == sql::ast::ObjectKind::kTable)
    names = drop->names;
  if (const auto* alter = context.statement.As<sql::ast::AlterTable>()) {
    const bool drops = std::ranges::any_of(alter->commands, [](const auto& command) {
      return command.change == sql::ast::TableChange::kDropConstraint ||
             command.change == sql::ast::TableChange::kDropColumn;
    });
    if (drops) names.push_back(alter->name);
  }
  for (catalog::QualifiedName& name : names) name = context.schema.Resolve(name);
  return names;
}

// Its partitions come with a table that is named, and the parent with a partition.
bool BelongsTo(const Context& context, const catalog::QualifiedName& relation,
               const std::vector<catalog::QualifiedName>& named) {
  if (std::ranges::find(named, relation) != named.end()) return true;
  const catalog::Table* table = context.schema.FindTable(relation);
  if (table != nullptr && table->parent && BelongsTo(context, *table->parent, named)) return true;
  return std::ranges::any_of(named, [&](const catalog::QualifiedName& name) {
    const catalog::Table* one = context.schema.FindTable(name);
    return one != nullptr && one->parent && *one->parent == relation;
  });
}

void Check(const Context& context, const Reporter& report) {
  const auto named = Named(context);
  if (named.empty()) return;
  std::string others;
  int count = 0;
  for (const locks::Lock& lock : context.effects.locks) {
    if (lock.index || lock.mode != locks::LockMode::kAccessExclusive) continue;
    const auto relation = context.schema.Resolve(lock.relation);
    const catalog::Table* table = context.schema.FindTable(relation);
    const bool partition = table != nullptr && table->parent;
    if (!context.Existing(relation) || BelongsTo(context, relation, named) || partition) continue;
    others += (others.empty() ? "" : ", ") + Context::Show(relation);
    ++count;
  }
  if (count < 2) return;
  Remark remark;
  remark.message = fmt::format("this locks {} as well, all at the same time", others);
  remark.lock = LockTaken{locks::LockMode::kAccessExclusive, others};
  report(std::move(remark));
}

}  // namespace

constinit const Rule kFkLocksBoth{
    .id = "fk-locks-both",
    .title = "Several tables locked through foreign keys",
    .category = Category::kLock,
    .severity = Severity::kWarning,
    .effect =
        "Dropping a foreign key takes ACCESS EXCLUSIVE on the table it points at, too. Several at "
        "once hold several tables while the last lock is waited for.",
    .remedy =
        "Drop the foreign keys first, one statement and one transaction each, under a short "
        "lock_timeout.",
    .check = &Check};

}  // namespace pgalter::lint
