#include "batcher/rebuild/way_back.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include "batcher/capture/dead_mans_switch.h"
#include "batcher/capture/flow.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/copy/bad_row.h"
#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"

namespace pgalter::rebuild {

using capture::Flow;

namespace {

constexpr int kMostChanges = 5000;
constexpr async::Milliseconds kLongest{10'000};
constexpr async::Milliseconds kLockWait{500};

// Keys by columns: what the flow's statements take.
using Keys = std::vector<std::vector<std::string>>;

Keys Part(const Keys& keys, std::size_t first, std::size_t end) {
  Keys part;
  for (const auto& column : keys)
    part.emplace_back(column.begin() + static_cast<std::ptrdiff_t>(first),
                      column.begin() + static_cast<std::ptrdiff_t>(end));
  return part;
}

std::string Shown(const Flow& flow, const Keys& one) {
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < one.size(); ++i) {
    names += (i == 0 ? "" : ", ") + flow.key[i].from;
    values += (i == 0 ? "" : ", ") + one[i].front();
  }
  return fmt::format("({}) = ({})", names, values);
}

// Those that the run keeps for users' code: an object, or pairs where it is a plan's.
Task<guard::Settings> ReadSettings(Session& session, std::string run) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT s.name, s.value FROM pgalter.run r"
      " CROSS JOIN LATERAL (SELECT to_jsonb(r.spec)->'settings' AS all) k"
      " CROSS JOIN LATERAL ("
      "   SELECT key, value FROM jsonb_each_text("
      "     CASE jsonb_typeof(k.all) WHEN 'object' THEN k.all END)"
      "   UNION ALL SELECT e->>0, e->>1 FROM jsonb_array_elements("
      "     CASE jsonb_typeof(k.all) WHEN 'array' THEN k.all END) e) s (name, value)"
      " WHERE r.run = $1",
      run);
  guard::Settings settings;
  for (int i = 0; i < rows.rows(); ++i)
    settings.emplace_back(rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1));
  co_return settings;
}

// The error that these keys' rows raise, if any, under the settings of users' code.
Task<std::optional<pg::PgError>> Try(Session& session, const Flow& flow, const Keys& keys,
                                     const guard::Settings& settings) {
  pg::Params arrays;
  for (const auto& column : keys) arrays.Add(column);
  guard::TransactionOptions options;
  options.lock_timeout = kLockWait;
  options.statement_timeout = kLongest;
  std::optional<pg::PgError> error;
  std::exception_ptr other;
  try {
    co_await guard::Begin(session, options);
    std::vector<pg::Statement> statements = guard::Under(settings).begin;
    statements.push_back({capture::DeleteStatement(flow), arrays});
    statements.push_back({capture::InsertStatement(flow), arrays});
    co_await session.db().Pipeline(std::move(statements));
  } catch (const pg::PgError& caught) {
    if (caught.klass() != pg::SqlstateClass::kData) other = std::current_exception();
    error = caught;
  }
  co_await guard::RollBack(session);
  if (other) std::rethrow_exception(other);
  co_return error;
}

Task<WayBack> Look(Session& session, const Flow& flow, const guard::Settings& settings) {
  const pg::Result rows =
      co_await session.db().Query(capture::PendingStatement(flow, kMostChanges));
  WayBack way;
  way.tried = rows.rows();
  way.all = rows.rows() < kMostChanges;
  Keys keys(flow.key.size());
  for (int row = 0; row < rows.rows(); ++row)
    for (std::size_t i = 0; i < keys.size(); ++i)
      keys[i].push_back(rows.Get<std::string>(row, static_cast<int>(i)));
  if (rows.empty()) co_return way;
  std::size_t first = 0;
  auto end = static_cast<std::size_t>(rows.rows());
  std::optional<pg::PgError> error = co_await Try(session, flow, keys, settings);
  if (!error) co_return way;
  while (end - first > 1) {
    const std::size_t middle = first + (end - first) / 2;
    const auto low = co_await Try(session, flow, Part(keys, first, middle), settings);
    if (low) {
      error = low;
      end = middle;
    } else {
      first = middle;
    }
  }
  way.table = flow.from;
  way.misfit = fmt::format("{}: {} ({})", Shown(flow, Part(keys, first, end)),
                           copy::WithoutValues(*error), error->sqlstate());
  co_return way;
}

// A schema, table, column, type or function by a name that nothing has any more: the classes of
// undefined objects.
bool IsOfNames(const pg::PgError& error) {
  constexpr std::array<std::string_view, 5> kUndefined{"3F000", "42P01", "42703", "42704", "42883"};
  return std::ranges::find(kUndefined, error.sqlstate()) != kUndefined.end();
}

// Up to the first that has a row that does not fit.
Task<WayBack> LookAtAll(Session& session, std::string run) {
  WayBack all;
  const guard::Settings settings = co_await ReadSettings(session, run);
  for (const Flow& flow : co_await capture::LoadFlows(session, std::move(run), "reverse")) {
    const WayBack one = co_await Look(session, flow, settings);
    all.tried += one.tried;
    all.all = all.all && one.all;
    all.table = one.table;
    all.misfit = one.misfit;
    if (!all.misfit.empty()) break;
  }
  co_return all;
}

// Those that are at work: after the swap.
Task<std::vector<Flow>> LoadFlowsBack(Session& session, std::string run) {
  const pg::Result swapped = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pgalter.rebuild b JOIN pgalter.run r ON r.run = b.run"
      "  WHERE b.run = $1 AND b.swapped_at IS NOT NULL AND r.finished_at IS NULL"
      "  AND EXISTS (SELECT FROM pgalter.flow f WHERE f.run = b.run AND f.name = 'reverse'))",
      run);
  std::vector<Flow> flows;
  if (swapped.Get<bool>(0, 0)) flows = co_await capture::LoadFlows(session, run, "reverse");
  co_return flows;
}

}  // namespace

Task<> RefuseLostWay(Session& session, std::string run) {
  const std::vector<Flow> flows = co_await LoadFlowsBack(session, std::move(run));
  for (const Flow& flow : flows) co_await capture::RefuseGivenUp(session, flow);
}

Task<std::string> WayBackUntil(Session& session, std::string run) {
  const std::vector<Flow> flows = co_await LoadFlowsBack(session, std::move(run));
  std::string until;
  for (const Flow& flow : flows) {
    std::string deadline = co_await capture::ReadDeadline(session, flow);
    if (until.empty() || deadline < until) until = std::move(deadline);
  }
  co_return until;
}

Task<std::optional<WayBack>> LookBack(Session& session, std::string run) {
  const pg::Result done = co_await session.db().Query(
      "SELECT b.swapped_at IS NOT NULL AND r.state = 'done' AND r.finished_at IS NULL"
      "  AND EXISTS (SELECT FROM pgalter.flow f WHERE f.run = b.run AND f.name = 'reverse')"
      "  AND current_setting('transaction_read_only') = 'off'"
      " FROM pgalter.rebuild b JOIN pgalter.run r ON r.run = b.run WHERE b.run = $1",
      run);
  if (done.empty() || !done.Get<bool>(0, 0)) co_return std::nullopt;
  std::optional<WayBack> way;
  try {
    way = co_await LookAtAll(session, run);
  } catch (const pg::PgError& error) {
    const auto klass = error.klass();
    if (IsOfNames(error)) {
      way.emplace();
      way->missing = fmt::format("{} ({})", error.fields().message, error.sqlstate());
    } else if (klass != pg::SqlstateClass::kNoRight &&
               klass != pg::SqlstateClass::kLockNotAvailable &&
               klass != pg::SqlstateClass::kCancelled) {
      throw;
    }
  }
  co_return way;
}

}  // namespace pgalter::rebuild
