// One round of the torture: a table made by a seed, its users, a rebuild of one kind or another
// that is killed, cut off, paused, taken over and crashed, there and perhaps back, and what is
// wrong afterwards. The same seed makes the same round, as far as time allows.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/torture/arena.h"
#include "tests/torture/crowd.h"

namespace pgalter::test {

enum class Kind { kAlter, kOrdered, kIntoPartitions, kOutOfPartitions, kTogether };
inline constexpr int kKinds = 5;

class Round {
 public:
  Round(Arena& arena, unsigned seed);

  // What is wrong, one a line; empty: nothing.
  std::string Play();

  // "ordered uuid: kill, crash", once it was played.
  [[nodiscard]] std::string Story() const { return story_; }
  [[nodiscard]] long writes() const { return writes_; }

 private:
  [[nodiscard]] int Pick(int least, int most) {
    return std::uniform_int_distribution(least, most)(dice_);
  }
  [[nodiscard]] bool OneIn(int n) { return Pick(1, n) == 1; }
  void Complain(const std::string& what);
  void Tell(const std::string& what);

  void Choose();
  void Prepare();
  [[nodiscard]] Words Order();
  [[nodiscard]] std::string Parts(const char* parent = "int");
  // Of both tables that are rebuilt together, each plain or in partitions.
  [[nodiscard]] std::string Definitions();

  [[nodiscard]] long Runs() const;
  [[nodiscard]] std::string RunId() const;
  [[nodiscard]] std::string State() const;

  // Until the newest run is in that state, whatever happens to the programs meanwhile.
  void Carry(const Words& order, const std::string& goal);
  Ran OneProgram(const Words& words);
  void Disturb(Program& program);
  // Other people's DDL, which fires no trigger.
  void Meddle();
  [[nodiscard]] std::string Meddling();
  void LetSwap();

  void Judge(Users& users);

  Arena& arena_;
  unsigned seed_;
  std::mt19937 dice_;
  Kind kind_ = Kind::kAlter;
  Crowd crowd_;
  bool defined_ = false;  // kTogether: by one file
  bool parted_ = false;   // into partitions
  bool waits_ = false;    // for `pgalter cutover`
  bool standby_ = false;
  int disturbances_ = 0;
  std::string story_;
  std::string problems_;
  long writes_ = 0;
};

}  // namespace pgalter::test
