#include "planner/plan/split.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/sql/newer_syntax.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;

// The server's passes over the sub-commands of one statement.
int PassOf(const ast::TableCommand& command) {
  using enum ast::TableChange;
  switch (command.change) {
    case kDropColumn:
    case kDropConstraint:
    case kDropNotNull:
    case kDropDefault:
    case kDropIdentity:
    case kDropExpression:
      return 0;
    case kSetType:
      return 1;
    case kAddColumn:
      return 2;
    case kSetExpression:
      return 3;
    case kSetNotNull:
    case kSetStatistics:
    case kSetStorage:
    case kSetCompression:
    case kSetColumnOptions:
    case kResetColumnOptions:
      return 4;
    case kAddConstraint:
      return command.constraint && (command.constraint->kind == ast::ConstraintKind::kPrimaryKey ||
                                    command.constraint->kind == ast::ConstraintKind::kUnique)
                 ? 5
                 : 6;
    case kSetDefault:
    case kAddIdentity:
      return 6;
    default:
      return 7;
  }
}

std::optional<ast::Statement> Read(const std::string& text) {
  auto read = ast::ReadStatement(text);
  if (read) return *std::move(read);
  auto newer = sql::RecogniseNewer(text);
  return newer ? std::move(newer->statement) : std::nullopt;
}

// One past the table's name, ALTER TABLE [IF EXISTS] [ONLY] name [*].
std::size_t AfterTable(const sql::Words& words) {
  std::size_t at = 2;
  if (words.Are(at, {"if", "exists"})) at += 2;
  if (words.Is(at, "only")) ++at;
  at = words.AfterName(at);
  return words.At(at) == "*" ? at + 1 : at;
}

}  // namespace

std::vector<Action> SplitAlterTable(const ast::Statement& statement, const std::string& text) {
  const auto& alter = *statement.As<ast::AlterTable>();
  const auto words = sql::Words::Read(text);
  if (!words || !words->Are(0, {"alter", "table"})) return {{statement, text, "", ""}};
  const std::size_t after = AfterTable(*words);
  const std::string head = words->Cut(0, after);
  const std::vector<std::string> commands = words->Parts(after, words->size());
  if (commands.size() != alter.commands.size()) return {{statement, text, head, ""}};
  if (commands.size() == 1) return {{statement, text, head, commands.front()}};
  std::vector<Action> actions;
  for (const std::string& command : commands) {
    std::string single = fmt::format("{} {}", head, command);
    auto read = Read(single);
    if (!read || read->As<ast::AlterTable>() == nullptr) return {{statement, text, head, ""}};
    actions.push_back({*std::move(read), std::move(single), head, command});
  }
  std::ranges::stable_sort(actions, {}, [](const Action& action) {
    return PassOf(action.statement.As<ast::AlterTable>()->commands.front());
  });
  return actions;
}

}  // namespace pgalter::plan
