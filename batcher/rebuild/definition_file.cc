#include "batcher/rebuild/definition_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "engine/run/failure.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/identifier.h"
#include "planner/sql/relocate.h"
#include "planner/sql/script.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

constexpr std::size_t kShown = 60;

std::string Shown(std::string_view statement) {
  std::string shown(statement.substr(0, kShown));
  std::ranges::replace(shown, '\n', ' ');
  return statement.size() > kShown ? shown + "…" : shown;
}

class Reader {
 public:
  Reader(const std::string& table, std::string schema) : schema_(std::move(schema)) {
    table_ = *sql::ParseQualifiedName(table);
  }

  std::vector<DefinitionStatement> Read(std::string_view text) {
    std::vector<DefinitionStatement> statements;
    for (const sql::Piece& piece : sql::SplitScript(text)) {
      if (piece.kind == sql::PieceKind::kComments) continue;
      shown_ = Shown(piece.sql);
      if (piece.kind != sql::PieceKind::kStatement) Refuse("is no SQL statement");
      const auto statement = sql::ast::ReadStatement(piece.sql);
      if (!statement) Refuse(statement.error().message);
      Check(*statement);
      const auto moved = sql::MoveDefinition(piece.sql, schema_);
      if (!moved) Refuse(moved.error().message);
      statements.push_back({*moved, shown_});
    }
    if (!made_.contains(table_.name)) {
      shown_.clear();
      throw Failure(ExitCode::kUsage,
                    fmt::format("the definition has no CREATE TABLE {}", sql::ToString(table_)));
    }
    return statements;
  }

 private:
  [[noreturn]] void Refuse(std::string_view why, ExitCode code = ExitCode::kUsage) const {
    throw Failure(code, fmt::format("\"{}\" of --definition: {}", shown_, why));
  }

  void Check(const sql::ast::Statement& statement) {
    if (const auto* create = statement.As<sql::ast::CreateTable>()) {
      CheckTable(*create);
    } else if (const auto* index = statement.As<sql::ast::CreateIndex>()) {
      CheckName(index->table);
      if (!made_.contains(index->table.name)) Refuse("this file does not make the table before");
      if (index->only || index->concurrently)
        Refuse("write it without ONLY and CONCURRENTLY: nobody uses the new table yet");
    } else {
      Refuse(
          "only CREATE TABLE, CREATE TABLE … PARTITION OF and CREATE INDEX make the definition; "
          "triggers, grants, views and the like come over from the table as it is");
    }
  }

  void CheckTable(const sql::ast::CreateTable& table) {
    CheckName(table.name);
    if (table.persistence == sql::ast::Persistence::kTemporary || table.foreign ||
        !table.of_type.empty() || (!table.inherits.empty() && !table.partition_of))
      Refuse("a new table is no temporary, foreign, typed or inheriting one");
    CheckForeignKeys(table);
    if (table.partition_of) {
      CheckName(*table.partition_of);
      if (!made_.contains(table.partition_of->name))
        Refuse("this file does not make its parent before");
    } else if (table.name.name != table_.name) {
      Refuse(fmt::format("only {} and its partitions are made", sql::ToString(table_)));
    }
    if (!made_.insert(table.name.name).second) Refuse("this name is taken by a statement before");
  }

  void CheckForeignKeys(const sql::ast::CreateTable& table) const {
    using sql::ast::ConstraintKind;
    const bool in_table = std::ranges::any_of(table.constraints, [](const auto& constraint) {
      return constraint.kind == ConstraintKind::kForeignKey;
    });
    const bool in_column = std::ranges::any_of(table.columns, [](const auto& column) {
      return column.Find(ConstraintKind::kForeignKey) != nullptr;
    });
    if (in_table || in_column)
      Refuse(
          "foreign keys come over from the table as it is, and need no definition; add another "
          "afterwards, NOT VALID, and validate it",
          ExitCode::kRefused);
  }

  void CheckName(const sql::QualifiedName& name) const {
    if (name.schema && name.schema != table_.schema)
      Refuse(fmt::format("everything is made in the schema of the table, {}; move it afterwards",
                         sql::QuoteIdentifier(*table_.schema)));
  }

  sql::QualifiedName table_;
  std::string schema_;
  std::string shown_;  // the statement that is read
  std::set<std::string> made_;
};

}  // namespace

std::vector<DefinitionStatement> ReadDefinitionFile(std::string_view text, const std::string& table,
                                                    const std::string& schema) {
  return Reader(table, schema).Read(text);
}

}  // namespace pgalter::rebuild
