#include "planner/catalog/schema.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

constexpr const char* kTemporary = "pg_temp";

// Columns of these are not followed from their type: nobody alters it.
constexpr std::array<std::string_view, 22> kOwnTypes = {
    "bool", "bpchar", "bytea",     "char",        "citext", "date",   "float4", "float8",
    "inet", "int2",   "int4",      "int8",        "json",   "jsonb",  "name",   "numeric",
    "text", "time",   "timestamp", "timestamptz", "uuid",   "varchar"};

// Sizes are given by the names that tables have today, and stay with the name while a history that
// leads there is gone through.
void CarrySize(const Table& from, Table& to) {
  if (to.rows || to.bytes) return;
  to.rows = from.rows;
  to.bytes = from.bytes;
}

bool Followed(const Column& column) {
  return !column.type.name.empty() &&
         (!column.type.schema.empty() || !std::ranges::binary_search(kOwnTypes, column.type.name));
}

}  // namespace

void Schema::BeginRun() {
  in_run_ = true;
  for (const std::string& key : std::exchange(new_types_, {})) {
    if (const auto found = domains_.find(key); found != domains_.end())
      found->second.origin = Origin::kBefore;
    if (const auto found = types_.find(key); found != types_.end())
      found->second.origin = Origin::kBefore;
  }
  for (const std::string& name : std::exchange(new_functions_, {}))
    if (const auto found = functions_.find(name); found != functions_.end())
      for (Function& function : found->second) function.origin = Origin::kBefore;
  for (const std::string& key : std::exchange(new_tables_, {})) {
    const auto found = tables_.find(key);
    if (found == tables_.end()) continue;
    Table& table = found->second;
    table.origin = Origin::kBefore;
    for (Column& column : table.columns) column.origin = Origin::kBefore;
    for (Index& index : table.indexes) index.origin = Origin::kBefore;
  }
}

void Schema::BeginSession() {
  search_path_ = {"public"};
  path_after_transaction_.reset();
  if (!std::exchange(has_temporary_, false)) return;
  for (const Table* table : TablesIn(kTemporary)) {
    const std::string key = Key(table->name);
    Unlink(key, *table);
    tables_.erase(key);
  }
}

void Schema::Apply(const sql::ast::Statement& statement) {
  Change change(*this);
  std::visit(change, statement.body);
  change.Finish();
}

void Schema::Add(Table table) {
  table.name = Placed(table.name);
  const std::string key = Key(table.name);
  NoteTable(key);
  const auto [place, added] = tables_.try_emplace(key);
  if (!added) {
    Unlink(key, place->second);
    CarrySize(place->second, table);
  }
  place->second = std::move(table);
  if (*place->second.name.schema == kTemporary) has_temporary_ = true;
  Link(key, place->second);
}

void Schema::Add(Domain domain) {
  domain.name = Placed(domain.name);
  const std::string key = Key(domain.name);
  NoteDomain(key);
  domains_.insert_or_assign(key, std::move(domain));
}

void Schema::Add(Type type) {
  type.name = Placed(type.name);
  const std::string key = Key(type.name);
  NoteType(key);
  types_.insert_or_assign(key, std::move(type));
}

void Schema::Add(Function function) {
  function.name = Placed(function.name);
  NoteFunctions(function.name.name);
  std::vector<Function>& overloads = functions_[function.name.name];
  const auto same = std::ranges::find_if(overloads, [&](const Function& other) {
    return other.name == function.name && other.arguments == function.arguments &&
           (function.types.empty() || other.TakesTypes(function.types));
  });
  if (same == overloads.end()) {
    overloads.push_back(std::move(function));
  } else {
    *same = std::move(function);
  }
}

void Schema::SetSize(const QualifiedName& table, std::int64_t rows,
                     std::optional<std::int64_t> bytes) {
  const auto found = tables_.find(Key(Resolve(table)));
  Table* target = nullptr;
  if (found == tables_.end()) {
    Table unseen;
    unseen.name = table;
    Add(std::move(unseen));
    target = &tables_.find(Key(Placed(table)))->second;
  } else {
    target = &found->second;
  }
  target->rows = rows;
  target->bytes = bytes;
}

const Table* Schema::Get(const std::string& key) const {
  const auto found = tables_.find(key);
  return found == tables_.end() ? nullptr : &found->second;
}

void Schema::Link(const std::string& key, const Table& table) {
  if (table.parent) {
    children_[Key(*table.parent)].insert(key);
    if (table.bound && table.bound->is_default) defaults_[Key(*table.parent)] = key;
  }
  for (const QualifiedName& parent : table.inherits) children_[Key(parent)].insert(key);
  for (const Constraint& constraint : table.constraints)
    if (constraint.definition.foreign_key)
      references_[Key(constraint.definition.foreign_key->target)].insert(key);
  for (const QualifiedName& source : table.reads) readers_[Key(source)].insert(key);
  for (const Column& column : table.columns)
    if (Followed(column)) typed_[TypeKey(column.type)].insert(key);
  if (!table.of_type.empty()) typed_[table.of_type].insert(key);
  if (table.owned_by) sequences_[Key(*table.owned_by)].insert(key);
  for (const Index& index : table.indexes) index_tables_[Key(index.name)] = key;
}

void Schema::Unlink(const std::string& key, const Table& table) {
  const auto cut = [&](Edges& edges, const std::string& target) {
    const auto found = edges.find(target);
    if (found == edges.end()) return;
    found->second.erase(key);
    if (found->second.empty()) edges.erase(found);
  };
  if (table.parent) {
    cut(children_, Key(*table.parent));
    if (table.bound && table.bound->is_default) defaults_.erase(Key(*table.parent));
  }
  for (const QualifiedName& parent : table.inherits) cut(children_, Key(parent));
  for (const Constraint& constraint : table.constraints)
    if (constraint.definition.foreign_key)
      cut(references_, Key(constraint.definition.foreign_key->target));
  for (const QualifiedName& source : table.reads) cut(readers_, Key(source));
  for (const Column& column : table.columns)
    if (Followed(column)) cut(typed_, TypeKey(column.type));
  if (!table.of_type.empty()) cut(typed_, table.of_type);
  if (table.owned_by) cut(sequences_, Key(*table.owned_by));
  for (const Index& index : table.indexes) index_tables_.erase(Key(index.name));
}

}  // namespace pgalter::catalog
