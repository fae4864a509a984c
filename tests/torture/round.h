// One round of the torture: a table made by a seed, its users, a rebuild of one kind or another
// that is killed, cut off, paused, taken over and crashed, there and perhaps back, and what is
// wrong afterwards. The same seed makes the same round, as far as time allows.
// PGALTER_TORTURE_EVENT: this alone is done to the program, by its name in the story.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/torture/arena.h"
#include "tests/torture/crowd.h"

namespace pgalter::test {

enum class Kind { kAlter, kOrdered, kIntoPartitions, kOutOfPartitions, kTogether };
inline constexpr int kKinds = 5;

enum class Event {
  kKill,
  kTerminate,
  kPause,
  kCrash,
  kRival,
  kFreeze,
  kStall,
  kMisfit,
  kMeddle,
};

// The highest `a` and one that users write where there is no DEFAULT: what is beyond fits nowhere.
inline constexpr int kTop = 1'100;

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
  // Until it ends; `meanwhile` is called all along.
  Ran Attend(Program& program, const std::string& what, const std::function<void()>& meanwhile);
  // An end that whatever happens here can bring about.
  [[nodiscard]] static bool IsFine(const Ran& ran);
  // It says of a row that it fits into no partition.
  [[nodiscard]] bool IsMisfit(const Ran& ran) const;
  [[nodiscard]] std::string FailPoint();

  // disturb.cc
  [[nodiscard]] Event WhatNext();
  void Disturb(Program& program);
  void CrashOrFailOver(Program& program);
  void Rival();
  // It is stopped, another one goes on with its run, and it is let go: it has to notice.
  void Stall(Program& program);
  // Other people's DDL, which fires no trigger.
  void Meddle();
  [[nodiscard]] std::string Meddling();
  [[nodiscard]] std::string MeddlingWithPartitions();
  // A row that fits into no partition on the other side, and its remedy.
  void Misfit();
  void Mend();
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
  bool back_ = false;  // on the way
  int came_ = 0;       // partitions of others
  std::string story_;
  std::string problems_;
  long writes_ = 0;
};

}  // namespace pgalter::test
