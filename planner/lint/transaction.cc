#include "planner/lint/transaction.h"

#include <algorithm>

namespace pgalter::lint {

using catalog::QualifiedName;
using catalog::Schema;
using locks::LockMode;
using Verb = sql::ast::Transaction::Verb;

TransactionKind Transaction::kind() const {
  if (explicit_) return TransactionKind::kExplicit;
  return implied_ ? TransactionKind::kImplied : TransactionKind::kNone;
}

const Held* Transaction::StrongestBlocking() const {
  const Held* strongest = nullptr;
  for (const Held& held : held_) {
    if (!locks::BlocksWrites(held.mode)) continue;
    if (strongest == nullptr || held.mode > strongest->mode) strongest = &held;
  }
  return strongest;
}

const Held* Transaction::On(const QualifiedName& relation) const {
  const auto found = std::ranges::find(held_, relation, &Held::relation);
  return found == held_.end() ? nullptr : &*found;
}

bool Transaction::AddedNotValid(const QualifiedName& table, const std::string& constraint) const {
  return std::ranges::find(not_valid_, std::pair(table, constraint)) != not_valid_.end();
}

bool Transaction::Modified(const QualifiedName& table) const {
  return std::ranges::find(modified_, table) != modified_.end();
}

bool Transaction::HasPolicy(const QualifiedName& table) const {
  return std::ranges::find(policies_, table) != policies_.end();
}

void Transaction::Forget() {
  explicit_ = false;
  statements_ = 0;
  begun_at_.reset();
  held_.clear();
  enum_values_.clear();
  new_types_.clear();
  not_valid_.clear();
  modified_.clear();
  policies_.clear();
}

void Transaction::Take(const locks::Lock& lock, const Schema& schema, sql::Span span) {
  if (lock.index || schema.IsNew(lock.relation)) return;
  // A view's lock keeps nobody from its tables.
  const catalog::Table* table = schema.FindTable(lock.relation);
  if (table != nullptr && table->kind == catalog::TableKind::kView) return;
  const QualifiedName relation = schema.Resolve(lock.relation);
  const auto found = std::ranges::find(held_, relation, &Held::relation);
  if (found == held_.end()) {
    held_.push_back({relation, lock.mode, span});
  } else if (lock.mode > found->mode) {
    found->mode = lock.mode;
    found->taken_by = span;
  }
}

// What is held is held under its new name.
void Transaction::Rename(const sql::ast::Statement& statement, const Schema& schema) {
  const auto* rename = statement.As<sql::ast::Rename>();
  if (rename == nullptr || !rename->part.empty()) return;
  const QualifiedName before = schema.Resolve(rename->name);
  for (Held& held : held_)
    if (held.relation == before) held.relation.name = rename->new_name;
}

void Transaction::Remember(const sql::ast::Statement& statement, const Schema& schema) {
  if (const auto* type = statement.As<sql::ast::CreateType>())
    new_types_.push_back(type->name.name);
  if (const auto* value = statement.As<sql::ast::AlterEnum>(); value && value->old_value.empty())
    enum_values_.push_back({value->name.name, value->new_value,
                            std::ranges::find(new_types_, value->name.name) != new_types_.end()});
  if (const auto* alter = statement.As<sql::ast::AlterTable>()) {
    for (const auto& command : alter->commands)
      if (command.constraint && command.constraint->not_valid)
        not_valid_.emplace_back(schema.Resolve(alter->name), command.constraint->name);
  }
  if (const auto* modify = statement.As<sql::ast::Modify>())
    modified_.push_back(schema.Resolve(modify->table));
  if (const auto* policy = statement.As<sql::ast::Policy>())
    policies_.push_back(schema.Resolve(policy->table));
}

void Transaction::Step(const sql::ast::Statement& statement, const locks::Effects& effects,
                       const Schema& schema, sql::Span span) {
  if (const auto* verb = statement.As<sql::ast::Transaction>()) {
    if (verb->verb == Verb::kBegin && !explicit_) {
      const bool within = implied_;
      if (!within) Forget();
      explicit_ = true;
      begun_at_ = span;
    } else if (verb->verb == Verb::kCommit || verb->verb == Verb::kRollback ||
               verb->verb == Verb::kPrepare) {
      Forget();
      // It ended the tool's own transaction: what follows commits by itself.
      implied_ = implied_ && again_ == AfterCommit::kAgain;
    }
    return;
  }
  if (!open()) return;
  ++statements_;
  for (const locks::Lock& lock : effects.locks) Take(lock, schema, span);
  Rename(statement, schema);
  Remember(statement, schema);
}

}  // namespace pgalter::lint
