#include "batcher/partition/later.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <chrono>

#include "engine/async/fail_point.h"
#include "engine/guard/lease.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/json_texts.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using Texts = std::vector<std::string>;

namespace {

// In a step's spec.
constexpr const char* kValidate = "validate";
constexpr const char* kAdopt = "adopt";
constexpr const char* kSettledOn = "settled_on";  // what these are about
constexpr std::chrono::hours kLong{24 * 7};

// Partitions of $1 without the key $2, or with one that is not valid.
constexpr const char* kLate = R"sql(
SELECT format('%I.%I', n.nspname, c.relname), coalesce(k.is_there, false)
FROM pg_partition_tree($1::regclass) t JOIN pg_class c ON c.oid = t.relid AND c.relkind = 'r'
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT bool_or(true) AS is_there, bool_or(f.convalidated) AS is_valid FROM pg_constraint f
  WHERE f.conrelid = t.relid AND f.contype = 'f'
    AND regexp_replace(pg_get_constraintdef(f.oid), ' NOT VALID$', '') = $2) k
WHERE t.isleaf AND k.is_valid IS NOT TRUE ORDER BY 1
)sql";

Texts TextsOf(const state::Step& step, const char* key) {
  const auto* kept = step.spec.if_contains(key);
  return kept == nullptr ? Texts() : state::TextsOf(*kept);
}

cutover::SettledOn SettledOnOf(const state::Step& step) {
  cutover::SettledOn on;
  // A run of an older program does not say.
  if (const auto* kept = step.spec.if_contains(kSettledOn))
    for (const auto& [sql, oid] : kept->as_object()) on[sql] = oid.to_number<pg::Oid>();
  return on;
}

Task<std::string> ValidateAll(run::Environment& env, const state::Step& step,
                              async::Stopper& stopper, cutover::Validating how) {
  std::string said;
  const Texts statements = TextsOf(step, kValidate);
  if (statements.empty()) co_return said;
  const cutover::SettledOn on = SettledOnOf(step);
  guard::Session session = co_await run::OpenAsRole(env);
  session.db().set_query_deadline(kLong);
  for (const std::string& sql : statements) {
    stopper.ThrowIfStopping();
    cutover::Say(said, co_await cutover::RunAsOfNow(session, sql, on, how));
    async::FailPoint("key-validated");
  }
  co_return said;
}

// What a partitioned table is to have.
struct Adoption {
  std::string table;  // quoted, with its schema
  std::string constraint;
  std::string definition;
};

std::optional<Adoption> ReadAdoption(const std::string& text) {
  const auto statement = sql::ast::ReadStatement(text);
  const auto* alter = statement ? statement->As<sql::ast::AlterTable>() : nullptr;
  if (alter == nullptr || alter->commands.size() != 1) return std::nullopt;
  const auto& key = alter->commands.front().constraint;
  if (!key || !key->foreign_key || key->not_valid) return std::nullopt;
  Adoption adoption{sql::ToString(alter->name), sql::QuoteIdentifier(key->name), ""};
  const std::string begin =
      fmt::format("ALTER TABLE {} ADD CONSTRAINT {} ", adoption.table, adoption.constraint);
  if (!text.starts_with(begin)) return std::nullopt;
  adoption.definition = text.substr(begin.size());
  return adoption;
}

Task<> Climb(run::Environment& env, lock::Work work, async::Stopper& stopper,
             const Settling& settling, std::string sql) {
  work.statements.push_back({sql, {}});
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), settling.ladder, stopper);
  async::FailPoint("key-adopted");
  if (outcome.result == lock::LadderResult::kDone) co_return;
  throw Failure(
      ExitCode::kLockNotObtained,
      fmt::format("\"{}\" found no lock, the tables were too busy: {}. The key holds "
                  "for every partition that was there already. At a quieter time: pgalter "
                  "{} {}",
                  sql, fmt::join(lock::Lines(outcome), "\n"), settling.again, env.run.id));
}

// Who adds a partition while the table itself has no key adds one that nothing checks. It gets its
// own first: else its rows would be read under the lock, and one that refers to nothing be named by
// the server alone.
Task<> JoinLate(run::Environment& env, const std::string& adopt, async::Stopper& stopper,
                const Settling& settling) {
  const std::optional<Adoption> adoption = ReadAdoption(adopt);
  if (!adoption) co_return;
  const pg::Result late =
      co_await env.main.db().Query(kLate, adoption->table, adoption->definition);
  if (late.empty()) co_return;
  guard::Session session = co_await run::OpenAsRole(env);
  session.db().set_query_deadline(kLong);
  for (int i = 0; i < late.rows(); ++i) {
    const std::string head = "ALTER TABLE " + late.Get<std::string>(i, 0);
    auto record = [&]() -> Task<> { co_await guard::CheckLease(env.main, env.lease); };
    lock::Work work;
    work.record = record;
    const std::string add = fmt::format("{} ADD CONSTRAINT {} {} NOT VALID", head,
                                        adoption->constraint, adoption->definition);
    if (!late.Get<bool>(i, 1)) co_await Climb(env, std::move(work), stopper, settling, add);
    const std::string validate =
        fmt::format("{} VALIDATE CONSTRAINT {}", head, adoption->constraint);
    co_await cutover::Validate(session, validate, settling.how);
  }
}

// Each leaves the list in its transaction.
Task<std::string> AdoptAll(run::Environment& env, state::Step step, async::Stopper& stopper,
                           const Settling& settling) {
  std::string said;
  Texts left = TextsOf(step, kAdopt);
  const cutover::SettledOn on = SettledOnOf(step);
  while (!left.empty()) {
    const std::string sql = left.front();
    left.erase(left.begin());
    auto record = [&]() -> Task<> {
      step.spec[kAdopt] = state::ArrayOf(left);
      co_await state::RecordSpec(env.main, env.lease, step);
    };
    auto adopt = [&](std::string now) -> Task<> {
      co_await JoinLate(env, now, stopper, settling);
      lock::Work work;
      work.record = record;
      co_await Climb(env, std::move(work), stopper, settling, now);
    };
    cutover::Say(said, co_await cutover::AdoptAsOfNow(env.main, sql, on, adopt, record));
  }
  co_return said;
}

}  // namespace

Task<std::optional<state::Step>> FindStep(run::Environment& env, std::string kind) {
  for (state::Step& step : co_await state::LoadSteps(env.main, env.run.id))
    if (step.kind == kind) co_return std::move(step);
  co_return std::nullopt;
}

Task<> KeepForLater(run::Environment& env, state::Step step, const Later& later) {
  step.spec[kValidate] = state::ArrayOf(later.validate);
  step.spec[kAdopt] = state::ArrayOf(later.adopt);
  boost::json::object on;
  for (const auto& [sql, oid] : later.on) on[sql] = oid;
  step.spec[kSettledOn] = on;
  co_await state::RecordSpec(env.main, env.lease, step);
}

Later LeftOf(const std::optional<state::Step>& step) {
  if (!step || step->state == state::StepState::kDone) return {};
  return {TextsOf(*step, kValidate), TextsOf(*step, kAdopt), SettledOnOf(*step)};
}

Task<std::string> Settle(run::Environment& env, state::Step step, async::Stopper& stopper,
                         Settling settling) {
  std::string said = co_await ValidateAll(env, step, stopper, settling.how);
  cutover::Say(said, co_await AdoptAll(env, step, stopper, settling));
  co_return said;
}

}  // namespace pgalter::partition
