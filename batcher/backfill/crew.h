// Crew: what the workers of one backfill share. One thread, so plain members; a coroutine may find
// them changed after each await.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batcher/backfill/chunk.h"
#include "batcher/backfill/horizon.h"
#include "batcher/backfill/spec.h"
#include "batcher/throttle/chunk_size_policy.h"
#include "batcher/throttle/throttle.h"
#include "engine/run/step_handler.h"

namespace pgalter::backfill {

// One relation and how far it is. Replaced windows mean a new `generation`: whoever holds windows
// of an older one lets them go.
struct LeafWork {
  Leaf leaf;
  WindowSet windows{0, {}};
  Block blocks = 0;  // in all; of a canary `windows` has the first ones
  std::optional<throttle::ChunkSizePolicy> size;
  int generation = 0;
  bool restarting = false;
  bool gone = false;
  std::int64_t finished_since_fold = 0;
  std::set<Block> waiting;  // first blocks of windows with rows that somebody held
};

// Windows that one worker takes in turn.
struct Group {
  std::shared_ptr<LeafWork> of;
  Leaf leaf;  // as it was when the windows were taken
  int generation = 0;
  std::vector<Window> windows;
  throttle::ChunkSize size;
  Recording recording = Recording::kYes;
};

class Crew {
 public:
  Crew(run::Environment& env, Spec spec, Table table, Resolved resolved, Work work,
       throttle::Throttle& throttle);

  Task<> Load();  // relations and what is recorded of them

  Task<Session> OpenSession();  // one that chunks run on: the role's settings, bound values
  ChunkContext ContextFor(Session& session) const;

  // One of them has failed. A level, as stopping is: the group's cancellation is lost on a worker
  // that is in the middle of its COMMIT (engine/async/finally.h).
  void Fail() { failed_ = true; }
  // At the head of every loop.
  void ThrowIfOver() const;

  // nullopt: nothing is left to take now.
  std::optional<Group> Take();
  bool restarting() const;
  void Finish(const Group& group, const Window& window);
  void GiveBack(const Group& group);
  // The first part is done, nobody has let the run go on, and something is left.
  bool RestsAtCanary() const;

  // The relation of `group` was rewritten, renamed or dropped.
  Task<> LookAgain(Session& session, const Group& group);

  std::shared_ptr<LeafWork> FindOrAdd(const Leaf& leaf);
  const std::vector<std::shared_ptr<LeafWork>>& leaves() const { return leaves_; }

  run::Environment& env() { return env_; }
  const Spec& spec() const { return spec_; }
  const Table& table() const { return table_; }
  const Work& work() const { return work_; }
  throttle::Throttle& throttle() { return throttle_; }

  Firing firing;  // of every chunk

  // Striping pays only while dead versions can be pruned.
  bool pruning = true;       // the xmin horizon moves
  bool hot_gave_up = false;  // it did, and updates left their pages all the same
  int wanted_workers = 1;
  int active_workers = 0;
  Horizon horizon;  // as last read
  async::Clock::time_point horizon_read{};
  async::Clock::duration xmin_waited{};
  async::Clock::time_point xmin_waited_until{};
  std::int64_t updated = 0;  // rows, by all runners of this run
  double begun_blocks = 0;   // passes of unfinished windows, as blocks
  std::string remark;        // why the pace or the method is what it is

  // Some relation is gone through in stripes as long as pruning works; nobody said how many.
  bool WouldStripe() const;
  void SetChunkTime(Milliseconds target);
  // Added up by the workers after each chunk.
  void Count(const ChunkResult& result);
  Block TotalBlocks() const;
  double DoneBlocks() const;
  double Fraction() const;  // of all blocks; 0 while they are not known

 private:
  WindowSet WindowsOf(LeafWork& work, Block blocks, const std::vector<Window>& recorded);
  Task<> LoadLeaf(std::shared_ptr<LeafWork> work);
  int StripesFor(const Leaf& leaf) const;
  throttle::ChunkSizePolicy& SizeOf(LeafWork& work, int stripes);

  run::Environment& env_;
  Spec spec_;
  Table table_;
  Resolved resolved_;
  Work work_;
  throttle::Throttle& throttle_;
  std::vector<std::shared_ptr<LeafWork>> leaves_;
  bool failed_ = false;
  std::optional<Block> canary_;  // how many blocks may be begun; nullopt: all
  Milliseconds chunk_time_;
  std::int64_t learned_rows_ = 1000;  // of the last chunk size: what the next relation starts with
};

}  // namespace pgalter::backfill
