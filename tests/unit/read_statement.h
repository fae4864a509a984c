#pragma once

// Statements read in tests: what cannot be read fails the test and comes as an empty value.

#include <gtest/gtest.h>

#include <string_view>

#include "planner/sql/ast/statement.h"

namespace pgalter::sql::ast {

inline Statement Read(std::string_view sql) {
  auto statement = ReadStatement(sql);
  if (statement) return *std::move(statement);
  ADD_FAILURE() << sql << ": " << statement.error().message;
  return {};
}

template <class T>
T ReadAs(std::string_view sql) {
  Statement statement = Read(sql);
  if (auto* body = std::get_if<T>(&statement.body)) return std::move(*body);
  ADD_FAILURE() << sql << " is read as kind " << statement.body.index();
  return {};
}

// Of ALTER TABLE t with one command.
inline TableCommand ReadCommand(std::string_view command) {
  auto table = ReadAs<AlterTable>("ALTER TABLE t " + std::string(command));
  EXPECT_EQ(table.commands.size(), 1U) << command;
  return table.commands.empty() ? TableCommand{} : std::move(table.commands.front());
}

}  // namespace pgalter::sql::ast
