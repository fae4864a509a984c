#include "engine/run/lock_history.h"

#include <algorithm>
#include <utility>

#include "engine/lock/trees_json.h"
#include "engine/run/meter.h"

namespace pgalter::run {

namespace {

// Nobody reads a tree of a thousand; how many there were is kept.
constexpr int kMostKept = 200;

// A throttle, where one is at work, looks twice a second.
bool NobodyWaits() {
  constexpr std::chrono::seconds kFresh{1};
  const auto& look = Meter::OfThisProcess().lock_look;
  return look && !look->anybody_waits && async::Clock::now() - look->at < kFresh;
}

// Who waits for whom is asked only where somebody waits.
Task<std::vector<lock::LockNode>> ReadTrees(guard::Session& session) {
  std::vector<lock::LockNode> trees;
  if (NobodyWaits()) co_return trees;
  const pg::Result waits = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE NOT granted)");
  if (waits.Get<bool>(0, 0)) trees = co_await lock::ReadLocks(session, std::nullopt);
  co_return trees;
}

bool IsOf(const lock::LockNode& node, const std::string& run) {
  return lock::RunOf(node.session) == run ||
         std::ranges::any_of(node.waiters,
                             [&](const lock::LockNode& child) { return IsOf(child, run); });
}

int CountWaiters(const lock::LockNode& node) {
  int count = node.wanted ? 1 : 0;
  for (const lock::LockNode& child : node.waiters) count += CountWaiters(child);
  return count;
}

void Trim(lock::LockNode& node, int& left) {
  if (static_cast<int>(node.waiters.size()) > left)
    node.waiters.resize(static_cast<std::size_t>(std::max(left, 0)));
  left -= static_cast<int>(node.waiters.size());
  for (lock::LockNode& child : node.waiters) Trim(child, left);
}

}  // namespace

Task<> LockHistory::Look(guard::Session& session, std::string step) {
  try {
    co_await LookOrThrow(session, std::move(step));
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
    kept_ = false;
  }
}

Task<> LockHistory::LookOrThrow(guard::Session& session, std::string step) {
  if (!kept_) kept_ = co_await state::KeepsLockEpisodes(session);
  if (!*kept_) co_return;
  std::vector<lock::LockNode> trees = co_await ReadTrees(session);
  std::erase_if(trees, [&](const lock::LockNode& tree) { return !IsOf(tree, lease_.run); });
  if (trees.empty()) {
    co_await Close(session);
    co_return;
  }
  int waiters = 0;
  for (const lock::LockNode& tree : trees) waiters += CountWaiters(tree);
  if (!open_) began_ = async::Clock::now();
  if (!open_) open_.emplace();
  if (waiters <= open_->waiters) co_return;
  open_->waiters = waiters;
  open_->step = std::move(step);
  int left = kMostKept;
  for (lock::LockNode& tree : trees) Trim(tree, left);
  open_->trees = lock::TreesJson(trees, {{lease_.run, open_->step}});
}

Task<> LockHistory::Close(guard::Session& session) {
  if (!open_) co_return;
  open_->seconds = std::chrono::duration<double>(async::Clock::now() - began_).count();
  state::LockEpisode episode = std::move(*open_);
  open_.reset();
  co_await state::RecordLockEpisode(session, lease_, std::move(episode));
}

}  // namespace pgalter::run
