#include "batcher/copy/copy_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/backfill/window_store.h"
#include "batcher/backfill/wish.h"
#include "batcher/capture/crash_mark.h"
#include "batcher/capture/dead_mans_switch.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/capture/parts.h"
#include "batcher/copy/bad_row.h"
#include "batcher/copy/log_folder.h"
#include "batcher/copy/ordered_copy.h"
#include "batcher/copy/pace.h"
#include "batcher/throttle/chunk_size_policy.h"
#include "engine/async/fail_point.h"
#include "engine/async/task_group.h"
#include "engine/guard/transaction.h"
#include "engine/run/canary.h"
#include "engine/run/failure.h"
#include "engine/run/meter.h"

namespace pgalter::copy {

using backfill::Block;
using backfill::Window;
using capture::Flow;
using guard::Session;

namespace {

constexpr async::Milliseconds kLockWait{1000};
constexpr async::Milliseconds kBusyPause{200};
constexpr async::Milliseconds kLookForWishes{50};

struct Source {
  pg::Oid filenode = 0;
  Block blocks = 0;
  double rows_per_page = 0;
  // For a block that is copied, bytes: its rows, with the long values that lie beside it, and the
  // WAL of writing them.
  double written_for_a_block = 2 * 8192;
};

// What the workers share while they copy one part; one thread.
struct Job {
  run::Environment& env;
  throttle::Throttle& throttle;
  Flow flow;
  capture::Part part;
  std::vector<Session>& idle;    // of workers of the parts before this one
  std::int64_t rows_behind = 0;  // of the parts and tables to come, about
  Source source = {};
  backfill::WindowSet windows{0, {}};
  std::optional<throttle::ChunkSizePolicy> size = std::nullopt;
  int wanted_workers = 1;
  int active_workers = 0;
  bool failed = false;
  bool rewritten = false;   // the part has another file: its blocks mean nothing any more
  Block blocks_before = 0;  // of the parts that are done
  Block blocks_of_all = 1;
  std::optional<Block> canary = std::nullopt;  // how many blocks of all may be begun; nullopt: all
  Block blocks_of_part = 0;                    // of a canary `windows` has the first ones
};

// In the order of `parts`; nothing of one that was dropped.
Task<std::vector<Source>> ReadSources(Session& session, const std::vector<capture::Part>& parts) {
  std::vector<std::string> oids;
  for (const capture::Part& part : parts) oids.push_back(std::to_string(part.oid));
  const pg::Result rows = co_await session.db().Query(
      "SELECT coalesce(pg_relation_filenode(oid), 0)::oid,"
      " coalesce(pg_relation_size(oid) / current_setting('block_size')::int8, 0),"
      " CASE WHEN reltuples > 0 AND relpages > 0 THEN reltuples::float8 / relpages ELSE 50 END,"
      " 2 * current_setting('block_size')::float8 * (1 + coalesce("
      "pg_relation_size(nullif(reltoastrelid, 0))::float8 / nullif(pg_relation_size(oid), 0), 0))"
      " FROM unnest($1::text[]::oid[]) WITH ORDINALITY AS p (oid, n)"
      " LEFT JOIN pg_class c USING (oid) ORDER BY p.n",
      oids);
  std::vector<Source> sources;
  for (int i = 0; i < rows.rows(); ++i)
    sources.push_back({rows.Get<pg::Oid>(i, 0), rows.Get<std::int64_t>(i, 1),
                       rows.Get<double>(i, 2), rows.Get<double>(i, 3)});
  co_return sources;
}

std::int64_t RowsOf(const Source& source, Block blocks) {
  return static_cast<std::int64_t>(source.rows_per_page * static_cast<double>(blocks));
}

// Nothing that was copied counts: the shadow is emptied with its windows. Of a plain source only;
// a partition that was rewritten is left to the list of parts.
Task<> Restart(Job& job) {
  Session& session = job.env.main;
  auto body = [&]() -> Task<> {
    co_await guard::CheckLease(session, job.env.lease);
    co_await session.db().Query(fmt::format("TRUNCATE {}", job.flow.to));
    co_await session.db().Query("DELETE FROM pgalter.backfill_window WHERE run = $1 AND relid = $2",
                                job.env.run.id, job.flow.from_oid);
    co_await session.db().Query(
        "UPDATE pgalter.backfill_relation SET filenode = $3, blocks = $4"
        " WHERE run = $1 AND relid = $2",
        job.env.run.id, job.flow.from_oid, job.source.filenode, job.source.blocks);
    // One more rewrite since `source` was read: no chunk passes its check, and this comes again.
    co_await capture::RememberParts(session, job.flow);
  };
  co_await guard::RunInTransaction(session, body);
}

// The block count is read now, when the log exists: rows behind it are in the log.
Task<> Load(Job& job) {
  Session& session = job.env.main;
  const std::vector<capture::Part> part{job.part};
  const std::vector<Source> sources = co_await ReadSources(session, part);
  job.source = sources.front();
  if (job.flow.in_parts() && job.source.filenode != job.part.filenode) {
    job.rewritten = true;
    co_return;
  }
  backfill::RecordedRelation recorded = co_await backfill::LoadOrRecord(
      session, job.env.lease, job.part.oid, job.source.filenode, job.source.blocks);
  if (recorded.filenode != job.source.filenode && async::SafeguardOn("copy-filenode")) {
    co_await Restart(job);
    job.env.progress.remark = "the source was rewritten meanwhile: copied from its start";
    recorded.windows.clear();
    recorded.blocks = job.source.blocks;
    recorded.updated_rows = 0;
  }
  job.blocks_of_part = recorded.blocks;
  const Block allowed = job.canary
                            ? std::clamp<Block>(*job.canary - job.blocks_before, 0, recorded.blocks)
                            : recorded.blocks;
  job.windows = backfill::WindowSet(allowed, recorded.windows);
  job.env.progress.total_rows =
      job.env.progress.done_rows + job.rows_behind +
      std::max(recorded.updated_rows, RowsOf(job.source, recorded.blocks));
  job.env.progress.done_rows += recorded.updated_rows;
  throttle::ChunkSizeOptions size;
  size.target = PaceOf(job.env).chunk_time;
  size.rows_per_block = job.source.rows_per_page;
  job.size.emplace(size);
}

enum class ChunkEnd { kDone, kRewritten, kBusy, kBadRow };

Task<ChunkEnd> CopyChunk(Job& job, Session& session, const Window& window, std::int64_t& rows) {
  const Flow& flow = job.flow;
  const Source source = job.source;
  std::vector<pg::Statement> checks;
  checks.push_back({"SELECT FROM pgalter.lease WHERE run = $1 AND epoch = $2 FOR SHARE",
                    pg::Params::Of(job.env.lease.run, job.env.lease.epoch)});
  checks.push_back({fmt::format("LOCK TABLE ONLY {} IN ACCESS SHARE MODE", job.part.name), {}});
  // The lock is held now: what this says stays true until the end of the transaction.
  checks.push_back(
      {"SELECT pg_catalog.to_regclass($1)::oid = $2,"
       " pg_catalog.pg_relation_filenode($2) = $3",
       pg::Params::Of(job.part.name, job.part.oid, source.filenode)});
  const std::string from = backfill::Tid(window.first);
  const std::string to = backfill::Tid(window.end);
  ChunkEnd end = ChunkEnd::kDone;
  auto chunk = [&]() -> Task<> {
    const auto checked = co_await session.db().Pipeline(checks);
    if (checked.at(0).empty() && async::SafeguardOn("lease")) throw guard::LeaseLost(job.env.lease);
    const bool same = checked.at(2).Get<bool>(0, 1) || !async::SafeguardOn("copy-filenode");
    if (!checked.at(2).Get<bool>(0, 0) || !same) {
      end = ChunkEnd::kRewritten;
      co_return;
    }
    async::FailPoint("copy-checked");
    const pg::Result copied =
        co_await session.db().Query(capture::CopyStatement(flow, job.part.name), from, to);
    rows = copied.affected();
    Window done = window;
    ++done.passes;
    co_await backfill::RecordWindow(session, job.env.lease, job.part.oid, done, rows);
    async::FailPoint("copy-recorded");
  };
  guard::TransactionOptions options;
  options.durability = guard::Durability::kLazy;
  options.lock_timeout = kLockWait;
  try {
    co_await guard::RunInTransaction(session, options, chunk);
  } catch (const pg::PgError& error) {
    if (error.klass() == pg::SqlstateClass::kLockNotAvailable) {
      end = ChunkEnd::kBusy;
    } else if (error.klass() == pg::SqlstateClass::kData) {
      end = ChunkEnd::kBadRow;
    } else if (flow.in_parts() && error.Is(pg::sqlstate::kUndefinedTable)) {
      end = ChunkEnd::kRewritten;
    } else {
      throw;
    }
  }
  co_return end;
}

void ThrowIfOver(const Job& job) {
  job.env.stopper.ThrowIfStopping();
  if (job.failed) throw boost::system::system_error(boost::asio::error::operation_aborted);
}

Block WithinBudget(const Job& job, Block blocks) {
  const auto left = job.throttle.BytesLeft();
  if (!left) return blocks;
  return std::min(blocks, static_cast<Block>(*left / job.source.written_for_a_block));
}

// A new one knows nothing of the tables yet: for each of many partitions that takes longer than
// its rows.
Task<Session> TakeSession(Job& job) {
  Session session;
  if (job.idle.empty()) {
    session = co_await OpenSession(job.env);
    session.db().set_query_deadline(std::chrono::hours(1));
  } else {
    session = std::move(job.idle.back());
    job.idle.pop_back();
  }
  co_return session;
}

Task<> Work(Job& job, Session& session, int number) {
  while (!job.rewritten && number < job.wanted_workers) {
    ThrowIfOver(job);
    co_await job.throttle.Admit(job.env.stopper);
    const throttle::ChunkSize size = job.size->Next();
    const auto window = job.windows.Take(std::max<Block>(WithinBudget(job, size.blocks), 1), 1);
    if (!window) co_return;
    std::int64_t rows = 0;
    const auto begun = async::Clock::now();
    const ChunkEnd end = co_await CopyChunk(job, session, *window, rows);
    const auto took = async::Clock::now() - begun;
    if (end == ChunkEnd::kDone) {
      async::FailPoint("copy-committed");
      Window done = *window;
      ++done.passes;
      job.windows.Finish(done);
      throttle::ChunkOutcome outcome;
      outcome.asked = size;
      outcome.rows = rows;
      outcome.blocks = window->blocks();
      outcome.duration = took;
      job.size->Done(outcome);
      job.env.progress.done_rows += rows;
      job.env.progress.total_rows =
          std::max(job.env.progress.total_rows, job.env.progress.done_rows);
      run::CountChunk(job.env.progress, took, rows);
      job.env.progress.fraction = static_cast<double>(job.blocks_before + job.windows.done()) /
                                  static_cast<double>(job.blocks_of_all);
      job.throttle.Spend(static_cast<double>(window->blocks()) * job.source.written_for_a_block);
      co_await job.throttle.After(took, job.env.stopper);
      continue;
    }
    job.windows.GiveBack(*window);
    if (end == ChunkEnd::kBadRow) {
      const auto bad = co_await FindBadRow(session, job.flow, job.part.name, *window);
      if (bad) ThrowBadRow(job.flow, job.env.run.id, bad->key, bad->error);
    } else if (end == ChunkEnd::kRewritten) {
      job.rewritten = true;
    } else {
      job.env.progress.note =
          fmt::format("{} is locked by somebody's DDL; trying again", job.part.name);
      co_await job.env.stopper.SleepFor(kBusyPause);
      job.env.progress.note.clear();
    }
  }
}

Task<> WorkForAll(Job& job, int number) {
  // Also when it ends by an error: whoever hires waits for the last one.
  struct Counted {
    explicit Counted(int& workers) : count(workers) { ++count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count; }
    int& count;
  };
  const Counted counted(job.active_workers);
  try {
    Session session = co_await TakeSession(job);
    co_await Work(job, session, number);
    // One who is not wanted any more takes his session along.
    if (number < job.wanted_workers) job.idle.push_back(std::move(session));
  } catch (...) {
    job.failed = true;
    throw;
  }
}

// What an operator has asked for since the run began.
void TakeWishes(Job& job) {
  for (const auto& entry : job.env.control.throttle) {
    const auto wish = backfill::ReadWish(entry.key(), std::string_view(entry.value().as_string()));
    if (!wish || !wish->refusal.empty()) continue;
    if (wish->workers) job.wanted_workers = *wish->workers;
    if (wish->chunk_time && *wish->chunk_time != job.size->target())
      job.size->SetTarget(*wish->chunk_time);
  }
}

// As many workers as are wanted, more when the operator asks for more, until all is done.
Task<> Hire(Job& job, async::TaskGroup& workers) {
  auto look = kLookForWishes / 16;  // a small part is soon done
  LogFolder folder;
  for (int number = 0;;) {
    if (job.failed) co_return;  // the group tells why
    TakeWishes(job);
    co_await folder.MayFold(job.env);
    for (; number < job.wanted_workers; ++number) workers.Spawn(WorkForAll(job, number));
    co_await job.env.stopper.SleepFor(look);
    look = std::min(2 * look, kLookForWishes);
    const bool over = job.rewritten || job.windows.done() >= job.windows.total();
    if (job.active_workers == 0 && over) co_return;
    // One that was not wanted any more may have given a window back.
    number = std::min(number, job.active_workers == 0 ? 0 : job.wanted_workers);
  }
}

Task<> CopyPart(Job& job) {
  co_await Load(job);
  if (job.rewritten) co_return;
  job.wanted_workers = PaceOf(job.env).workers;
  auto crew = [&](async::TaskGroup& group) -> Task<> { co_await Hire(job, group); };
  co_await async::WithTaskGroup(crew);
}

// The table itself; of a partitioned one its leaves, as far as they are those of the beginning.
// Rows of the others are followed as changes are, when the copy is over.
Task<std::vector<capture::Part>> PartsToCopy(run::Environment& env, const Flow& flow) {
  if (flow.in_parts()) co_return co_await capture::ReadUnchangedParts(env.main, flow);
  co_return co_await capture::ReadParts(env.main, flow.from_oid);
}

struct Sum {
  Block blocks = 0;
  std::int64_t rows = 0;  // about
};

Sum SumOf(const std::vector<Source>& sources) {
  Sum sum;
  for (const Source& source : sources) {
    sum.blocks += source.blocks;
    sum.rows += RowsOf(source, source.blocks);
  }
  return sum;
}

// What the tables before this one have added to the progress, how many blocks all have, and how
// many rows those behind it, about.
struct Before {
  std::int64_t rows = 0;
  std::int64_t rows_behind = 0;
  Block blocks = 0;
  Block blocks_of_all = 1;
  std::optional<Block> canary;
};

// False: a part was rewritten, renamed, detached or dropped meanwhile.
Task<bool> CopyAll(run::Environment& env, throttle::Throttle& throttle, std::string name,
                   Before& sofar) {
  // Anew each time: the source may have been renamed.
  const Flow flow = co_await capture::LoadFlow(env.main, env.run.id, std::move(name));
  const std::vector<capture::Part> parts = co_await PartsToCopy(env, flow);
  env.progress.done_rows = sofar.rows;
  const std::vector<Source> sources = co_await ReadSources(env.main, parts);
  Sum sum = SumOf(sources);
  const Block all = std::max(sofar.blocks_of_all, sofar.blocks + sum.blocks);
  Block before = sofar.blocks;
  std::vector<Session> idle;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const capture::Part& part = parts[i];
    sum.rows -= RowsOf(sources.at(i), sources.at(i).blocks);
    Job job{env, throttle, flow, part, idle, sofar.rows_behind + sum.rows};
    job.blocks_before = before;
    job.blocks_of_all = all;
    job.canary = sofar.canary;
    co_await CopyPart(job);
    before += job.source.blocks;
    const bool whole = job.windows.total() >= job.blocks_of_part;
    if (!job.rewritten && !whole) run::RestAtCanary(env);
    if (!job.rewritten) continue;
    env.progress.remark = fmt::format("{} is not what it was: looking again", part.name);
    co_return false;
  }
  sofar.rows = env.progress.done_rows;
  sofar.blocks = before;
  co_return true;
}

// Runs of an older program have one order at most, and that of the first table.
std::string OrderOf(const state::Run& run, int number) {
  const boost::json::object* table = &run.spec;
  if (number > 1) {
    const auto* others = run.spec.if_contains("companions");
    const auto at = static_cast<std::size_t>(number) - 2;
    if (others == nullptr || at >= others->as_array().size()) return "";
    table = &others->as_array()[at].as_object();
  }
  const auto* order_by = table->if_contains("order_by");
  return order_by == nullptr ? "" : std::string(std::string_view(order_by->as_string()));
}

// By one session, whatever the run has.
Task<bool> CopyOrdered(run::Environment& env, throttle::Throttle& throttle, std::string name,
                       state::Step& step, Ordered table, Before& sofar) {
  const Flow flow = co_await capture::LoadFlow(env.main, env.run.id, std::move(name));
  const std::vector<capture::Part> parts = co_await PartsToCopy(env, flow);
  const std::vector<Source> sources = co_await ReadSources(env.main, parts);
  const Sum sum = SumOf(sources);
  const Block behind = sofar.blocks + sum.blocks;
  const auto all = static_cast<double>(std::max(sofar.blocks_of_all, behind));
  table.rows_before = sofar.rows;
  table.rows_behind = sofar.rows_behind;
  table.begins = static_cast<double>(sofar.blocks) / all;
  table.ends = static_cast<double>(behind) / all;
  const bool whole = co_await CopyInOrder(env, throttle, flow, step, std::move(table));
  if (!whole) co_return false;
  sofar.rows = env.progress.done_rows;
  sofar.blocks = behind;
  co_return true;
}

// `step` has how far tables that are copied in an order have come, each of them.
Task<> CopyTable(run::Environment& env, state::Step& step, int number, const Flow& flow,
                 Before& sofar) {
  co_await capture::RefuseEmptied(env.main, flow);
  co_await capture::RefuseGivenUp(env.main, flow);
  Ordered ordered;
  ordered.by = OrderOf(env.run, number);
  ordered.number = number;
  auto copy = [&](throttle::Throttle& throttle) -> Task<> {
    bool whole = false;
    while (!whole) {
      if (ordered.by.empty()) {
        whole = co_await CopyAll(env, throttle, flow.name, sofar);
      } else {
        whole = co_await CopyOrdered(env, throttle, flow.name, step, ordered, sofar);
      }
    }
  };
  const std::function<Task<>(throttle::Throttle&)> body = copy;
  co_await WithThrottle(env, flow.from, body);
  // What follows plans by the shadow's statistics; a few rows are enough for lookups by its key.
  auto analyze = [&]() -> Task<> {
    co_await env.main.db().Query("SET LOCAL default_statistics_target = 10");
    co_await env.main.db().Query(fmt::format("ANALYZE {}", flow.to));
  };
  co_await guard::RunInTransaction(env.main, analyze);
}

// Who resumes the run behind the copy knows no windows, and the last beat knew fewer rows. Where
// another step has counted its own, the report of the run adds them up.
Task<> KeepRows(run::Environment& env, const state::Step& step) {
  auto keep = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await env.main.db().Query(
        "UPDATE pgalter.run SET done_rows = $2, total_rows = $3 WHERE run = $1", env.run.id,
        env.progress.done_rows, env.progress.total_rows);
    co_await env.main.db().Query(
        "UPDATE pgalter.step s SET spec = spec || jsonb_build_object('done_rows', $3::bigint)"
        " WHERE run = $1 AND ordinal = $2"
        " AND EXISTS (SELECT FROM pgalter.step o WHERE o.run = s.run AND o.spec ? 'done_rows')",
        env.run.id, step.ordinal, env.progress.done_rows);
  };
  co_await guard::RunInTransaction(env.main, keep);
}

}  // namespace

Task<bool> CopyStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> CopyStep::Do(run::Environment& env, const state::Step& step) {
  const std::vector<Flow> flows = co_await capture::LoadFlows(env.main, env.run.id, "forward");
  Before sofar;
  std::vector<Sum> sums;
  for (const Flow& flow : flows) {
    const std::vector<capture::Part> parts = co_await PartsToCopy(env, flow);
    const std::vector<Source> sources = co_await ReadSources(env.main, parts);
    const Sum sum = SumOf(sources);
    sums.push_back(sum);
    sofar.blocks_of_all += sum.blocks;
    sofar.rows_behind += sum.rows;
  }
  if (run::InCanary(env.run, env.control))
    sofar.canary = run::CanaryBlocks(run::CanaryOf(env.run), sofar.blocks_of_all);
  state::Step own = step;
  int number = 0;
  for (const Flow& flow : flows) {
    sofar.rows_behind -= sums.at(static_cast<std::size_t>(number)).rows;
    co_await CopyTable(env, own, ++number, flow, sofar);
  }
  env.progress.total_rows = env.progress.done_rows;
  env.progress.fraction = 1;
  co_await KeepRows(env, step);
}

Task<> CopyStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::copy
