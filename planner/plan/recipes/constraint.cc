#include "planner/plan/recipes/constraint.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/steps.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

using sql::QuoteIdentifier;
using sql::ast::ConstraintKind;

std::string DefinitionOf(const std::string& text) {
  const auto words = sql::Words::Read(text);
  if (!words) return text;
  std::size_t at = words->Is(0, "add") ? 1 : 0;
  if (words->Is(at, "constraint")) at += 2;
  return words->Cut(at, words->size());
}

std::vector<const catalog::Constraint*> NewConstraints(const catalog::Schema& before,
                                                       const catalog::Schema& after,
                                                       const sql::QualifiedName& table) {
  std::vector<const catalog::Constraint*> found;
  const catalog::Table* now = after.FindTable(table);
  const catalog::Table* then = before.FindTable(table);
  if (now == nullptr) return found;
  for (const auto& constraint : now->constraints)
    if (then == nullptr || then->FindConstraint(constraint.name) == nullptr)
      found.push_back(&constraint);
  return found;
}

const catalog::Constraint* NewConstraint(const catalog::Schema& before,
                                         const catalog::Schema& after,
                                         const sql::QualifiedName& table, ConstraintKind kind) {
  for (const auto* constraint : NewConstraints(before, after, table))
    if (constraint->definition.kind == kind) return constraint;
  return nullptr;
}

KeyStorage StorageOf(const std::string& definition) {
  KeyStorage storage;
  const auto words = sql::Words::Read(definition);
  if (!words) return storage;
  const std::size_t with = words->Find("with");
  if (with < words->size() && words->At(with + 1) == "(") {
    std::size_t end = with + 2;
    while (end < words->size() && words->Place(end).depth > 0) ++end;
    storage.options = words->Cut(with, end + 1);
  }
  const std::size_t place = words->Find("tablespace");
  if (place < words->size()) storage.tablespace = words->Cut(place + 1, place + 2);
  return storage;
}

std::string UniqueIndexText(const Key& key, const std::string& index) {
  std::string text =
      fmt::format("CREATE UNIQUE INDEX CONCURRENTLY {} ON {} ({})", QuoteIdentifier(index),
                  sql::ToString(key.table), List(key.written->columns));
  if (!key.written->included.empty())
    text += fmt::format(" INCLUDE ({})", List(key.written->included));
  if (key.written->nulls_not_distinct) text += " NULLS NOT DISTINCT";
  if (!key.storage.options.empty()) text += " " + key.storage.options;
  if (!key.storage.tablespace.empty()) text += " TABLESPACE " + key.storage.tablespace;
  return text;
}

std::string UsingIndexText(const Key& key, const std::string& index) {
  return fmt::format("{} USING INDEX {}{}{}",
                     key.kind == ConstraintKind::kPrimaryKey ? "PRIMARY KEY" : "UNIQUE",
                     QuoteIdentifier(index), key.written->deferrable ? " DEFERRABLE" : "",
                     key.written->initially_deferred ? " INITIALLY DEFERRED" : "");
}

namespace {

void AddToOne(const Key& key, std::vector<Step>& steps) {
  steps.push_back(BuildIndex(UniqueIndexText(key, key.name), Beside(key.table, key.name),
                             "Readers and writers go on. Equal rows make it fail: then nothing "
                             "is left behind."));
  const std::string alter = "ALTER TABLE " + sql::ToString(key.table);
  const std::string name = QuoteIdentifier(key.name);
  steps.push_back(
      Ddl(Phase::kExpand,
          {fmt::format("{} ADD CONSTRAINT {} {}", alter, name, UsingIndexText(key, key.name))},
          {fmt::format("{} DROP CONSTRAINT IF EXISTS {}", alter, name)},
          "Takes the index that is there: no row is read."));
}

// The key of a partition that stands for the parent's.
const catalog::Constraint* KeyOf(const catalog::Table& partition, const Key& parent,
                                 const catalog::Schema& before, const catalog::Schema& after) {
  return NewConstraint(before, after, partition.name, parent.kind);
}

void AddToLeaves(const Key& key, const catalog::Schema& before, const catalog::Schema& after,
                 std::vector<Step>& steps) {
  for (const catalog::Table* partition : before.Partitions(key.table)) {
    const catalog::Constraint* own = KeyOf(*partition, key, before, after);
    if (own == nullptr) continue;
    Key part = key;
    part.table = partition->name;
    part.name = own->name;
    if (partition->kind == catalog::TableKind::kPartitioned) {
      AddToLeaves(part, before, after, steps);
    } else {
      AddToOne(part, steps);
    }
  }
}

void AddToParents(const Key& key, const catalog::Schema& before, const catalog::Schema& after,
                  std::vector<Step>& steps) {
  Texts sql;
  const std::string kind = key.kind == ConstraintKind::kPrimaryKey ? "PRIMARY KEY" : "UNIQUE";
  std::string only = fmt::format("ALTER TABLE ONLY {} ADD CONSTRAINT {} {}{} ({})",
                                 sql::ToString(key.table), QuoteIdentifier(key.name), kind,
                                 key.written->nulls_not_distinct ? " NULLS NOT DISTINCT" : "",
                                 List(key.written->columns));
  if (!key.written->included.empty())
    only += fmt::format(" INCLUDE ({})", List(key.written->included));
  if (key.written->deferrable) only += " DEFERRABLE";
  if (key.written->initially_deferred) only += " INITIALLY DEFERRED";
  sql.push_back(std::move(only));
  for (const catalog::Table* partition : before.Partitions(key.table)) {
    const catalog::Constraint* own = KeyOf(*partition, key, before, after);
    if (own == nullptr) continue;
    Key part = key;
    part.table = partition->name;
    part.name = own->name;
    if (partition->kind == catalog::TableKind::kPartitioned)
      AddToParents(part, before, after, steps);
    sql.push_back(fmt::format("ALTER INDEX {} ATTACH PARTITION {}",
                              sql::ToString(Beside(key.table, key.name)),
                              sql::ToString(Beside(partition->name, own->name))));
  }
  steps.push_back(Ddl(Phase::kExpand, std::move(sql),
                      {fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}",
                                   sql::ToString(key.table), QuoteIdentifier(key.name))},
                      "The parent's key, of what its partitions have: no row is read."));
}

}  // namespace

void AddKey(const Key& key, const catalog::Schema& before, const catalog::Schema& after,
            std::vector<Step>& steps) {
  const catalog::Table* table = before.FindTable(key.table);
  if (table == nullptr || table->kind != catalog::TableKind::kPartitioned)
    return AddToOne(key, steps);
  AddToLeaves(key, before, after, steps);
  AddToParents(key, before, after, steps);
}

std::vector<const catalog::Table*> Leaves(const catalog::Schema& schema,
                                          const sql::QualifiedName& table) {
  std::vector<const catalog::Table*> leaves;
  for (const catalog::Table* partition : schema.Partitions(table)) {
    if (partition->kind == catalog::TableKind::kPartitioned) {
      std::ranges::move(Leaves(schema, partition->name), std::back_inserter(leaves));
    } else {
      leaves.push_back(partition);
    }
  }
  return leaves;
}

}  // namespace pgalter::plan
