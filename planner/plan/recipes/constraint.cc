#include "planner/plan/recipes/constraint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "planner/plan/recipes/index.h"
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

std::string UniqueIndexText(const Key& key, const std::string& index) {
  std::string text =
      fmt::format("CREATE UNIQUE INDEX CONCURRENTLY {} ON {} ({})", QuoteIdentifier(index),
                  sql::ToString(key.table), List(key.written->columns));
  if (!key.written->included.empty())
    text += fmt::format(" INCLUDE ({})", List(key.written->included));
  if (key.written->nulls_not_distinct) text += " NULLS NOT DISTINCT";
  if (!key.written->index_options.empty())
    text += " WITH " + OptionsText(key.written->index_options);
  if (!key.written->index_tablespace.empty())
    text += " TABLESPACE " + QuoteIdentifier(key.written->index_tablespace);
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

// The same key of a partition.
struct Part {
  const catalog::Table* partition = nullptr;
  Key key;
  bool there = false;  // before, so that it is taken as it is
};

// By the names that the server would give them.
std::vector<Part> PartsOf(const Key& key, const catalog::Schema& before,
                          const catalog::Schema& after) {
  std::vector<Part> parts;
  const sql::QualifiedName whole = after.Resolve(Beside(after.Resolve(key.table), key.name));
  for (const catalog::Table* partition : before.Partitions(key.table)) {
    const catalog::Table* then = after.FindTable(partition->name);
    if (then == nullptr) continue;
    const auto own = std::ranges::find_if(then->indexes, [&](const catalog::Index& index) {
      return index.parent && after.Resolve(*index.parent) == whole;
    });
    if (own == then->indexes.end()) continue;
    Part part{partition, key, partition->FindIndex(own->name.name) != nullptr};
    part.key.table = partition->name;
    part.key.name = own->name.name;
    parts.push_back(std::move(part));
  }
  return parts;
}

void AddToLeaves(const Key& key, const catalog::Schema& before, const catalog::Schema& after,
                 std::vector<Step>& steps) {
  for (const auto& [partition, part, there] : PartsOf(key, before, after)) {
    if (there) continue;
    if (partition->kind == catalog::TableKind::kPartitioned) {
      AddToLeaves(part, before, after, steps);
    } else {
      AddToOne(part, steps);
    }
  }
}

// "UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b) DEFERRABLE"
std::string KeyText(const Key& key) {
  const sql::ast::Constraint& written = *key.written;
  std::string text = key.kind == ConstraintKind::kPrimaryKey ? "PRIMARY KEY" : "UNIQUE";
  if (written.nulls_not_distinct) text += " NULLS NOT DISTINCT";
  text += fmt::format(" ({})", List(written.columns));
  if (!written.included.empty()) text += fmt::format(" INCLUDE ({})", List(written.included));
  if (written.deferrable) text += " DEFERRABLE";
  if (written.initially_deferred) text += " INITIALLY DEFERRED";
  return text;
}

void AddToParents(const Key& key, const catalog::Schema& before, const catalog::Schema& after,
                  std::vector<Step>& steps) {
  const std::string table = sql::ToString(key.table);
  const std::string name = QuoteIdentifier(key.name);
  Texts sql = {fmt::format("ALTER TABLE ONLY {} ADD CONSTRAINT {} {}", table, name, KeyText(key))};
  bool takes_along = false;
  for (const auto& [partition, part, there] : PartsOf(key, before, after)) {
    if (!there && partition->kind == catalog::TableKind::kPartitioned)
      AddToParents(part, before, after, steps);
    takes_along = takes_along || there;
    sql.push_back(fmt::format("ALTER INDEX {} ATTACH PARTITION {}",
                              sql::ToString(Beside(key.table, key.name)),
                              sql::ToString(Beside(part.table, part.name))));
  }
  steps.push_back(Ddl(Phase::kExpand, std::move(sql),
                      {fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", table, name)},
                      "The parent's key, of what its partitions have: no row is read."));
  // To drop the parent's key is to drop theirs, which were there before.
  if (takes_along) steps.back().point_of_no_return = true;
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

const sql::ast::Constraint* KeyToAdd(const Situation& situation, ConstraintKind kind) {
  const auto* command = situation.Command(sql::ast::TableChange::kAddConstraint);
  if (command == nullptr || !command->constraint || command->constraint->kind != kind)
    return nullptr;
  // Overlaps are told by a GiST index, which no constraint can be made from.
  if (command->constraint->without_overlaps || situation.schema.IsNew(situation.TableName()))
    return nullptr;
  return &*command->constraint;
}

bool AddKeyOf(const Situation& situation, ConstraintKind kind, std::vector<Step>& steps) {
  const sql::QualifiedName& table = situation.TableName();
  const catalog::Schema after = situation.After();
  const auto* added = NewConstraint(situation.schema, after, table, kind);
  if (added == nullptr) return false;
  if (kind == ConstraintKind::kPrimaryKey)
    ForbidNull(situation, table, situation.head, added->definition.columns, steps);
  AddKey({table, added->name, kind, &added->definition}, situation.schema, after, steps);
  return true;
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
