#include <algorithm>

#include "planner/catalog/key.h"
#include "planner/catalog/schema.h"

namespace pgalter::catalog {
namespace {

constexpr const char* kTemporary = "pg_temp";

using sql::ast::ConstraintKind;

// A name that was written without a schema and never found points at any table of that name.
bool PointsAt(const QualifiedName& written, const QualifiedName& table) {
  return written.name == table.name && (!written.schema || written.schema == table.schema);
}

// Keys of tables that point at this one.
template <class Edges>
std::vector<const std::string*> Follow(const Edges& edges, const QualifiedName& target) {
  std::vector<const std::string*> keys;
  for (const std::string& from : {Key(target), Key("", target.name)}) {
    const auto found = edges.find(from);
    if (found == edges.end()) continue;
    for (const std::string& key : found->second) keys.push_back(&key);
  }
  return keys;
}

bool Proves(const Constraint& constraint, const std::string& column) {
  if (!constraint.valid || constraint.definition.not_enforced) return false;
  const auto names = [&](const std::vector<std::string>& list) {
    return std::ranges::find(list, column) != list.end();
  };
  switch (constraint.definition.kind) {
    case ConstraintKind::kPrimaryKey:
    case ConstraintKind::kNotNull:
      return names(constraint.definition.columns);
    case ConstraintKind::kCheck:
      return constraint.definition.expression &&
             names(constraint.definition.expression->not_null_columns);
    default:
      return false;
  }
}

}  // namespace

QualifiedName Schema::Resolve(const QualifiedName& name) const {
  if (name.schema) return name;
  const auto known = [&](const std::string& schema) {
    const std::string key = Key(schema, name.name);
    return tables_.contains(key) || index_tables_.contains(key);
  };
  if (has_temporary_ && known(kTemporary)) return {kTemporary, name.name};
  for (const std::string& schema : search_path_)
    if (known(schema)) return {schema, name.name};
  return name;
}

QualifiedName Schema::Placed(const QualifiedName& name) const {
  if (name.schema) return name;
  return {search_path_.empty() ? std::string("public") : search_path_.front(), name.name};
}

const Table* Schema::FindTable(const QualifiedName& name) const {
  if (name.schema) return Get(Key(name));
  if (has_temporary_)
    if (const Table* table = Get(Key(kTemporary, name.name))) return table;
  for (const std::string& schema : search_path_)
    if (const Table* table = Get(Key(schema, name.name))) return table;
  return nullptr;
}

bool Schema::ShowsHistory() const {
  return complete_ || std::ranges::any_of(tables_, [](const auto& entry) {
           return entry.second.complete && entry.second.origin == Origin::kBefore;
         });
}

const Table* Schema::TableOfIndex(const QualifiedName& index) const {
  const auto in = [&](const std::string& schema) -> const Table* {
    const auto found = index_tables_.find(Key(schema, index.name));
    return found == index_tables_.end() ? nullptr : Get(found->second);
  };
  if (index.schema) return in(*index.schema);
  if (has_temporary_)
    if (const Table* table = in(kTemporary)) return table;
  for (const std::string& schema : search_path_)
    if (const Table* table = in(schema)) return table;
  return nullptr;
}

const Index* Schema::FindIndex(const QualifiedName& name) const {
  const Table* table = TableOfIndex(name);
  return table == nullptr ? nullptr : table->FindIndex(name.name);
}

const Domain* Schema::FindDomain(const sql::ast::TypeName& type) const {
  if (type.array_dimensions != 0 || domains_.empty()) return nullptr;
  const auto in = [&](const std::string& schema) -> const Domain* {
    const auto found = domains_.find(Key(schema, type.name));
    return found == domains_.end() ? nullptr : &found->second;
  };
  if (!type.schema.empty()) return in(type.schema);
  for (const std::string& schema : search_path_)
    if (const Domain* domain = in(schema)) return domain;
  return nullptr;
}

const Type* Schema::FindType(const sql::ast::TypeName& type) const {
  if (types_.empty()) return nullptr;
  const auto in = [&](const std::string& schema) -> const Type* {
    const auto found = types_.find(Key(schema, type.name));
    return found == types_.end() ? nullptr : &found->second;
  };
  if (!type.schema.empty()) return in(type.schema);
  for (const std::string& schema : search_path_)
    if (const Type* found = in(schema)) return found;
  return nullptr;
}

const Function* Schema::FindFunction(const std::vector<std::string>& name, int arguments) const {
  if (name.empty()) return nullptr;
  const auto overloads = functions_.find(name.back());
  if (overloads == functions_.end()) return nullptr;
  const auto in = [&](const std::string& schema) -> const Function* {
    const Function* found = nullptr;
    for (const Function& function : overloads->second) {
      if (*function.name.schema != schema || arguments > function.arguments ||
          arguments < function.arguments - function.optional_arguments)
        continue;
      found = &function;
    }
    return found;
  };
  if (name.size() > 1) return in(name[name.size() - 2]);
  for (const std::string& schema : search_path_)
    if (const Function* function = in(schema)) return function;
  return nullptr;
}

bool Schema::IsNew(const QualifiedName& table) const {
  const Table* found = FindTable(table);
  return found != nullptr && found->origin == Origin::kInRun;
}

std::vector<const Table*> Schema::Partitions(const QualifiedName& parent) const {
  std::vector<const Table*> partitions;
  const QualifiedName resolved = Placed(Resolve(parent));
  for (const std::string* key : Follow(children_, resolved)) {
    const Table* child = Get(*key);
    if (child != nullptr && child->parent && PointsAt(*child->parent, resolved))
      partitions.push_back(child);
  }
  return partitions;
}

std::vector<const Table*> Schema::Children(const QualifiedName& parent) const {
  std::vector<const Table*> children = Partitions(parent);
  const QualifiedName resolved = Placed(Resolve(parent));
  for (const std::string* key : Follow(children_, resolved)) {
    const Table* child = Get(*key);
    if (child == nullptr) continue;
    const bool inherits = std::ranges::any_of(
        child->inherits, [&](const QualifiedName& name) { return PointsAt(name, resolved); });
    if (inherits) children.push_back(child);
  }
  return children;
}

const Table* Schema::DefaultPartition(const QualifiedName& parent) const {
  if (defaults_.empty()) return nullptr;
  const auto found = defaults_.find(Key(Placed(Resolve(parent))));
  return found == defaults_.end() ? nullptr : Get(found->second);
}

std::vector<std::pair<const Table*, const Constraint*>> Schema::References(
    const QualifiedName& target) const {
  std::vector<std::pair<const Table*, const Constraint*>> references;
  const QualifiedName resolved = Placed(Resolve(target));
  for (const std::string* key : Follow(references_, resolved)) {
    const Table* table = Get(*key);
    if (table == nullptr) continue;
    for (const Constraint& constraint : table->constraints) {
      const auto& foreign_key = constraint.definition.foreign_key;
      if (foreign_key && PointsAt(foreign_key->target, resolved))
        references.emplace_back(table, &constraint);
    }
  }
  return references;
}

std::vector<const Table*> Schema::Views(const QualifiedName& table) const {
  std::vector<const Table*> views;
  const QualifiedName resolved = Placed(Resolve(table));
  for (const std::string* key : Follow(readers_, resolved)) {
    const Table* view = Get(*key);
    if (view == nullptr) continue;
    const bool reads = std::ranges::any_of(
        view->reads, [&](const QualifiedName& name) { return PointsAt(name, resolved); });
    if (reads) views.push_back(view);
  }
  return views;
}

QualifiedName Schema::ResolveType(const QualifiedName& name) const {
  if (name.schema) return name;
  const sql::ast::TypeName type{"", name.name, {}, 0};
  if (const Domain* domain = FindDomain(type)) return domain->name;
  if (const Type* found = FindType(type)) return found->name;
  return name;
}

std::vector<std::pair<const Table*, const Column*>> Schema::ColumnsOfType(
    const QualifiedName& type) const {
  std::vector<std::pair<const Table*, const Column*>> columns;
  const QualifiedName resolved = ResolveType(type);
  for (const std::string* key : Follow(typed_, resolved)) {
    const Table* table = Get(*key);
    if (table == nullptr) continue;
    for (const Column& column : table->columns)
      if (column.type.name == resolved.name &&
          (column.type.schema.empty() || column.type.schema == resolved.schema))
        columns.emplace_back(table, &column);
  }
  return columns;
}

std::vector<const Table*> Schema::TypedTables(const QualifiedName& type) const {
  std::vector<const Table*> tables;
  const QualifiedName resolved = ResolveType(type);
  for (const std::string* key : Follow(typed_, resolved)) {
    const Table* table = Get(*key);
    if (table != nullptr && table->of_type == Key(resolved)) tables.push_back(table);
  }
  return tables;
}

std::vector<const Table*> Schema::OwnedSequences(const QualifiedName& table) const {
  std::vector<const Table*> sequences;
  const QualifiedName resolved = Placed(Resolve(table));
  for (const std::string* key : Follow(sequences_, resolved)) {
    const Table* sequence = Get(*key);
    if (sequence != nullptr && sequence->owned_by && PointsAt(*sequence->owned_by, resolved))
      sequences.push_back(sequence);
  }
  return sequences;
}

std::vector<const Table*> Schema::TablesIn(const std::string& schema) const {
  std::vector<const Table*> tables;
  const std::string prefix = schema + '.';
  for (auto place = tables_.lower_bound(prefix);
       place != tables_.end() && place->first.starts_with(prefix); ++place)
    if (place->second.name.schema == schema) tables.push_back(&place->second);
  return tables;
}

std::vector<ViewOutput> Schema::OutputsOf(const sql::ast::CreateView& view) const {
  const auto type_in = [](const Table& table,
                          const std::string& name) -> std::optional<sql::ast::TypeName> {
    if (const Column* column = table.FindColumn(name); column != nullptr && column->known)
      return column->type;
    const auto output = std::ranges::find(table.view_outputs, name, &ViewOutput::name);
    return output == table.view_outputs.end() ? std::nullopt : output->type;
  };
  std::vector<ViewOutput> outputs;
  for (const sql::ast::ViewColumn& column : view.outputs) {
    ViewOutput output{column.name, column.cast};
    // An alias may stand for any of several tables.
    if (column.column && view.reads.size() == 1)
      if (const Table* table = FindTable(view.reads.front()))
        output.type = type_in(*table, column.column->name);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

Truth Schema::HasSchema(const std::string& name) const {
  if (name == "public" || schemas_.contains(name) || !TablesIn(name).empty()) return Truth::kYes;
  return complete_ ? Truth::kNo : Truth::kUnknown;
}

Truth Schema::NotNullProven(const QualifiedName& table, const std::string& column) const {
  const Table* found = FindTable(table);
  if (found == nullptr) return Truth::kUnknown;
  const Column* known = found->FindColumn(column);
  if (known != nullptr && (known->not_null || known->identity)) return Truth::kYes;
  if (std::ranges::any_of(found->constraints,
                          [&](const Constraint& item) { return Proves(item, column); }))
    return Truth::kYes;
  // A column that was seen coming is known with all its constraints.
  if (known != nullptr && known->known) return Truth::kNo;
  return found->complete ? Truth::kNo : Truth::kUnknown;
}

}  // namespace pgalter::catalog
