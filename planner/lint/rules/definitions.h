#pragma once

// What rules about definitions ask: the columns and constraints that a statement makes.

#include <string>
#include <utility>
#include <vector>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

inline void Say(const Reporter& report, std::string message) {
  Remark remark;
  remark.message = std::move(message);
  report(std::move(remark));
}

// Calls `visit(table, column)` for every column that CREATE TABLE or ADD COLUMN makes.
template <class Visit>
void ForEachNewColumn(const Context& context, const Visit& visit) {
  if (const auto* table = context.statement.As<sql::ast::CreateTable>())
    for (const auto& column : table->columns) visit(table->name, column);
  ForEachCommand(context, sql::ast::TableChange::kAddColumn,
                 [&](const auto& alter, const auto& command, int) {
                   if (command.column) visit(alter.name, *command.column);
                 });
}

// Calls `visit(table, constraint, columns)` for every constraint that is made, wherever it stands.
template <class Visit>
void ForEachNewConstraint(const Context& context, const Visit& visit) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    for (const auto& constraint : column.constraints)
      visit(table, constraint, std::vector{column.name});
  });
  if (const auto* table = context.statement.As<sql::ast::CreateTable>())
    for (const auto& constraint : table->constraints)
      visit(table->name, constraint, constraint.columns);
  ForEachCommand(context, sql::ast::TableChange::kAddConstraint,
                 [&](const auto& alter, const auto& command, int) {
                   if (command.constraint)
                     visit(alter.name, *command.constraint, command.constraint->columns);
                 });
}

}  // namespace pgalter::lint
