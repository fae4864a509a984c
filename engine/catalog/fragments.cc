#include "engine/catalog/fragments.h"

#include <algorithm>

namespace pgalter::live {
namespace {

// The statement of that kind, if the text is one.
template <class Kind>
std::optional<Kind> Read(const std::string& text) {
  const auto statement = sql::ast::ReadStatement(text);
  if (!statement) return std::nullopt;
  const auto* read = statement->template As<Kind>();
  return read == nullptr ? std::nullopt : std::optional<Kind>(*read);
}

std::optional<sql::ast::TableCommand> ReadCommand(const std::string& text) {
  auto alter = Read<sql::ast::AlterTable>("ALTER TABLE t ADD " + text);
  if (!alter || alter->commands.empty()) return std::nullopt;
  return std::move(alter->commands.front());
}

std::vector<std::string> Names(const std::vector<sql::ColumnUse>& uses) {
  std::vector<std::string> names;
  for (const sql::ColumnUse& use : uses)
    if (!use.name.empty() && std::ranges::find(names, use.name) == names.end())
      names.push_back(use.name);
  return names;
}

}  // namespace

const sql::ast::TypeName& TypeReader::Read(const std::string& text) {
  const auto [place, added] = read_.try_emplace(text);
  if (!added) return place->second;
  const auto command = ReadCommand("COLUMN c " + text);
  if (command && command->column) {
    place->second = command->column->type;
  } else {
    place->second.name = text;
  }
  return place->second;
}

std::optional<sql::ast::Constraint> ReadCheck(const std::string& text) {
  auto command = ReadCommand(text);
  return command ? std::move(command->constraint) : std::nullopt;
}

std::optional<sql::ast::PartitionBy> ReadPartitionKey(const std::string& text) {
  auto table = Read<sql::ast::CreateTable>("CREATE TABLE t () PARTITION BY " + text);
  return table ? std::move(table->partition_by) : std::nullopt;
}

std::optional<sql::ast::PartitionBound> ReadBound(const std::string& text) {
  auto table = Read<sql::ast::CreateTable>("CREATE TABLE t PARTITION OF p " + text);
  return table ? std::move(table->bound) : std::nullopt;
}

std::optional<sql::ast::CreateIndex> ReadIndex(const std::string& text) {
  return Read<sql::ast::CreateIndex>(text);
}

std::vector<std::string> ReadTriggerColumns(const std::string& text) {
  const auto trigger = Read<sql::ast::CreateTrigger>(text);
  return trigger ? Names(trigger->when_columns) : std::vector<std::string>();
}

std::vector<std::string> ReadColumns(const std::string& expression) {
  const auto facts = sql::ParseExpression(expression);
  return facts ? Names(facts->columns) : std::vector<std::string>();
}

}  // namespace pgalter::live
