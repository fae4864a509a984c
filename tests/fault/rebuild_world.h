// A table in use that is rebuilt under its users, and what is right afterwards.
//
// items has a mirror: a trigger of the user's own writes every change there, in the same
// transaction. Whatever the program does and however it dies, the table, under whichever of its two
// incarnations, must hold what the mirror holds.
#pragma once

#include <functional>
#include <random>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {

// kKey: they count on the unique key over id alone, which a partitioned table does not have.
enum class Uses { kKey, kAnyKey };

// Statements of a user's, any number.
using Change = std::function<std::string(std::mt19937&)>;

// Users who do everything that a table can have done to it.
class Rebuilders {
 public:
  Rebuilders(std::string conninfo, unsigned seed, int count = 2, Uses uses = Uses::kKey);
  // `refused`: an SQLSTATE that users give each other.
  Rebuilders(std::string conninfo, unsigned seed, Change change, std::string refused);
  Rebuilders(const Rebuilders&) = delete;
  Rebuilders& operator=(const Rebuilders&) = delete;
  ~Rebuilders() { Stop(); }

  void Stop();
  [[nodiscard]] std::string errors();
  [[nodiscard]] long writes() const { return writes_; }
  // So many from now on.
  void AwaitWrites(long more);

 private:
  void Write(unsigned seed);

  std::string conninfo_;
  Change change_;
  std::string refused_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> writes_ = 0;
  std::mutex mutex_;
  std::string errors_;
  std::vector<std::thread> threads_;
};

class RebuildWorld : public BackfillWorld {
 protected:
  using BackfillWorld::BackfillWorld;

  void MakeRebuilt(int rows = 20'000);

  // rebuild items --alter 'ALTER a TYPE bigint', in small chunks.
  [[nodiscard]] static Words Rebuild(const Words& more = {});

  // rebuild items --definition: partitioned by a, which users change all the time; in small chunks.
  [[nodiscard]] static Words Partition(const Words& more = {});
  // A file with this text, for --definition.
  [[nodiscard]] static std::string File(const std::string& text);

  // The table is the mirror, and of the new definition.
  void ExpectSame() const;
  void ExpectNew() const;
  void ExpectPartitioned() const;
  // `finish` and `cleanup` leave nothing of ours.
  void ExpectNothingLeft() const;
};

}  // namespace pgalter::test
