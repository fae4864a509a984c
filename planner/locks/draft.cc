#include "planner/locks/draft.h"

#include <algorithm>

namespace pgalter::locks {
namespace {

void Note(std::vector<Lock>& locks, Lock lock) {
  const auto same = std::ranges::find_if(locks, [&](const Lock& other) {
    return other.relation == lock.relation && other.index == lock.index;
  });
  if (same == locks.end()) {
    locks.push_back(std::move(lock));
  } else {
    same->mode = std::max(same->mode, lock.mode);
  }
}

}  // namespace

void Draft::Take(const QualifiedName& relation, LockMode mode) {
  Note(effects_.locks, {schema_.Resolve(relation), mode, false});
}

void Draft::TakeIndex(const QualifiedName& index, LockMode mode) {
  Note(effects_.locks, {schema_.Resolve(index), mode, true});
}

void Draft::TakeTree(const QualifiedName& relation, LockMode mode) {
  Take(relation, mode);
  for (const catalog::Table* table : Descendants(schema_, relation)) Take(table->name, mode);
}

Work& Draft::Do(Work::Kind kind, const QualifiedName& relation, Reason reason,
                std::string subject) {
  Work work;
  work.kind = kind;
  work.relation = schema_.Resolve(relation);
  work.reason = reason;
  work.command = command_;
  work.subject = std::move(subject);
  return effects_.works.emplace_back(std::move(work));
}

Work* Draft::DoTree(Work::Kind kind, const QualifiedName& relation, Reason reason,
                    std::string subject) {
  std::vector<QualifiedName> parts;
  for (const catalog::Table* table : Descendants(schema_, relation))
    if (table->kind == catalog::TableKind::kTable) parts.push_back(table->name);
  const catalog::Table* table = schema_.FindTable(relation);
  const bool partitioned = table != nullptr && table->kind == catalog::TableKind::kPartitioned;
  if (partitioned && parts.empty() && schema_.complete()) return nullptr;
  const bool doubtful = partitioned && parts.empty();
  Work& work = Do(kind, relation, reason, std::move(subject));
  work.parts = std::move(parts);
  if (doubtful) Doubt(work, "the partitions of " + Show(relation) + " are not known");
  return &work;
}

void Draft::Refuse(Refusal refusal, std::string subject, std::string detail, Certainty certainty) {
  effects_.failures.push_back(
      {refusal, certainty, command_, std::move(subject), std::move(detail)});
}

void Draft::Needs(int version, const std::string& what) {
  if (version_ < version)
    Refuse(Refusal::kVersion, what, what + " needs PostgreSQL " + std::to_string(version));
}

Effects Draft::Finish() {
  const auto covered = [&](const Lock& lock) {
    if (!lock.index) return false;
    const catalog::Table* table = schema_.TableOfIndex(lock.relation);
    if (table == nullptr) return false;
    return std::ranges::any_of(effects_.locks, [&](const Lock& other) {
      return !other.index && other.relation == table->name && other.mode >= lock.mode;
    });
  };
  std::vector<Lock> locks;
  for (const Lock& lock : effects_.locks)
    if (!covered(lock)) locks.push_back(lock);
  effects_.locks = std::move(locks);
  return std::move(effects_);
}

void RefuseUnknownColumn(const catalog::Table& table, const std::string& column, Draft& draft) {
  if (table.complete && table.FindColumn(column) == nullptr)
    draft.Refuse(Refusal::kUnknownObject, column, Show(table.name) + " has no column " + column);
}

std::vector<const catalog::Table*> Descendants(const catalog::Schema& schema,
                                               const QualifiedName& relation) {
  std::vector<const catalog::Table*> all = schema.Children(relation);
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const catalog::Table* child : schema.Children(all[i]->name))
      if (std::ranges::find(all, child) == all.end()) all.push_back(child);
  return all;
}

std::string Show(const QualifiedName& name) {
  if (!name.schema || *name.schema == "public") return name.name;
  return *name.schema + "." + name.name;
}

}  // namespace pgalter::locks
