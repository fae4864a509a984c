#include <algorithm>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

using locks::Reason;

// What the statement itself keeps others from is another rule's affair.
bool BlocksByItself(const Context& context, const locks::Work& work) {
  const auto lock = LockOn(context, work.relation);
  return lock && locks::BlocksWrites(lock->mode);
}

bool ReadsOnly(const Context& context, const locks::Work& work) {
  if (work.kind != locks::Work::Kind::kScan || BlocksByItself(context, work)) return false;
  if (work.reason == Reason::kRows)
    return context.statement.As<sql::ast::Modify>() == nullptr;  // ddl-with-backfill-in-tx
  const auto* command = CommandOf(context, work);
  // validate-in-same-tx
  return command == nullptr ||
         !context.transaction.AddedNotValid(context.schema.Resolve(*TargetOf(context.statement)),
                                            command->name);
}

// A partition and its parent are one table to whoever uses them.
catalog::QualifiedName RootOf(const Context& context, const catalog::QualifiedName& name) {
  const catalog::Table* table = context.schema.FindTable(name);
  if (table == nullptr || !table->parent) return context.schema.Resolve(name);
  return RootOf(context, *table->parent);
}

bool HoldsFamily(const Context& context, const catalog::QualifiedName& relation) {
  const catalog::QualifiedName root = RootOf(context, relation);
  return std::ranges::any_of(context.transaction.held(), [&](const Held& held) {
    return locks::BlocksWrites(held.mode) && RootOf(context, held.relation) == root;
  });
}

// A foreign key of a new table: the lock on what it points at is had without any work.
bool IsOfNewTable(const Context& context) {
  if (context.statement.As<sql::ast::CreateTable>() != nullptr) return true;
  const auto* alter = context.statement.As<sql::ast::AlterTable>();
  return alter != nullptr && !context.Existing(alter->name);
}

// Its lock keeps nobody from its tables.
bool IsView(const Context& context, const catalog::QualifiedName& name) {
  const catalog::Table* table = context.schema.FindTable(name);
  return table != nullptr && table->kind == catalog::TableKind::kView;
}

void Check(const Context& context, const Reporter& report) {
  const Held* held = context.transaction.StrongestBlocking();
  if (held == nullptr) return;
  const std::string first = Context::Show(held->relation);
  for (const locks::Work& work : context.effects.works) {
    if (!context.Existing(work.relation) || !ReadsOnly(context, work)) continue;
    Remark remark;
    remark.message = fmt::format("all of {} is read while the transaction holds {} on {}",
                                 Context::Show(work.relation), locks::Name(held->mode), first);
    remark.lock = LockTaken{held->mode, first};
    remark.table_scan = true;
    // A SELECT may be of one row.
    const bool all = context.statement.As<sql::ast::Select>() == nullptr;
    remark.severity = all ? Severity::kError : Severity::kWarning;
    if (context.Small(work.relation)) remark.severity = Severity::kNote;
    report(std::move(remark));
    return;
  }
  for (const locks::Lock& lock : context.effects.locks) {
    if (lock.index || !locks::BlocksWrites(lock.mode) || !context.Existing(lock.relation)) continue;
    if (HoldsFamily(context, lock.relation) || IsView(context, lock.relation)) continue;
    Remark remark;
    remark.message = fmt::format("waits for {} on {} while the transaction holds {} on {}",
                                 locks::Name(lock.mode), Context::Show(lock.relation),
                                 locks::Name(held->mode), first);
    remark.lock = LockTaken{lock.mode, Context::Show(lock.relation)};
    const bool brief = lock.mode == locks::LockMode::kShareRowExclusive && IsOfNewTable(context);
    // Who has set a lock_timeout has said how long the others may be kept waiting.
    if (brief || context.session.lock_timeout()) remark.severity = Severity::kNote;
    report(std::move(remark));
    return;
  }
}

}  // namespace

constinit const Rule kSeveralLocksInOneTx{
    .id = "several-locks-in-one-tx",
    .title = "Several tables locked, or one read, under one transaction",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .effect =
        "Every lock is kept until COMMIT. While the transaction waits for its next lock, or reads "
        "a table, nobody gets past the locks that it holds; two such transactions can deadlock.",
    .remedy =
        "One transaction a table: commit before the next strong lock, and before anything that "
        "reads a table.",
    .check = &Check};

}  // namespace pgalter::lint
