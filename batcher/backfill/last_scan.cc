#include "batcher/backfill/last_scan.h"

#include <fmt/format.h>

#include <algorithm>

#include "batcher/backfill/once.h"
#include "batcher/backfill/worker.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::backfill {

namespace {

constexpr int kMostFound = 100'000;  // of one scan; the next one finds the rest
constexpr Block kScanWindow = 4096;
constexpr Block kMostBlocks = 0xFFFFFFFE;  // MaxBlockNumber, block.h
constexpr int kMostRounds = 50;

struct Missed {
  Leaf leaf;
  std::set<Block> blocks;
  std::int64_t rows = 0;
  bool unreadable = false;  // a row is among them whose value cannot be made: bisected, put aside
};

Task<Missed> ScanLeaf(Crew& crew, Session& session, const Leaf& leaf) {
  Missed missed;
  missed.leaf = leaf;
  const auto aside = co_await QuarantinedKeys(session, crew.env().run.id, leaf.oid);
  const std::string scan = ScanStatement(leaf.relation, crew.work(), kMostFound);
  // Behind the last block known there may be rows that users moved just now.
  const Block end_of_all = crew.spec().has_trigger ? leaf.blocks : kMostBlocks;
  const Block step = crew.spec().has_trigger ? kScanWindow : kMostBlocks;
  for (Block first = 0; first < end_of_all; first += step) {
    co_await crew.throttle().Admit(crew.env().stopper);
    const Block end = std::min(first + step, end_of_all);
    const std::string from = Tid(first);
    const std::string to = Tid(end);
    std::optional<pg::Result> rows;
    try {
      rows.emplace(co_await session.db().Query(scan, from, to, aside));
    } catch (const pg::PgError& error) {
      if (error.klass() != pg::SqlstateClass::kData) throw;
    }
    if (rows) {
      for (int i = 0; i < rows->rows(); ++i) missed.blocks.insert(rows->Get<std::int64_t>(i, 0));
      missed.rows += rows->rows();
    } else {
      for (Block block = first; block < std::min(end, leaf.blocks); ++block)
        missed.blocks.insert(block);
      missed.unreadable = true;
      ++missed.rows;
    }
    crew.env().progress.fraction =
        static_cast<double>(end) / static_cast<double>(std::max<Block>(end_of_all, 1));
  }
  co_return missed;
}

// Plain passes over the blocks where rows were found.
Task<> Mend(Crew& crew, Session& session, const Missed& missed) {
  Group group;
  group.of = crew.FindOrAdd(missed.leaf);
  group.leaf = missed.leaf;
  group.generation = group.of->generation;
  group.recording = Recording::kNo;
  for (const Block block : missed.blocks) {
    const bool neighbour = !group.windows.empty() && group.windows.back().end == block &&
                           group.windows.back().blocks() < 16;
    if (neighbour) {
      ++group.windows.back().end;
    } else {
      group.windows.push_back({block, block + 1, 1, 0});
    }
  }
  for (std::size_t i = 0; i < group.windows.size(); ++i) {
    Window window = group.windows[i];
    if (co_await RunPass(crew, session, group, window) == PassEnd::kAbandoned) co_return;
  }
}

// Behind a scan that found nothing. False: something has changed, and it is to be looked for again.
Task<bool> IsAllAsItWas(Crew& crew, Session& session, const std::vector<Leaf>& leaves) {
  if (!crew.spec().beginning) co_return true;
  const ChunkContext context = crew.ContextFor(session);
  auto nothing = []() -> Task<ChunkCounts> { co_return ChunkCounts{}; };
  const ChunkBody body = nothing;
  for (const Leaf& leaf : leaves) {
    const ChunkResult seen =
        co_await RunChunkBody(context, leaf, 10 * crew.spec().chunk_time, body, nullptr);
    if (seen.end != ChunkEnd::kDone) co_return false;
  }
  co_return true;
}

// Where it matters which versions a file has.
Task<> ExpectKnownFiles(Crew& crew, Session& session, const std::vector<Leaf>& leaves) {
  if (!crew.spec().beginning) co_return;
  const run::Environment& env = crew.env();
  for (const Leaf& leaf : leaves) {
    const RecordedRelation recorded =
        co_await LoadOrRecord(session, env.lease, leaf.oid, leaf.filenode, leaf.blocks);
    if (recorded.filenode == leaf.filenode) continue;
    co_await ExpectOldVersions(session, *crew.spec().beginning, leaf, env.run.id);
    co_await StartAgain(session, env.lease, leaf.oid, leaf.filenode, leaf.blocks);
  }
}

}  // namespace

Task<> RunLastScan(Crew& crew) {
  if (!async::SafeguardOn("last-scan")) co_return;
  run::Environment& env = crew.env();
  Session session = co_await crew.OpenSession();
  session.db().set_query_deadline(std::chrono::hours(24));
  Milliseconds pause{100};
  int rounds = 0;
  for (;;) {
    crew.ThrowIfOver();
    const std::int64_t updated_before = crew.updated;
    std::int64_t found = 0;
    bool unreadable = false;
    // The leaves as they are now: one may have been attached, or rewritten.
    const auto leaves = co_await FindLeaves(session, crew.table().oid, crew.spec());
    co_await ExpectKnownFiles(crew, session, leaves);
    for (const Leaf& leaf : leaves) {
      const Missed missed = co_await ScanLeaf(crew, session, leaf);
      found += missed.rows;
      unreadable |= missed.unreadable;
      async::FailPoint("scan-done");
      if (missed.rows > 0) co_await Mend(crew, session, missed);
    }
    env.progress.waiting_rows = found;
    if (found == 0 && co_await IsAllAsItWas(crew, session, leaves)) break;
    if (crew.updated > updated_before || unreadable) {
      pause = Milliseconds(100);
      if ((crew.spec().beginning && !unreadable) || ++rounds < kMostRounds) continue;
      throw run::Failure(
          run::ExitCode::kMismatch,
          fmt::format(
              "users keep writing rows of {} that need the value: {} rounds found new ones. "
              "Give the column a default, or run with --sync keep, then: pgalter resume {}",
              crew.table().name, rounds, env.run.id));
    }
    if (found > 0)
      env.progress.note = fmt::format("{} rows are locked by users; waiting for them", found);
    co_await env.stopper.SleepFor(pause);
    pause = std::min(pause * 2, Milliseconds(5000));
  }
  env.progress.note.clear();
}

}  // namespace pgalter::backfill
