#include "planner/lint/rules/around.h"

#include <algorithm>

namespace pgalter::lint {

using catalog::QualifiedName;
using sql::ast::Statement;

namespace {

constexpr std::size_t kFarthest = 500;

bool EndsTransaction(const Statement& statement) {
  using Verb = sql::ast::Transaction::Verb;
  const auto* verb = statement.As<sql::ast::Transaction>();
  return verb != nullptr && (verb->verb == Verb::kCommit || verb->verb == Verb::kRollback ||
                             verb->verb == Verb::kPrepare);
}

bool BeginsTransaction(const Context& context, const Statement& statement) {
  const auto* verb = statement.As<sql::ast::Transaction>();
  return verb != nullptr && verb->verb == sql::ast::Transaction::Verb::kBegin &&
         context.transaction.kind() == TransactionKind::kExplicit;
}

void Add(std::vector<QualifiedName>& names, const std::vector<QualifiedName>& more) {
  names.insert(names.end(), more.begin(), more.end());
}

void AddTargets(std::vector<QualifiedName>& names,
                const std::vector<sql::ast::Constraint>& constraints) {
  for (const auto& constraint : constraints)
    if (constraint.foreign_key) names.push_back(constraint.foreign_key->target);
}

std::vector<QualifiedName> NeededBy(const sql::ast::CreateTable& create) {
  std::vector<QualifiedName> names;
  Add(names, create.like);
  Add(names, create.inherits);
  if (create.partition_of) names.push_back(*create.partition_of);
  AddTargets(names, create.constraints);
  for (const auto& column : create.columns) AddTargets(names, column.constraints);
  std::erase(names, create.name);
  return names;
}

std::vector<QualifiedName> NeededBy(const sql::ast::AlterTable& alter) {
  std::vector<QualifiedName> names;
  if (!alter.if_exists) names.push_back(alter.name);
  for (const auto& command : alter.commands) {
    if (command.constraint) AddTargets(names, {*command.constraint});
    if (command.column) AddTargets(names, command.column->constraints);
    if (command.other) names.push_back(*command.other);
  }
  return names;
}

// The relations without which it fails.
std::vector<QualifiedName> NeededBy(const Statement& statement) {
  std::vector<QualifiedName> names;
  if (const auto* create = statement.As<sql::ast::CreateTable>()) return NeededBy(*create);
  if (const auto* alter = statement.As<sql::ast::AlterTable>()) return NeededBy(*alter);
  if (const auto* index = statement.As<sql::ast::CreateIndex>()) return {index->table};
  if (const auto* trigger = statement.As<sql::ast::CreateTrigger>()) return {trigger->table};
  if (const auto* policy = statement.As<sql::ast::Policy>()) return {policy->table};
  if (const auto* view = statement.As<sql::ast::CreateView>()) return view->reads;
  if (const auto* copy = statement.As<sql::ast::CreateTableAs>()) return copy->reads;
  if (const auto* truncate = statement.As<sql::ast::Truncate>()) return truncate->tables;
  if (const auto* modify = statement.As<sql::ast::Modify>()) {
    names = modify->reads;
    names.push_back(modify->table);
  }
  return names;
}

}  // namespace

std::vector<const ScriptStatement*> Earlier(const Context& context) {
  std::vector<const ScriptStatement*> found;
  if (!context.transaction.open()) return found;
  for (std::size_t i = context.before.size(); i > 0 && found.size() < kFarthest; --i) {
    const ScriptStatement& read = context.before[i - 1];
    if (EndsTransaction(read.statement) || BeginsTransaction(context, read.statement)) break;
    found.push_back(&read);
  }
  return found;
}

std::vector<const ScriptStatement*> Later(const Context& context) {
  std::vector<const ScriptStatement*> found;
  if (!context.transaction.open()) return found;
  for (const ScriptStatement& read : context.after) {
    if (EndsTransaction(read.statement) || found.size() == kFarthest) break;
    found.push_back(&read);
  }
  return found;
}

bool AnyEarlier(const Context& context, const StatementTest& test) {
  return std::ranges::any_of(Earlier(context),
                             [&](const auto* read) { return test(read->statement); });
}

bool AnyLater(const Context& context, const StatementTest& test) {
  return std::ranges::any_of(Later(context),
                             [&](const auto* read) { return test(read->statement); });
}

bool Same(const Context& context, const QualifiedName& a, const QualifiedName& b) {
  return context.schema.Placed(context.schema.Resolve(a)) ==
         context.schema.Placed(context.schema.Resolve(b));
}

bool Alters(const Context& context, const Statement& statement, const QualifiedName& table,
            const std::function<bool(const sql::ast::TableCommand&)>& test) {
  const auto* alter = statement.As<sql::ast::AlterTable>();
  return alter != nullptr && Same(context, alter->name, table) &&
         std::ranges::any_of(alter->commands, test);
}

bool Makes(const Context& context, const Statement& statement, const QualifiedName& relation) {
  if (const auto* view = statement.As<sql::ast::CreateView>())
    return Same(context, view->name, relation);
  if (const auto* table = statement.As<sql::ast::CreateTable>())
    return Same(context, table->name, relation);
  if (const auto* copy = statement.As<sql::ast::CreateTableAs>())
    return Same(context, copy->name, relation);
  if (const auto* rename = statement.As<sql::ast::Rename>())
    return rename->part.empty() && Same(context, {rename->name.schema, rename->new_name}, relation);
  return false;
}

bool InUse(const Context& context, const QualifiedName& relation) {
  if (!context.Existing(relation)) return false;
  const catalog::Table* table = context.schema.FindTable(relation);
  if (table == nullptr) return !context.schema.complete();
  return table->persistence != sql::ast::Persistence::kTemporary;
}

std::optional<MadeTooLate> MadeLater(const Context& context) {
  for (const QualifiedName& name : NeededBy(context.statement)) {
    if (context.schema.FindTable(name) != nullptr || context.schema.FindIndex(name) != nullptr)
      continue;
    if (const auto when = context.timeline.MadeAfter(name, context.now))
      return MadeTooLate{name, *when};
  }
  return std::nullopt;
}

Remark Refused(const locks::Failure& failure, std::string message) {
  Remark remark;
  remark.message = std::move(message);
  if (!failure.detail.empty()) remark.message += ": " + failure.detail;
  remark.severity =
      failure.certainty == locks::Certainty::kCertain ? Severity::kError : Severity::kWarning;
  return remark;
}

}  // namespace pgalter::lint
