#include "batcher/backfill/crew.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>
#include <memory>
#include <utility>

#include "batcher/backfill/once.h"
#include "engine/run/canary.h"
#include "engine/run/failure.h"
#include "engine/run/meter.h"

namespace pgalter::backfill {

using run::ExitCode;
using run::Failure;

Crew::Crew(run::Environment& env, Spec spec, Table table, Resolved resolved, Work work,
           throttle::Throttle& throttle)
    : wanted_workers(spec.workers),
      env_(env),
      spec_(std::move(spec)),
      table_(std::move(table)),
      resolved_(std::move(resolved)),
      work_(std::move(work)),
      throttle_(throttle),
      chunk_time_(spec_.chunk_time) {}

Task<> Crew::Load() {
  const std::vector<Leaf> found = co_await FindLeaves(env_.main, table_.oid, spec_);
  if (run::InCanary(env_.run, env_.control)) {
    // As they were at the start: the chunks make the table grow, and the first part is to stay it.
    const auto recorded = co_await RecordedBlocks(env_.main, env_.run.id, found.size());
    Block total = 0;
    for (const Leaf& leaf : found) total += leaf.blocks;
    canary_ = run::CanaryBlocks(run::CanaryOf(env_.run), recorded.value_or(total));
  }
  for (const Leaf& leaf : found) {
    auto work = std::make_shared<LeafWork>();
    work->leaf = leaf;
    co_await LoadLeaf(work);
    leaves_.push_back(std::move(work));
  }
}

// Of a canary the first blocks, over all relations as they come.
WindowSet Crew::WindowsOf(LeafWork& work, Block blocks, const std::vector<Window>& recorded) {
  work.blocks = blocks;
  if (!canary_) return {blocks, recorded};
  Block before = 0;
  for (const auto& other : leaves_) {
    if (other.get() == &work) break;
    before += other->blocks;
  }
  return {std::clamp<Block>(*canary_ - before, 0, blocks), recorded};
}

bool Crew::RestsAtCanary() const {
  return canary_ && std::ranges::any_of(leaves_, [](const auto& work) {
           return !work->gone && work->windows.total() < work->blocks;
         });
}

Task<> Crew::LoadLeaf(std::shared_ptr<LeafWork> work) {
  const Leaf& leaf = work->leaf;
  RecordedRelation recorded =
      co_await LoadOrRecord(env_.main, env_.lease, leaf.oid, leaf.filenode, leaf.blocks);
  if (recorded.filenode != leaf.filenode) {
    if (spec_.beginning) co_await ExpectOldVersions(env_.main, *spec_.beginning, leaf, env_.run.id);
    co_await StartAgain(env_.main, env_.lease, leaf.oid, leaf.filenode, leaf.blocks);
    recorded.windows.clear();
    recorded.blocks = leaf.blocks;
  }
  // Blocks that the relation grew by since are written by users with the trigger in place, or found
  // by the last scan.
  work->windows = WindowsOf(*work, recorded.blocks, recorded.windows);
  updated += recorded.updated_rows;
  env_.progress.done_rows = updated;
}

Task<Session> Crew::OpenSession() {
  guard::SessionOptions options = env_.sessions;
  options.settings = spec_.settings;
  if (spec_.beginning) options.settings.emplace_back(kOnceSetting, spec_.beginning->mark);
  for (const auto& [name, variable] : spec_.binds) {
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr)
      throw Failure(ExitCode::kUsage,
                    fmt::format("--bind {}=env:{}: the environment has no variable {}; set it and "
                                "run again (pgalter resume {})",
                                name, variable, variable, env_.run.id));
    options.settings.emplace_back(BindSetting(name), value);
  }
  co_return co_await Session::Open(std::move(options));
}

ChunkContext Crew::ContextFor(Session& session) const {
  return ChunkContext{session,         env_.lease, resolved_.columns, work_, table_.oid,
                      spec_.beginning, firing};
}

int Crew::StripesFor(const Leaf& leaf) const {
  if (spec_.stripes > 0) return spec_.stripes;
  return pruning && !hot_gave_up && JudgeStripes(leaf.shape) == Stripes::kUseful ? kStripes : 1;
}

bool Crew::WouldStripe() const {
  return spec_.stripes == 0 && !hot_gave_up && std::ranges::any_of(leaves_, [](const auto& work) {
           return JudgeStripes(work->leaf.shape) == Stripes::kUseful;
         });
}

throttle::ChunkSizePolicy& Crew::SizeOf(LeafWork& work, int stripes) {
  const double density =
      std::max(work.leaf.shape.rows_per_page, 0.1) * LargestShare(stripes, work.leaf.shape);
  if (!work.size || work.size->rows_per_block() != density) {
    throttle::ChunkSizeOptions options;
    options.target = chunk_time_;
    options.start_rows = work.size ? work.size->Next().rows : learned_rows_;
    options.rows_per_block = density;
    work.size.emplace(options);
  }
  return *work.size;
}

void Crew::ThrowIfOver() const {
  env_.stopper.ThrowIfStopping();
  if (failed_) throw boost::system::system_error(boost::asio::error::operation_aborted);
}

std::optional<Group> Crew::Take() {
  for (const auto& work : leaves_) {
    if (work->gone || work->restarting) continue;
    const int stripes = StripesFor(work->leaf);
    throttle::ChunkSizePolicy& size = SizeOf(*work, stripes);
    Group group;
    group.size = size.Next();
    learned_rows_ = group.size.rows;
    // Interleaving is for pruning; without stripes one window at a time learns faster.
    const int wanted = stripes > 1 ? kInterleaved : 1;
    for (int i = 0; i < wanted; ++i) {
      const auto window = work->windows.Take(group.size.blocks, stripes);
      if (!window) break;
      group.windows.push_back(*window);
    }
    if (group.windows.empty()) continue;
    group.of = work;
    group.leaf = work->leaf;
    group.generation = work->generation;
    return group;
  }
  return std::nullopt;
}

bool Crew::restarting() const {
  return std::ranges::any_of(leaves_, [](const auto& work) { return work->restarting; });
}

void Crew::Finish(const Group& group, const Window& window) {
  if (group.generation != group.of->generation) return;
  group.of->windows.Finish(window);
  begun_blocks = std::max(0.0, begun_blocks - static_cast<double>(window.blocks()));
  ++group.of->finished_since_fold;
}

void Crew::GiveBack(const Group& group) {
  if (group.generation != group.of->generation) return;
  for (const Window& window : group.windows)
    if (!window.done()) group.of->windows.GiveBack(window);
}

Task<> Crew::LookAgain(Session& session, const Group& group) {
  LeafWork& work = *group.of;
  if (group.generation != work.generation || work.restarting) co_return;
  work.restarting = true;
  // Whatever is thrown, a lost connection for one: the other workers must not wait for this one.
  const std::unique_ptr<bool, void (*)(bool*)> restarting(&work.restarting,
                                                          [](bool* flag) { *flag = false; });
  const auto leaf = co_await FindLeaf(session, work.leaf.oid, table_.oid, spec_);
  if (!leaf && work.leaf.oid == table_.oid)
    throw Failure(ExitCode::kError,
                  fmt::format("table {} was dropped while run {} worked on it; nothing is left to "
                              "do: pgalter abort {} --yes",
                              table_.name, env_.run.id, env_.run.id));
  ++work.generation;
  if (!leaf) {
    work.gone = true;  // a partition that was dropped, or detached
    work.windows = WindowSet(0, {});
    work.blocks = 0;
  } else if (leaf->filenode != work.leaf.filenode) {
    work.leaf = *leaf;
    if (spec_.beginning) co_await ExpectOldVersions(session, *spec_.beginning, *leaf, env_.run.id);
    co_await StartAgain(session, env_.lease, leaf->oid, leaf->filenode, leaf->blocks);
    work.windows = WindowsOf(work, leaf->blocks, {});
    remark = fmt::format("{} was rewritten meanwhile: its blocks are gone through again",
                         leaf->relation.name);
  } else {
    work.leaf = *leaf;
    const RecordedRelation recorded =
        co_await LoadOrRecord(session, env_.lease, leaf->oid, leaf->filenode, leaf->blocks);
    work.windows = WindowsOf(work, recorded.blocks, recorded.windows);
  }
}

std::shared_ptr<LeafWork> Crew::FindOrAdd(const Leaf& leaf) {
  for (const auto& work : leaves_) {
    if (work->leaf.oid != leaf.oid) continue;
    work->leaf = leaf;
    return work;
  }
  auto work = std::make_shared<LeafWork>();
  work->leaf = leaf;
  leaves_.push_back(work);
  return work;
}

void Crew::SetChunkTime(Milliseconds target) {
  if (chunk_time_ == target) return;
  chunk_time_ = target;
  for (const auto& work : leaves_)
    if (work->size) work->size->SetTarget(target);
}

void Crew::Count(const ChunkResult& result) {
  updated += result.updated;
  env_.progress.done_rows = updated;
  run::CountChunk(env_.progress, result.duration, result.updated);
}

Block Crew::TotalBlocks() const {
  Block total = 0;
  for (const auto& work : leaves_) total += work->blocks;
  return total;
}

double Crew::DoneBlocks() const {
  double done = begun_blocks;
  for (const auto& work : leaves_) done += static_cast<double>(work->windows.done());
  return done;
}

double Crew::Fraction() const {
  const Block total = TotalBlocks();
  return total > 0 ? std::min(1.0, DoneBlocks() / static_cast<double>(total)) : 0;
}

}  // namespace pgalter::backfill
