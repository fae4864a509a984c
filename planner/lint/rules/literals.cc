#include "planner/lint/rules/literals.h"

namespace pgalter::lint {

namespace ast = sql::ast;
using Strings = std::vector<std::string>;
using Names = std::vector<catalog::QualifiedName>;

namespace {

template <class List>
void Append(List& list, const List& more) {
  list.insert(list.end(), more.begin(), more.end());
}

void Add(Strings& strings, const std::optional<ast::Expression>& expression) {
  if (expression) Append(strings, expression->literals);
}

void Add(Strings& strings, const ast::ColumnDefinition& column) {
  for (const auto& constraint : column.constraints) Add(strings, constraint.expression);
}

// FOR VALUES IN ('x') holds SQL texts.
void Add(Strings& strings, const ast::PartitionBound& bound) {
  for (const auto* list : {&bound.from, &bound.to, &bound.values})
    for (const std::string& text : *list)
      if (text.size() >= 2 && text.front() == '\'')
        strings.push_back(text.substr(1, text.size() - 2));
}

void Add(Strings& strings, const ast::Modify& modify) {
  Append(strings, modify.literals);
  for (const ast::Modify& inner : modify.within) Add(strings, inner);
}

void Add(Names& names, const ast::Modify& modify) {
  names.push_back(modify.table);
  Append(names, modify.reads);
  for (const ast::Modify& inner : modify.within) Add(names, inner);
}

struct Gather {
  Strings strings;

  void operator()(const ast::Modify& modify) { Add(strings, modify); }
  void operator()(const ast::Select& select) {
    Append(strings, select.literals);
    for (const ast::Modify& inner : select.within) Add(strings, inner);
  }
  void operator()(const ast::AlterTable& alter) {
    for (const auto& command : alter.commands) {
      Add(strings, command.expression);
      if (command.column) Add(strings, *command.column);
      if (command.constraint) Add(strings, command.constraint->expression);
      if (command.bound) Add(strings, *command.bound);
    }
  }
  void operator()(const ast::CreateTable& create) {
    for (const auto& column : create.columns) Add(strings, column);
    for (const auto& constraint : create.constraints) Add(strings, constraint.expression);
    if (create.bound) Add(strings, *create.bound);
  }
  void operator()(const ast::CreateIndex& index) {
    Add(strings, index.where);
    for (const auto& column : index.columns) Add(strings, column.expression);
  }
  void operator()(const ast::CreateView& view) { Append(strings, view.literals); }
  void operator()(const ast::CreateTableAs& copy) { Append(strings, copy.literals); }
  void operator()(const ast::Policy& policy) { Append(strings, policy.literals); }
  void operator()(const ast::CreateDomain& domain) {
    for (const auto& constraint : domain.constraints) Add(strings, constraint.expression);
  }
  void operator()(const ast::AlterDomain& domain) {
    if (domain.constraint) Add(strings, domain.constraint->expression);
  }
  template <class Any>
  void operator()(const Any& /*statement*/) {}
};

}  // namespace

Strings LiteralsOf(const ast::Statement& statement) {
  Gather gather;
  std::visit(gather, statement.body);
  return std::move(gather.strings);
}

Names TablesOf(const ast::Statement& statement) {
  Names names;
  if (const auto* modify = statement.As<ast::Modify>()) Add(names, *modify);
  if (const auto* select = statement.As<ast::Select>()) {
    names = select->reads;
    for (const ast::Modify& inner : select->within) Add(names, inner);
  }
  if (const auto* alter = statement.As<ast::AlterTable>()) names.push_back(alter->name);
  if (const auto* create = statement.As<ast::CreateTable>()) {
    if (create->partition_of) names.push_back(*create->partition_of);
  }
  if (const auto* index = statement.As<ast::CreateIndex>()) names.push_back(index->table);
  if (const auto* view = statement.As<ast::CreateView>()) names = view->reads;
  if (const auto* copy = statement.As<ast::CreateTableAs>()) names = copy->reads;
  if (const auto* policy = statement.As<ast::Policy>()) {
    names = policy->reads;
    names.push_back(policy->table);
  }
  return names;
}

}  // namespace pgalter::lint
