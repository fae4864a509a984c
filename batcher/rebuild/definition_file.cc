#include "batcher/rebuild/definition_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/run/failure.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/identifier.h"
#include "planner/sql/line_index.h"
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

enum class Makes { kTable, kPartition, kIndex, kChange };

struct Statement {
  std::size_t table = 0;  // that it belongs to
  Makes makes = Makes::kTable;
  sql::Span span;
  int line = 1;
  DefinitionStatement text;
};

class Reader {
 public:
  Reader(std::string_view text, const std::vector<DefinedTable>& tables, std::string schema)
      : text_(text), lines_(text), schema_(std::move(schema)) {
    for (const DefinedTable& table : tables)
      tables_.push_back({*sql::ParseQualifiedName(table.name), table.place});
  }

  std::vector<Statement> Read() {
    std::vector<Statement> statements;
    for (const sql::Piece& piece : sql::SplitScript(text_)) {
      if (piece.kind == sql::PieceKind::kComments) continue;
      begin_ = piece.span.begin;
      Show(piece.sql, 0);
      if (piece.kind != sql::PieceKind::kStatement) Refuse("is no SQL statement");
      const auto statement = sql::ast::ReadStatement(piece.sql);
      if (!statement) {
        Show(piece.sql, ByteOf(piece.sql, statement.error().position));
        Refuse(statement.error().message);
      }
      Statement& read = statements.emplace_back();
      Check(*statement, read);
      const auto moved = sql::MoveDefinition(piece.sql, schema_);
      if (!moved) Refuse(moved.error().message);
      read.span = piece.span;
      read.line = lines_.At(begin_).line;
      read.text = {*moved, shown_};
    }
    if (made_.empty())
      throw Failure(ExitCode::kUsage,
                    fmt::format("the definition has no CREATE TABLE {}", Names()));
    return statements;
  }

  // Of what was read.
  [[nodiscard]] DefinitionSize Size() const {
    const auto leaves = std::ranges::count(made_, false, &Made::partitioned);
    DefinitionSize size;
    for (const Made& made : made_) {
      const bool whole = made.partitioned && !made.is_partition;
      ++size.tables;
      size.indexes += whole ? made.indexes * (1 + leaves) : made.indexes;
    }
    return size;
  }

 private:
  struct Table {
    sql::QualifiedName name;
    std::optional<int> place;
  };
  // A table to be, or a partition of one.
  struct Made {
    std::string name;
    std::size_t table = 0;
    bool partitioned = false;
    bool is_partition = false;
    std::int64_t indexes = 0;  // of its own
  };

  // The line is that of a byte of the statement.
  void Show(const std::string& statement, std::size_t byte) {
    shown_ = fmt::format("\"{}\" in line {} of --definition", Shown(statement),
                         lines_.At(begin_ + byte).line);
  }
  // Of a character, the first being number 1.
  static std::size_t ByteOf(std::string_view text, int position) {
    int character = 0;
    for (std::size_t byte = 0; byte < text.size(); ++byte) {
      const bool continues = (static_cast<unsigned char>(text[byte]) & 0xC0U) == 0x80U;
      if (!continues && ++character >= position) return byte;
    }
    return text.size();
  }

  [[noreturn]] void Refuse(std::string_view why, ExitCode code = ExitCode::kUsage) const {
    throw Failure(code, fmt::format("{}: {}", shown_, why));
  }

  [[nodiscard]] std::string Names() const {
    std::vector<std::string> names;
    for (const Table& table : tables_) names.push_back(sql::ToString(table.name));
    return fmt::format("{}", fmt::join(names, ", "));
  }

  void Check(const sql::ast::Statement& statement, Statement& read) {
    if (const auto* create = statement.As<sql::ast::CreateTable>()) {
      CheckTable(*create, read);
    } else if (const auto* index = statement.As<sql::ast::CreateIndex>()) {
      Made& made = FindMade(index->table, "this file does not make the table before");
      read.table = made.table;
      read.makes = Makes::kIndex;
      ++made.indexes;
      if (index->only || index->concurrently)
        Refuse("write it without ONLY and CONCURRENTLY: nobody uses the new table yet");
    } else if (const auto* alter = statement.As<sql::ast::AlterTable>();
               alter != nullptr && alter->kind == sql::ast::RelationKind::kTable) {
      CheckAlter(*alter, read);
    } else {
      Refuse(
          "only CREATE TABLE, CREATE TABLE … PARTITION OF, CREATE INDEX and ALTER TABLE … ADD "
          "CONSTRAINT make the definition; triggers, grants, views and the like come over from the "
          "table as it is");
    }
  }

  void CheckTable(const sql::ast::CreateTable& table, Statement& read) {
    if (table.persistence == sql::ast::Persistence::kTemporary || table.foreign ||
        !table.of_type.empty() || (!table.inherits.empty() && !table.partition_of))
      Refuse("a new table is no temporary, foreign, typed or inheriting one");
    CheckForeignKeys(table);
    if (table.partition_of) {
      read.table = FindMade(*table.partition_of, "this file does not make its parent before").table;
      read.makes = Makes::kPartition;
      CheckSchema(table.name, read.table);
    } else {
      read.table = FindTable(table.name);
    }
    const bool taken = std::ranges::any_of(made_, [&](const Made& made) {
      return made.name == table.name.name && SchemaOf(made.table) == SchemaOf(read.table);
    });
    if (taken) Refuse("this name is taken by a statement before");
    made_.push_back({table.name.name, read.table, table.partition_by.has_value(),
                     table.partition_of.has_value(), KeysOf(table)});
  }

  static bool MakesIndex(sql::ast::ConstraintKind kind) {
    using sql::ast::ConstraintKind;
    return kind == ConstraintKind::kPrimaryKey || kind == ConstraintKind::kUnique ||
           kind == ConstraintKind::kExclude;
  }

  static std::int64_t KeysOf(const sql::ast::CreateTable& table) {
    const auto count = [](const auto& constraints) {
      return std::ranges::count_if(
          constraints, [](const auto& constraint) { return MakesIndex(constraint.kind); });
    };
    std::int64_t keys = count(table.constraints);
    for (const auto& column : table.columns) keys += count(column.constraints);
    return keys;
  }

  // What pg_dump says of a table's own definition behind its CREATE TABLE.
  void CheckAlter(const sql::ast::AlterTable& alter, Statement& read) {
    using sql::ast::TableChange;
    Made& made = FindMade(alter.name, "this file does not make the table before");
    read.table = made.table;
    read.makes = Makes::kChange;
    if (alter.only && made.partitioned)
      Refuse("write it without ONLY: the partitions are to have it, too");
    for (const sql::ast::TableCommand& command : alter.commands) {
      switch (command.change) {
        case TableChange::kAddConstraint:
          if (command.constraint &&
              command.constraint->kind == sql::ast::ConstraintKind::kForeignKey)
            RefuseForeignKey();
          if (command.constraint && MakesIndex(command.constraint->kind)) ++made.indexes;
          break;
        case TableChange::kSetDefault:
        case TableChange::kSetNotNull:
        case TableChange::kSetStatistics:
        case TableChange::kSetStorage:
        case TableChange::kSetCompression:
        case TableChange::kSetColumnOptions:
        case TableChange::kSetOptions:
        case TableChange::kClusterOn:
          break;
        default:
          Refuse(
              "of ALTER TABLE only ADD CONSTRAINT and settings of columns and storage make the "
              "definition: write columns into CREATE TABLE, and partitions as CREATE TABLE … "
              "PARTITION OF; owner, triggers and row security come over from the table as it is");
      }
    }
  }

  [[noreturn]] void RefuseForeignKey() const {
    Refuse(
        "foreign keys come over from the table as it is, and need no definition; add another "
        "afterwards, NOT VALID, and validate it",
        ExitCode::kRefused);
  }

  void CheckForeignKeys(const sql::ast::CreateTable& table) const {
    using sql::ast::ConstraintKind;
    const bool in_table = std::ranges::any_of(table.constraints, [](const auto& constraint) {
      return constraint.kind == ConstraintKind::kForeignKey;
    });
    const bool in_column = std::ranges::any_of(table.columns, [](const auto& column) {
      return column.Find(ConstraintKind::kForeignKey) != nullptr;
    });
    if (in_table || in_column) RefuseForeignKey();
  }

  [[nodiscard]] const std::string& SchemaOf(std::size_t table) const {
    return *tables_[table].name.schema;
  }

  void CheckSchema(const sql::QualifiedName& name, std::size_t table) const {
    if (name.schema && *name.schema != SchemaOf(table))
      Refuse(fmt::format("everything is made in the schema of the table, {}; move it afterwards",
                         sql::QuoteIdentifier(SchemaOf(table))));
  }

  // Of several the one whose schema comes first in the search_path; the index of a table.
  [[nodiscard]] std::size_t Choose(const std::vector<std::size_t>& found) const {
    if (found.size() == 1) return found.front();
    std::optional<std::size_t> first;
    for (const std::size_t table : found)
      if (tables_[table].place && (!first || *tables_[table].place < *tables_[*first].place))
        first = table;
    if (!first)
      Refuse(
          "more than one of the tables has this name, and search_path leads to none of them: "
          "write its schema");
    return *first;
  }

  [[nodiscard]] std::size_t FindTable(const sql::QualifiedName& name) const {
    std::vector<std::size_t> found;
    bool elsewhere = false;
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      if (tables_[table].name.name != name.name) continue;
      if (!name.schema || *name.schema == SchemaOf(table))
        found.push_back(table);
      else
        elsewhere = true;
    }
    if (found.empty() && elsewhere && tables_.size() == 1) CheckSchema(name, 0);
    if (found.empty())
      Refuse(
          fmt::format("only {} and {} partitions are made: name {} behind `rebuild`, too, or "
                      "take the statement out of the file",
                      Names(), tables_.size() == 1 ? "its" : "their", sql::ToString(name)));
    return Choose(found);
  }

  [[nodiscard]] Made& FindMade(const sql::QualifiedName& name, const char* otherwise) {
    std::vector<std::size_t> found;
    for (const Made& made : made_)
      if (made.name == name.name && (!name.schema || *name.schema == SchemaOf(made.table)))
        found.push_back(made.table);
    if (found.empty()) {
      if (tables_.size() == 1) CheckSchema(name, 0);
      Refuse(otherwise);
    }
    const std::size_t table = Choose(found);
    return *std::ranges::find_if(
        made_, [&](const Made& made) { return made.name == name.name && made.table == table; });
  }

  std::string_view text_;
  sql::LineIndex lines_;
  std::string schema_;
  std::vector<Table> tables_;
  std::size_t begin_ = 0;  // of the statement that is read
  std::string shown_;
  std::vector<Made> made_;
};

std::string Counted(std::ptrdiff_t count, const char* one, const char* many) {
  return count == 0 ? "" : fmt::format(", {} {}", count, count == 1 ? one : many);
}

}  // namespace

std::vector<DefinitionStatement> ReadDefinitionFile(std::string_view text, const std::string& table,
                                                    const std::string& schema) {
  std::vector<DefinitionStatement> statements;
  for (Statement& statement : Reader(text, {{table, std::nullopt}}, schema).Read())
    statements.push_back(std::move(statement.text));
  return statements;
}

std::string DescribeDefinition(std::string_view text, const std::string& table) {
  const std::vector<Statement> statements = Reader(text, {{table, std::nullopt}}, "pg_temp").Read();
  const auto count = [&statements](Makes makes) {
    return std::ranges::count(statements, makes, &Statement::makes);
  };
  return fmt::format("CREATE TABLE in line {} of --definition{}{}{}", statements.front().line,
                     Counted(count(Makes::kPartition), "partition", "partitions"),
                     Counted(count(Makes::kIndex), "index", "indexes"),
                     Counted(count(Makes::kChange), "ALTER TABLE", "ALTER TABLE"));
}

DefinitionSize SizeOf(std::string_view text, const std::string& table) {
  Reader reader(text, {{table, std::nullopt}}, "pg_temp");
  reader.Read();
  return reader.Size();
}

std::vector<std::string> DivideDefinitionFile(std::string_view text,
                                              const std::vector<DefinedTable>& tables) {
  // Semicolons stay: those of statements that go are between nothing then.
  std::string blank(text);
  for (char& c : blank)
    if (c != '\n' && c != '\r' && c != ';') c = ' ';
  std::vector<std::string> divided(tables.size());
  for (const Statement& statement : Reader(text, tables, "pg_temp").Read()) {
    std::string& own = divided[statement.table];
    if (own.empty()) own = blank;
    const auto [begin, end] = statement.span;
    own.replace(begin, end - begin, text.substr(begin, end - begin));
  }
  return divided;
}

}  // namespace pgalter::rebuild
