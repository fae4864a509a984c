// Views, routines, types, and the settings that change what a name means.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;
using sql::ast::TableChange;

void AddOnce(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

// domain_check, domain_check1, …
void AddCheck(Domain& domain, sql::ast::Constraint check) {
  const auto taken = [&](const std::string& name) {
    return std::ranges::find(domain.constraints, name, &sql::ast::Constraint::name) !=
           domain.constraints.end();
  };
  if (check.name.empty()) {
    check.name = domain.name.name + "_check";
    for (int number = 1; taken(check.name); ++number)
      check.name = domain.name.name + "_check" + std::to_string(number);
  }
  domain.constraints.push_back(std::move(check));
}

// 'public, "Other"' as a list; "$user" is a role that a linter does not know.
std::vector<std::string> SplitPath(const std::string& value) {
  std::vector<std::string> path;
  std::string part;
  bool quoted = false;
  const auto end_part = [&] {
    if (!part.empty() && part != "$user") path.push_back(part);
    part.clear();
  };
  for (const char c : value) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      end_part();
    } else if ((c != ' ' && c != '\'') || quoted) {
      part += c;
    }
  }
  end_part();
  return path;
}

}  // namespace

std::vector<sql::ColumnUse> Change::ResolveUses(const std::vector<QualifiedName>& reads,
                                                const std::vector<sql::ColumnUse>& uses) const {
  std::vector<const Table*> tables;
  bool all_known = true;
  for (const QualifiedName& name : reads) {
    const Table* table = schema_.FindTable(name);
    if (table != nullptr) tables.push_back(table);
    all_known = all_known && table != nullptr && (table->complete || reads.size() == 1);
  }
  std::vector<sql::ColumnUse> resolved;
  const auto add = [&](const Table& table, const std::string& column) {
    resolved.push_back({table.name.schema.value_or(""), table.name.name, column, false});
  };
  for (const sql::ColumnUse& use : uses) {
    const auto may_mean = [&](const Table& table) {
      return use.qualifier.empty() || use.qualifier == table.name.name || tables.size() == 1;
    };
    if (use.whole_row) {
      bool spelled = all_known;
      for (const Table* table : tables) spelled = spelled && table->complete;
      // With an alias before the star and several tables, which one it means is not told.
      const bool alias = !use.qualifier.empty() && tables.size() > 1 &&
                         std::ranges::none_of(tables, [&](const Table* table) {
                           return table->name.name == use.qualifier;
                         });
      if (!spelled || alias) {
        resolved.push_back(use);
        continue;
      }
      for (const Table* table : tables)
        if (may_mean(*table))
          for (const Column& column : table->columns) add(*table, column.name);
      continue;
    }
    std::vector<const Table*> owners;
    for (const Table* table : tables)
      if (may_mean(*table) && (table->FindColumn(use.name) != nullptr || reads.size() == 1))
        owners.push_back(table);
    // An alias of one of several tables: certain only where one alone has such a column.
    if (owners.empty() && all_known)
      for (const Table* table : tables)
        if (table->FindColumn(use.name) != nullptr) owners.push_back(table);
    if (owners.size() == 1 && all_known) {
      add(*owners.front(), use.name);
    } else {
      resolved.push_back(use);
    }
  }
  return resolved;
}

void Change::operator()(const sql::ast::CreateView& statement) {
  QualifiedName name = statement.name;
  if (statement.temporary) name.schema = "pg_temp";
  Table view;
  view.name = schema_.Placed(name);
  view.kind = TableKind::kView;
  view.origin = NewOrigin();
  if (const Table* replaced = statement.replace ? Find(view.name) : nullptr) {
    view.origin = replaced->origin;
    view.owner = replaced->owner;
    view.triggers = replaced->triggers;
    view.rules = replaced->rules;
  }
  for (const QualifiedName& source : statement.reads) view.reads.push_back(Target(source));
  view.view_columns = ResolveUses(statement.reads, statement.columns);
  view.view_outputs = schema_.OutputsOf(statement);
  Insert(std::move(view));
}

void Change::operator()(const sql::ast::CreateTrigger& statement) {
  Table& table = Open(statement.table);
  std::erase_if(table.triggers,
                [&](const Trigger& trigger) { return trigger.name == statement.name; });
  Trigger trigger{statement.name, statement.columns, statement.function, {}};
  for (const sql::ColumnUse& use : statement.when_columns)
    if (!use.name.empty()) AddOnce(trigger.columns_read, use.name);
  table.triggers.push_back(std::move(trigger));
}

void Change::operator()(const sql::ast::CreateFunction& statement) {
  Function function;
  function.name = schema_.Placed(statement.name);
  function.arguments = statement.arguments;
  function.optional_arguments = statement.optional_arguments;
  function.types = statement.types;
  function.names = statement.names;
  function.result = statement.result;
  function.procedure = statement.procedure;
  function.volatility = statement.volatility.value_or(sql::ast::Volatility::kVolatile);
  function.language = statement.language;
  function.body = statement.body;
  function.origin = NewOrigin();
  schema_.Add(std::move(function));
}

void Change::operator()(const sql::ast::AlterFunction& statement) {
  const auto overloads = schema_.functions_.find(statement.name.name);
  if (overloads == schema_.functions_.end() || !statement.volatility) return;
  schema_.NoteFunctions(statement.name.name);
  for (Function& function : overloads->second)
    if (function.IsMeant(statement.name, statement.arguments))
      function.volatility = *statement.volatility;
}

void Change::operator()(const sql::ast::CreateRule& statement) {
  AddOnce(Open(statement.table).rules, statement.name);
}

void Change::operator()(const sql::ast::Policy& statement) {
  Table& table = Open(statement.table);
  AddOnce(table.policies, statement.name);
  for (const sql::ColumnUse& use : statement.columns)
    if (!use.name.empty()) AddOnce(table.policy_columns, use.name);
}

void Change::operator()(const sql::ast::CreateType& statement) {
  Type type;
  type.name = schema_.Placed(statement.name);
  type.shape = statement.shape;
  type.values = statement.values;
  for (const sql::ast::ColumnDefinition& attribute : statement.attributes)
    type.attributes.push_back(MakeColumn(attribute));
  type.origin = NewOrigin();
  schema_.Add(std::move(type));
}

void Change::operator()(const sql::ast::AlterEnum& statement) {
  Type* type = FindType(statement.name);
  if (type == nullptr) return;
  std::vector<std::string>& values = type->values;
  if (!statement.old_value.empty()) {
    std::ranges::replace(values, statement.old_value, statement.new_value);
    return;
  }
  if (std::ranges::find(values, statement.new_value) != values.end()) return;
  auto place =
      statement.neighbour.empty() ? values.end() : std::ranges::find(values, statement.neighbour);
  if (place != values.end() && statement.after) ++place;
  values.insert(place, statement.new_value);
}

void Change::operator()(const sql::ast::AlterComposite& statement) {
  Type* type = FindType(statement.name);
  if (type == nullptr) return;
  const QualifiedName name = type->name;
  std::vector<Column>& attributes = type->attributes;
  for (const sql::ast::TableCommand& command : statement.commands) {
    if (command.change == TableChange::kAddColumn && command.column) {
      attributes.push_back(MakeColumn(*command.column));
    } else if (command.change == TableChange::kDropColumn) {
      std::erase_if(attributes, [&](const Column& column) { return column.name == command.name; });
    } else if (command.change == TableChange::kSetType && command.type) {
      for (Column& column : attributes)
        if (column.name == command.name) column.type = ResolveType(*command.type);
    }
    for (const QualifiedName& table : NamesOf(schema_.TypedTables(name)))
      if (Table* typed = Find(table)) Alter(*typed, command, true);
  }
}

void Change::operator()(const sql::ast::CreateDomain& statement) {
  Domain domain;
  domain.name = schema_.Placed(statement.name);
  domain.base = ResolveType(statement.type);
  for (const sql::ast::Constraint& constraint : statement.constraints)
    if (constraint.kind == ConstraintKind::kDefault) domain.default_value = constraint.expression;
  domain.origin = NewOrigin();
  for (const sql::ast::Constraint& constraint : statement.constraints) {
    if (constraint.kind == ConstraintKind::kNotNull) {
      domain.not_null = true;
    } else if (constraint.kind == ConstraintKind::kDefault) {
      domain.has_default = !(constraint.expression && constraint.expression->is_null);
    } else if (constraint.kind == ConstraintKind::kCheck) {
      AddCheck(domain, constraint);
    }
  }
  schema_.Add(std::move(domain));
}

void Change::operator()(const sql::ast::AlterDomain& statement) {
  using Alteration = sql::ast::AlterDomain::Change;
  Domain* found = FindDomain(statement.name);
  if (found == nullptr) return;
  Domain& domain = *found;
  switch (statement.change) {
    case Alteration::kSetDefault:
      domain.has_default = !(statement.constraint && statement.constraint->expression &&
                             statement.constraint->expression->is_null);
      domain.default_value.reset();
      if (statement.constraint) domain.default_value = statement.constraint->expression;
      break;
    case Alteration::kDropDefault:
      domain.has_default = false;
      break;
    case Alteration::kSetNotNull:
      domain.not_null = true;
      break;
    case Alteration::kDropNotNull:
      domain.not_null = false;
      break;
    case Alteration::kAddConstraint:
      if (!statement.constraint) break;
      if (statement.constraint->kind == ConstraintKind::kNotNull) {
        domain.not_null = true;
      } else {
        AddCheck(domain, *statement.constraint);
      }
      break;
    case Alteration::kDropConstraint:
      std::erase_if(domain.constraints, [&](const sql::ast::Constraint& constraint) {
        return constraint.name == statement.constraint_name;
      });
      break;
    case Alteration::kValidateConstraint:
      for (sql::ast::Constraint& constraint : domain.constraints)
        if (constraint.name == statement.constraint_name) constraint.not_valid = false;
      break;
  }
}

void Change::operator()(const sql::ast::Sequence& statement) {
  if (statement.create && !(statement.if_not_exists && Find(statement.name) != nullptr)) {
    Table sequence;
    sequence.name = schema_.Placed(statement.name);
    sequence.kind = TableKind::kSequence;
    sequence.origin = NewOrigin();
    sequence.complete = true;
    Insert(std::move(sequence));
  }
  if (!statement.owner_table) return;
  const Table* owner = schema_.FindTable(*statement.owner_table);
  if (owner != nullptr && owner->kind == TableKind::kSequence) return;
  Table& sequence = Open(statement.name);
  Edit(sequence, [&](Table& target) {
    target.kind = TableKind::kSequence;
    target.owned_by = Target(*statement.owner_table);
    target.owned_by_column = statement.owner_column;
  });
}

void Change::SetSearchPath(const std::string& value, bool reset, bool local) {
  std::vector<std::string> path = reset ? std::vector<std::string>{"public"} : SplitPath(value);
  if (local && !schema_.path_after_transaction_)
    schema_.path_after_transaction_ = schema_.search_path_;
  if (!local) schema_.path_after_transaction_.reset();
  schema_.search_path_ = std::move(path);
}

void Change::operator()(const sql::ast::Set& statement) {
  if (statement.name == "search_path" || (statement.reset && statement.name == "all"))
    SetSearchPath(statement.value, statement.reset, statement.local);
}

// SELECT set_config('search_path', '…', false), as pg_dump writes it.
void Change::operator()(const sql::ast::Select& statement) {
  if (statement.functions.size() != 1 || statement.functions.front().name.empty() ||
      statement.functions.front().name.back() != "set_config" || statement.literals.size() < 2 ||
      statement.literals.front() != "search_path")
    return;
  SetSearchPath(statement.literals[1], false, false);
}

void Change::operator()(const sql::ast::Extension& statement) {
  if (statement.create) schema_.AddExtension(statement.name);
}

void Change::operator()(const sql::ast::CreateSchema& statement) {
  schema_.AddSchema(statement.name);
  for (const sql::ast::Sequence& sequence : statement.sequences) (*this)(sequence);
  for (const sql::ast::CreateTable& table : statement.tables) (*this)(table);
  for (const sql::ast::CreateView& view : statement.views) (*this)(view);
  for (const sql::ast::CreateIndex& index : statement.indexes) (*this)(index);
}

void Change::operator()(const sql::ast::Transaction& statement) {
  using Verb = sql::ast::Transaction::Verb;
  std::vector<UndoLevel>& undo = schema_.undo_;
  const auto named = [&]() -> std::size_t {
    for (std::size_t i = undo.size(); i > 1; --i)
      if (undo[i - 1].savepoint == statement.name) return i - 1;
    return undo.size();
  };
  switch (statement.verb) {
    case Verb::kBegin:
      if (undo.empty()) schema_.BeginTransaction();
      break;
    case Verb::kCommit:
    case Verb::kPrepare:
    case Verb::kRollback:
      if (schema_.path_after_transaction_) {
        schema_.search_path_ = *schema_.path_after_transaction_;
        schema_.path_after_transaction_.reset();
      }
      if (statement.verb == Verb::kRollback) schema_.Rollback(0);
      undo.clear();
      break;
    case Verb::kSavepoint:
      if (undo.empty()) break;
      schema_.BeginTransaction();
      undo.back().savepoint = statement.name;
      break;
    case Verb::kRelease:
      for (const std::size_t first = named(); undo.size() > first;) {
        UndoLevel released = std::move(undo.back());
        undo.pop_back();
        undo.back().Merge(std::move(released));
      }
      break;
    case Verb::kRollbackTo: {
      const std::size_t level = named();
      if (level == undo.size()) break;
      schema_.Rollback(level);
      schema_.BeginTransaction();
      undo.back().savepoint = statement.name;
      break;
    }
    default:
      break;
  }
}

}  // namespace pgalter::catalog
