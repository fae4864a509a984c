#include "engine/run/contradicted.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "engine/run/transact.h"
#include "engine/state/steps.h"

namespace pgalter::run {

namespace {

// "ALTER TABLE x VALIDATE CONSTRAINT NAME": the name as it is written there. Empty: not of ours.
std::string_view OursIn(const state::Step& step) {
  constexpr std::string_view kValidate = " VALIDATE CONSTRAINT ";
  if (step.sql.size() != 1) return "";
  const std::string_view sql = step.sql.front();
  const auto at = sql.find(kValidate);
  if (at == std::string_view::npos) return "";
  const std::string_view name = sql.substr(at + kValidate.size());
  return name.starts_with("pgalter_") || name.starts_with("\"pgalter_") ? name : "";
}

// The step that has added it; none: it was there before the run.
Task<std::optional<state::Step>> FindAdding(Environment& env, const state::Step& step) {
  const std::string add = fmt::format(" ADD CONSTRAINT {} CHECK ", OursIn(step));
  std::optional<state::Step> adding;
  for (state::Step& earlier : co_await state::LoadSteps(env.main, env.run.id)) {
    if (earlier.ordinal >= step.ordinal || earlier.undo.empty()) continue;
    const bool adds = std::ranges::any_of(
        earlier.sql, [&add](const std::string& sql) { return sql.find(add) != std::string::npos; });
    if (adds) adding = std::move(earlier);
  }
  co_return adding;
}

// Of the constraint of that name: "SELECT …" for the rows.
Task<std::string> QueryFor(Environment& env, const state::Step& step) {
  const pg::Result row = co_await env.main.db().Query(
      "SELECT format('SELECT * FROM %I.%I WHERE NOT (%s)', n.nspname, c.relname,"
      " pg_get_expr(k.conbin, k.conrelid)) FROM pg_constraint k"
      " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE quote_ident(k.conname) = $1 AND NOT k.convalidated AND k.contype = 'c' LIMIT 1",
      OursIn(step));
  co_return row.empty() ? "" : row.Get<std::string>(0, 0);
}

}  // namespace

Task<> TakeBackContradicted(Environment& env, const state::Step& step, pg::PgError error) {
  if (OursIn(step).empty()) throw std::move(error);
  std::optional<state::Step> adding = co_await FindAdding(env, step);
  if (!adding) throw std::move(error);
  const std::string query = co_await QueryFor(env, step);
  Transacted back;
  back.sql = adding->undo;
  back.becomes = state::StepState::kPending;
  async::Stopper never;  // what was added has to go
  co_await Transact(env, *adding, std::move(back), never);
  async::FailPoint("contradicted");
  throw Failure(
      ExitCode::kRefused,
      fmt::format("rows that users wrote meanwhile are in the way: {}. The CHECK that "
                  "would have kept them from it was dropped again: users may write such "
                  "rows as before. Move or delete them, and pgalter resume {}; or pgalter "
                  "abort {} --yes",
                  query, env.run.id, env.run.id));
}

}  // namespace pgalter::run
