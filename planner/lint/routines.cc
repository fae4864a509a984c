#include "planner/lint/routines.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "planner/sql/script.h"

namespace pgalter::lint {

using sql::ast::CreateFunction;
using sql::ast::Embedded;

namespace {

Embedded ReadSqlBody(const std::string& body) {
  Embedded read;
  for (const sql::Piece& piece : sql::SplitScript(body)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    read.statements.push_back(piece.sql);
    read.lines.push_back(1);
    read.in_loop.push_back(false);
  }
  return read;
}

std::optional<Embedded> ReadBody(const CreateFunction& routine) {
  if (routine.language == "sql") return ReadSqlBody(routine.body);
  auto read = sql::ast::ReadPlpgsql(routine);
  if (!read) return std::nullopt;
  return *std::move(read);
}

}  // namespace

void Routines::Learn(const sql::ast::Statement& statement) {
  const auto* create = statement.As<CreateFunction>();
  if (create == nullptr) return;
  std::vector<CreateFunction>& overloads = made_[create->name.name];
  std::erase_if(overloads, [&](const CreateFunction& other) {
    return other.name == create->name && other.types == create->types;
  });
  overloads.push_back(*create);
}

void Routines::AddBodies(const std::string& name, int arguments,
                         std::vector<Embedded>& bodies) const {
  const auto found = made_.find(name);
  if (found == made_.end()) return;
  for (const CreateFunction& routine : found->second) {
    const bool fits =
        arguments < 0 || (arguments <= routine.arguments &&
                          arguments >= routine.arguments - routine.optional_arguments);
    if (!fits) continue;
    if (auto body = ReadBody(routine)) bodies.push_back(std::move(*body));
    return;
  }
}

std::vector<Embedded> Routines::Inside(const sql::ast::Statement& statement) const {
  std::vector<Embedded> bodies;
  if (const auto* block = statement.As<sql::ast::DoBlock>()) {
    if (auto body = sql::ast::ReadPlpgsql(*block)) bodies.push_back(*std::move(body));
  } else if (const auto* call = statement.As<sql::ast::Call>()) {
    AddBodies(call->procedure.name, -1, bodies);
  } else if (const auto* select = statement.As<sql::ast::Select>(); select && !made_.empty()) {
    for (const sql::FunctionUse& use : select->functions)
      if (!use.name.empty()) AddBodies(use.name.back(), use.arguments, bodies);
  }
  return bodies;
}

}  // namespace pgalter::lint
