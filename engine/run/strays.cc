#include "engine/run/strays.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "engine/run/plan_spec.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::run {

namespace {

namespace ast = sql::ast;
using sql::QualifiedName;

// In the spec of the step that made a stray a partition: it was none any more when the run began to
// be taken back.
constexpr const char* kStray = "stray";

// Whether $2 is a partition of $1, and whether there is one of that name at all.
constexpr const char* kIsPartition = R"sql(
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_inherits
  WHERE inhparent = pg_catalog.to_regclass($1)::pg_catalog.oid
    AND inhrelid = pg_catalog.to_regclass($2)::pg_catalog.oid),
  pg_catalog.to_regclass($2) IS NOT NULL
)sql";

// Whether $1, or the table that it is an index of, is $2.
constexpr const char* kIsOn = R"sql(
SELECT coalesce(pg_catalog.to_regclass($1)::pg_catalog.oid = s.oid
                OR s.oid = (SELECT indrelid FROM pg_catalog.pg_index
                            WHERE indexrelid = pg_catalog.to_regclass($1)::pg_catalog.oid), false)
FROM (SELECT pg_catalog.to_regclass($2)::pg_catalog.oid) s (oid)
)sql";

struct Pair {
  QualifiedName parent;
  QualifiedName partition;
};

std::optional<Pair> DetachedBy(const ast::Statement& statement) {
  const auto* alter = statement.As<ast::AlterTable>();
  if (alter == nullptr || alter->commands.size() != 1) return std::nullopt;
  const ast::TableCommand& command = alter->commands.front();
  if (command.change != ast::TableChange::kDetachPartition || !command.other) return std::nullopt;
  return Pair{alter->name, *command.other};
}

std::optional<Pair> DetachedBy(const state::Step& step) {
  for (const std::string& sql : step.undo) {
    const auto statement = ast::ReadStatement(sql);
    if (!statement) continue;
    if (auto pair = DetachedBy(*statement)) return pair;
  }
  return std::nullopt;
}

// What a statement changes, of the kinds that take a step back.
std::vector<QualifiedName> ChangedBy(const ast::Statement& statement) {
  if (const auto pair = DetachedBy(statement)) return {pair->partition};
  if (const auto* alter = statement.As<ast::AlterTable>()) return {alter->name};
  if (const auto* index = statement.As<ast::CreateIndex>()) return {index->table};
  const auto* drop = statement.As<ast::Drop>();
  if (drop == nullptr) return {};
  return drop->on_table ? std::vector<QualifiedName>{*drop->on_table} : drop->names;
}

// Only there for the bound to be proved: without the partition it would refuse users' rows.
bool DropsOurs(const ast::Statement& statement) {
  const auto* alter = statement.As<ast::AlterTable>();
  if (alter == nullptr || alter->commands.size() != 1) return false;
  const ast::TableCommand& command = alter->commands.front();
  return command.change == ast::TableChange::kDropConstraint && command.if_exists &&
         command.name.starts_with("pgalter_");
}

// Until it is taken back, what the run made a partition is not one, or not by its name.
bool Moves(const state::Step& step) {
  return std::ranges::any_of(step.undo, [](const std::string& sql) {
    const auto statement = ast::ReadStatement(sql);
    if (!statement) return false;
    const auto* alter = statement->As<ast::AlterTable>();
    const bool attaches =
        alter != nullptr && std::ranges::count(alter->commands, ast::TableChange::kAttachPartition,
                                               &ast::TableCommand::change) > 0;
    return attaches || statement->As<ast::Rename>() != nullptr ||
           statement->As<ast::SetSchema>() != nullptr;
  });
}

class Leaving {
 public:
  Leaving(Environment& env, guard::Session session) : env_(env), session_(std::move(session)) {}

  // Whether the step has made one.
  Task<> Find(state::Step& step, const Pair& pair) {
    const bool before = step.spec.contains(kStray);
    const std::string parent = ToString(pair.parent);
    const std::string partition = ToString(pair.partition);
    const pg::Result now = co_await session_.db().Query(kIsPartition, parent, partition);
    const bool done = step.state == state::StepState::kDone;
    const bool is_stray = done ? !now.Get<bool>(0, 0) : before;
    if (is_stray != before) co_await Keep(step, is_stray);
    if (!is_stray) co_return;
    strays_.push_back(pair);
    const char* what = now.Get<bool>(0, 1)
                           ? "{0} is no partition of {1} any more, and is left as it is"
                           : "there is no {0} any more, which was made a partition of {1}";
    sentences_.push_back(fmt::format(fmt::runtime(what), partition, parent));
  }

  Task<> Spare(state::Step& step) {
    std::vector<std::string> undo;
    for (const std::string& sql : step.undo) {
      const bool concerns = co_await Concerns(sql);
      if (!concerns) undo.push_back(sql);
    }
    step.undo = std::move(undo);
  }

  [[nodiscard]] std::string Sentence() const {
    return fmt::format("{}", fmt::join(sentences_, "; "));
  }

  [[nodiscard]] bool empty() const { return strays_.empty(); }

 private:
  Task<> Keep(state::Step& step, bool is_stray) {
    step.spec.erase(kStray);
    if (is_stray) step.spec[kStray] = true;
    co_await state::RecordSpec(env_.main, env_.lease, step);
  }

  Task<bool> Concerns(const std::string& sql) {
    const auto statement = ast::ReadStatement(sql);
    if (!statement) co_return false;
    const bool ours = DropsOurs(*statement);
    for (const QualifiedName& name : ChangedBy(*statement))
      for (const Pair& stray : strays_) {
        const pg::Result row =
            co_await session_.db().Query(kIsOn, ToString(name), ToString(stray.partition));
        if (row.Get<bool>(0, 0)) co_return !ours;
        // By any name it would not be found.
        if (name == stray.partition) co_return true;
      }
    co_return false;
  }

  Environment& env_;
  guard::Session session_;
  std::vector<Pair> strays_;
  std::vector<std::string> sentences_;
};

bool IsBegun(const state::Step& step) { return step.state != state::StepState::kPending; }

}  // namespace

Task<std::string> LeaveStrays(Environment& env, std::vector<state::Step>& steps) {
  const auto attaches = [](const state::Step& step) {
    return IsBegun(step) && DetachedBy(step).has_value();
  };
  const auto moves = [](const state::Step& step) { return IsBegun(step) && Moves(step); };
  if (std::ranges::none_of(steps, attaches) || std::ranges::any_of(steps, moves))
    co_return std::string();
  guard::Session session = co_await OpenAsRole(env);
  Leaving leaving(env, std::move(session));
  for (state::Step& step : steps) {
    const auto pair = DetachedBy(step);
    if (pair && IsBegun(step)) co_await leaving.Find(step, *pair);
  }
  if (leaving.empty()) co_return std::string();
  for (state::Step& step : steps)
    if (IsBegun(step)) co_await leaving.Spare(step);
  co_return leaving.Sentence();
}

}  // namespace pgalter::run
