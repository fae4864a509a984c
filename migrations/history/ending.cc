#include "migrations/history/ending.h"

#include <fmt/format.h>

#include <algorithm>

#include "migrations/formats/text.h"
#include "planner/sql/ast/command.h"
#include "planner/sql/ast/object.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/line_index.h"
#include "planner/sql/script.h"

namespace pgalter::history {

namespace {

namespace ast = sql::ast;
using sql::Piece;
using sql::PieceKind;

bool IsEnd(const std::string& statement) {
  const auto read = ast::ReadStatement(statement);
  const auto* transaction = read ? read->As<ast::Transaction>() : nullptr;
  using Verb = ast::Transaction::Verb;
  return transaction != nullptr &&
         (transaction->verb == Verb::kCommit || transaction->verb == Verb::kRollback);
}

// Of a language that is not read here the words alone tell.
template <class Routine>
bool EndsTransactions(const Routine& routine) {
  if (routine.language == "sql") return false;
  if (routine.language != "plpgsql") {
    const std::string body = formats::Lower(routine.body);
    return body.find("commit") != std::string::npos || body.find("rollback") != std::string::npos;
  }
  const auto inside = ast::ReadPlpgsql(routine);
  return inside && std::ranges::any_of(inside->statements, IsEnd);
}

// As a CALL may name it: with its schema or without.
void Note(const sql::QualifiedName& procedure, std::vector<std::string>& names) {
  names.push_back(sql::ToString(sql::QualifiedName{std::nullopt, procedure.name}));
  if (procedure.schema) names.push_back(sql::ToString(procedure));
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::vector<Ending> FindEndings(const Script& script) {
  std::vector<Ending> endings;
  std::vector<std::string> committing = script.committing;
  const sql::LineIndex lines(script.text);
  for (const Piece& piece : sql::SplitScript(script.text)) {
    if (piece.kind != PieceKind::kStatement) continue;
    const auto read = ast::ReadStatement(piece.sql);
    if (!read) continue;
    const int line = lines.At(piece.span.begin).line;
    if (const auto* create = read->As<ast::CreateFunction>()) {
      if (create->procedure && EndsTransactions(*create)) Note(create->name, committing);
    } else if (const auto* block = read->As<ast::DoBlock>()) {
      if (EndsTransactions(*block)) endings.push_back({line, "this DO block"});
    } else if (const auto* call = read->As<ast::Call>()) {
      const std::string name = sql::ToString(call->procedure);
      if (Has(committing, name)) endings.push_back({line, fmt::format("the procedure {}", name)});
    }
  }
  return endings;
}

Task<> LearnCalled(guard::Session& session, Script& script) {
  for (const Piece& piece : sql::SplitScript(script.text)) {
    if (piece.kind != PieceKind::kStatement) continue;
    const auto read = ast::ReadStatement(piece.sql);
    const auto* call = read ? read->As<ast::Call>() : nullptr;
    if (call == nullptr) continue;
    const pg::Result rows = co_await session.db().Query(
        "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n"
        " ON n.oid = p.pronamespace WHERE p.prokind = 'p' AND p.proname = $1"
        " AND $2::text IN ('', n.nspname::text)",
        call->procedure.name, call->procedure.schema.value_or(""));
    for (int i = 0; i < rows.rows(); ++i) {
      const auto made = ast::ReadStatement(rows.Get<std::string>(i, 0));
      const auto* create = made ? made->As<ast::CreateFunction>() : nullptr;
      if (create != nullptr && EndsTransactions(*create)) Note(create->name, script.committing);
    }
  }
}

}  // namespace pgalter::history
