#include "batcher/rebuild/two_steps.h"

#include <algorithm>

#include "planner/sql/ast/statement.h"
#include "planner/sql/words.h"

namespace pgalter::rebuild {

namespace {

bool ChangesType(const std::string& action, const std::vector<std::string>& columns) {
  const auto statement = sql::ast::ReadStatement("ALTER TABLE t " + action);
  const auto* alter = statement ? statement->As<sql::ast::AlterTable>() : nullptr;
  if (alter == nullptr || alter->commands.size() != 1) return false;
  const sql::ast::TableCommand& command = alter->commands.front();
  return command.change == sql::ast::TableChange::kSetType &&
         std::ranges::find(columns, command.name) != columns.end();
}

void Append(std::string& actions, const std::string& action) {
  actions += (actions.empty() ? "" : ", ") + action;
}

}  // namespace

TwoSteps DivideAlter(const std::string& alter, const std::vector<std::string>& key) {
  constexpr std::size_t kBehindName = 3;
  TwoSteps steps;
  const auto words = sql::Words::Read("ALTER TABLE t " + alter);
  if (!words || key.empty() || alter.empty()) {
    steps.after = alter;
    return steps;
  }
  for (const std::string& action : words->Parts(kBehindName, words->size()))
    Append(ChangesType(action, key) ? steps.before : steps.after, action);
  return steps;
}

}  // namespace pgalter::rebuild
