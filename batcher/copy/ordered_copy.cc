#include "batcher/copy/ordered_copy.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "batcher/capture/flow_sql.h"
#include "batcher/copy/bad_row.h"
#include "batcher/copy/log_folder.h"
#include "batcher/copy/order.h"
#include "batcher/copy/pace.h"
#include "batcher/throttle/chunk_size_policy.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/meter.h"
#include "engine/state/json_texts.h"

namespace pgalter::copy {

namespace json = boost::json;

namespace {

constexpr async::Milliseconds kLockWait{1000};
constexpr async::Milliseconds kBusyPause{200};

// In the step's spec, of each table of the run: the second has a 2 behind its keys.
constexpr const char* kFrom = "copied_to";  // the last place that was copied, as texts
constexpr const char* kRows = "copied_rows";
constexpr const char* kWhole = "copied_in_order";  // the end has no place

using Place = std::vector<std::string>;  // a value a column; empty: before the first, or the end

struct Job {
  run::Environment& env;
  Session session;
  const capture::Flow& flow;
  Ordered table;
  std::vector<OrderColumn> order;
  state::Step& step;
  throttle::ChunkSizePolicy size;
  double bytes_of_row = 0;  // about; 0: not known
};

std::string Key(const char* key, int number) { return capture::NameOfFlow(key, number); }

// "t.a, t.b"
std::string Columns(const Job& job, const char* cast = "") {
  std::string text;
  for (const OrderColumn& column : job.order)
    text += fmt::format("{}{}.{}{}", text.empty() ? "" : ", ", job.flow.alias, column.name, cast);
  return text;
}

// "ROW(t.a, t.b) > ROW($1::int8, $2::text)"
std::string Compared(const Job& job, const char* how, std::size_t first) {
  std::string values;
  for (std::size_t i = 0; i < job.order.size(); ++i)
    values += fmt::format("{}${}::text::{}", i == 0 ? "" : ", ", first + i, job.order[i].type);
  return fmt::format("ROW({}) OPERATOR(pg_catalog.{}) ROW({})", Columns(job), how, values);
}

struct Range {
  Place after;
  Place last;  // empty: to the end

  [[nodiscard]] pg::Params params() const {
    pg::Params params;
    for (const Place* place : {&after, &last})
      for (const std::string& value : *place) params.Add(value);
    return params;
  }
};

std::string Which(const Job& job, const Range& range) {
  std::string where;
  if (!range.after.empty()) where = "WHERE " + Compared(job, ">", 1);
  if (!range.last.empty())
    where += (where.empty() ? "WHERE " : " AND ") + Compared(job, "<=", 1 + range.after.size());
  return where + " ORDER BY " + Columns(job);
}

// By the index, whatever the planner would think of it: it does not know how many chunks follow.
Task<> ByIndex(Session& session) {
  std::vector<pg::Statement> settings;
  settings.push_back({"SET LOCAL enable_seqscan = off", {}});
  settings.push_back({"SET LOCAL enable_bitmapscan = off", {}});
  settings.push_back({"SET LOCAL enable_sort = off", {}});
  settings.push_back({"SET LOCAL enable_incremental_sort = on", {}});
  settings.push_back({"SET LOCAL enable_indexscan = on", {}});
  co_await session.db().Pipeline(std::move(settings));
}

// It was renamed or dropped between two chunks, or another table has its name.
bool IsAnotherTable(const pg::PgError& error) {
  return error.Is(pg::sqlstate::kUndefinedTable) || error.Is(pg::sqlstate::kUndefinedColumn);
}

// nullopt: the table has another name by now.
Task<std::optional<Range>> NextRange(Job& job, const Place& after, std::int64_t rows) {
  std::optional<Range> range = Range{after, {}};
  const std::string statement =
      fmt::format("SELECT {} FROM ONLY {} AS {} {} OFFSET {} LIMIT 1", Columns(job, "::text"),
                  job.flow.from, job.flow.alias, Which(job, *range), rows - 1);
  auto look = [&]() -> Task<> {
    co_await ByIndex(job.session);
    const pg::Result last =
        co_await job.session.db().QueryParams(statement, range->params(), pg::Format::kText);
    if (last.empty()) co_return;
    for (int i = 0; i < last.columns(); ++i) range->last.push_back(last.Get<std::string>(0, i));
  };
  try {
    co_await guard::RunInTransaction(job.session, look);
  } catch (const pg::PgError& error) {
    if (!IsAnotherTable(error)) throw;
    range.reset();
  }
  co_return range;
}

Task<std::int64_t> CopyRange(Job& job, const Range& range) {
  co_await ByIndex(job.session);
  const std::string statement =
      capture::CopyRowsStatement(job.flow, job.flow.from, Which(job, range));
  const pg::Result copied =
      co_await job.session.db().QueryParams(statement, range.params(), pg::Format::kText);
  co_return copied.affected();
}

Place PlaceFrom(const state::Step& step, int number) {
  Place place;
  if (const auto* from = step.spec.if_contains(Key(kFrom, number)))
    for (const json::value& value : from->as_array()) place.emplace_back(value.as_string().c_str());
  return place;
}

std::int64_t RowsFrom(const state::Step& step, int number) {
  const auto* rows = step.spec.if_contains(Key(kRows, number));
  return rows == nullptr ? 0 : rows->to_number<std::int64_t>();
}

enum class ChunkEnd { kDone, kRenamed, kBusy, kBadRow };

// Under a lock that keeps it as it is said until the end of the transaction.
Task<bool> IsStillThere(Job& job) {
  std::vector<pg::Statement> checks;
  checks.push_back({fmt::format("LOCK TABLE ONLY {} IN ACCESS SHARE MODE", job.flow.from), {}});
  checks.push_back({"SELECT coalesce(pg_catalog.to_regclass($1)::oid = $2, false)",
                    pg::Params::Of(job.flow.from, job.flow.from_oid)});
  const auto checked = co_await job.session.db().Pipeline(std::move(checks));
  co_return checked.at(1).Get<bool>(0, 0);
}

// The rows and the record of them in one transaction, which a crash keeps or loses together.
Task<ChunkEnd> CopyChunk(Job& job, const Range& range, std::int64_t& rows) {
  state::Step after = job.step;
  ChunkEnd end = ChunkEnd::kDone;
  auto chunk = [&]() -> Task<> {
    co_await guard::CheckLease(job.session, job.env.lease);
    const bool there = co_await IsStillThere(job);
    if (!there) {
      end = ChunkEnd::kRenamed;
      co_return;
    }
    async::FailPoint("copy-checked");
    rows = co_await CopyRange(job, range);
    const int number = job.table.number;
    after.spec[Key(range.last.empty() ? kWhole : kFrom, number)] = state::ArrayOf(range.last);
    after.spec[Key(kRows, number)] = RowsFrom(job.step, number) + rows;
    co_await state::RecordSpec(job.session, job.env.lease, after);
    async::FailPoint("copy-recorded");
  };
  guard::TransactionOptions options;
  options.durability = guard::Durability::kLazy;
  options.lock_timeout = kLockWait;
  try {
    co_await guard::RunInTransaction(job.session, options, chunk);
    if (end == ChunkEnd::kRenamed) co_return end;
    async::FailPoint("copy-committed");
    job.step = std::move(after);
  } catch (const pg::PgError& error) {
    if (error.klass() == pg::SqlstateClass::kLockNotAvailable) {
      end = ChunkEnd::kBusy;
    } else if (error.Is(pg::sqlstate::kUndefinedTable)) {
      end = ChunkEnd::kRenamed;
    } else if (error.klass() == pg::SqlstateClass::kData) {
      end = ChunkEnd::kBadRow;
    } else {
      throw;
    }
  }
  co_return end;
}

// The error, if these rows raise one.
Task<std::optional<pg::PgError>> Try(Job& job, const Range& range) {
  const guard::TransactionOptions defaults;
  std::optional<pg::PgError> error;
  std::exception_ptr other;
  try {
    co_await guard::Begin(job.session, defaults);
    co_await CopyRange(job, range);
  } catch (const pg::PgError& caught) {
    if (caught.klass() != pg::SqlstateClass::kData) other = std::current_exception();
    error = caught;
  }
  co_await guard::RollBack(job.session);
  if (other) std::rethrow_exception(other);
  co_return error;
}

// Fewer and fewer rows behind the first place, until it is one. Returns where all fit now: somebody
// has changed the row.
Task<> ThrowBadRowOf(Job& job, Place after, std::int64_t rows) {
  for (;;) {
    const std::optional<Range> next = co_await NextRange(job, after, rows);
    if (!next) co_return;
    const Range& range = *next;
    const std::optional<pg::PgError> error = co_await Try(job, range);
    if (error && rows == 1) {
      const pg::Result key = co_await job.session.db().QueryParams(
          fmt::format("SELECT {} FROM ONLY {} AS {} {} LIMIT 1",
                      capture::ShownKey(job.flow, job.flow.alias), job.flow.from, job.flow.alias,
                      Which(job, range)),
          range.params(), pg::Format::kText);
      if (key.empty()) co_return;
      ThrowBadRow(job.flow, job.env.run.id, key.Get<std::string>(0, 0), *error);
    }
    if (error) {
      rows = (rows + 1) / 2;
      continue;
    }
    if (range.last.empty()) co_return;
    after = range.last;
  }
}

void NoteFraction(const Ordered& table, run::Progress& progress) {
  const auto total =
      static_cast<double>(progress.total_rows - table.rows_before - table.rows_behind);
  if (total <= 0) return;
  const auto done = static_cast<double>(progress.done_rows - table.rows_before);
  progress.fraction = table.begins + (table.ends - table.begins) * std::min(1.0, done / total);
}

Task<bool> CopyAll(Job& job, throttle::Throttle& throttle) {
  run::Progress& progress = job.env.progress;
  Place after = PlaceFrom(job.step, job.table.number);
  LogFolder folder;
  for (;;) {
    job.env.stopper.ThrowIfStopping();
    co_await folder.MayFold(job.env);
    co_await throttle.Admit(job.env.stopper);
    throttle::ChunkOutcome outcome;
    outcome.asked = job.size.Next();
    const auto begun = async::Clock::now();
    const std::optional<Range> next = co_await NextRange(job, after, outcome.asked.rows);
    if (!next) co_return false;
    const Range& range = *next;
    const ChunkEnd end = co_await CopyChunk(job, range, outcome.rows);
    if (end == ChunkEnd::kRenamed) co_return false;
    if (end == ChunkEnd::kBadRow) co_await ThrowBadRowOf(job, after, outcome.asked.rows);
    if (end == ChunkEnd::kBusy) {
      progress.note = fmt::format("{} is locked by somebody's DDL; trying again", job.flow.from);
      co_await job.env.stopper.SleepFor(kBusyPause);
    }
    progress.note.clear();
    if (end != ChunkEnd::kDone) continue;
    outcome.blocks = outcome.asked.blocks;
    outcome.duration = async::Clock::now() - begun;
    job.size.Done(outcome);
    progress.done_rows += outcome.rows;
    run::CountChunk(progress, outcome.duration, outcome.rows);
    NoteFraction(job.table, progress);
    throttle.Spend(2 * job.bytes_of_row * static_cast<double>(outcome.rows));  // and their WAL
    co_await throttle.After(outcome.duration, job.env.stopper);
    if (range.last.empty()) co_return true;
    after = range.last;
  }
}

}  // namespace

Task<bool> CopyInOrder(run::Environment& env, throttle::Throttle& throttle,
                       const capture::Flow& flow, state::Step& step, Ordered table) {
  const pg::Result rows = co_await env.main.db().Query(
      "SELECT greatest(reltuples, 0)::int8, CASE WHEN reltuples > 0"
      "   THEN pg_relation_size(oid) / reltuples::float8 ELSE 0 END FROM pg_class WHERE oid = $1",
      flow.from_oid);
  env.progress.total_rows =
      table.rows_before + table.rows_behind + (rows.empty() ? 0 : rows.Get<std::int64_t>(0, 0));
  env.progress.done_rows = table.rows_before + RowsFrom(step, table.number);
  if (step.spec.contains(Key(kWhole, table.number))) co_return true;
  Session session = co_await OpenSession(env);
  session.db().set_query_deadline(std::chrono::hours(1));
  std::vector<OrderColumn> order = co_await ReadOrder(session, flow, table.by);
  throttle::ChunkSizeOptions size;
  size.target = PaceOf(env).chunk_time;
  Job job{env,
          std::move(session),
          flow,
          std::move(table),
          std::move(order),
          step,
          throttle::ChunkSizePolicy(size),
          rows.empty() ? 0 : rows.Get<double>(0, 1)};
  co_return co_await CopyAll(job, throttle);
}

}  // namespace pgalter::copy
