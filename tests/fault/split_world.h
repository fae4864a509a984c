// A table in use of which some columns go to another one: what the tests of `--split` start from.
//
// orders (id, amount, note NOT NULL, slug UNIQUE, noted_at): note, slug and noted_at go to
// order_note. Each write goes with its entry in `book`, in one transaction: what should be there is
// known after any crash. A row without a note is one that has none in order_note.
#pragma once

#include "tests/fault/run_world.h"

namespace pgalter::test {

// Programs of the old form know orders alone; those of the new form find the columns in
// order_note. A conflict of snapshots is tried again, as programs do; any other error hurt a user.
class SplitUsers {
 public:
  enum class Form { kOld, kNew };
  SplitUsers(std::string conninfo, Form form, unsigned seed, int count = 1);
  SplitUsers(const SplitUsers&) = delete;
  SplitUsers& operator=(const SplitUsers&) = delete;
  ~SplitUsers() { Stop(); }
  void Stop();
  [[nodiscard]] std::string errors();
  [[nodiscard]] long writes() const { return writes_; }

 private:
  void Work(unsigned seed);

  std::string conninfo_;
  Form form_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> writes_ = 0;
  std::mutex mutex_;
  std::string errors_;
  std::vector<std::thread> threads_;
};

class SplitWorld : public RunWorld {
 protected:
  static constexpr const char* kGate = "moved-order_note";

  void MakeTable(int rows = 3'000) const { MakeTable(database_, rows); }
  static void MakeTable(const FreshDatabase& database, int rows);
  [[nodiscard]] static Words Split(const Words& more = {});
  // What a split comes to, by statements that nobody could live beside.
  [[nodiscard]] static std::string PlainDump();

  // Killed at the point, and resumed; an empty point: not killed.
  void RunKilledAt(const std::string& point, const Words& words) const;
  // order_note, by whatever name, and orders hold what the book says.
  void ExpectBooksRight(const std::string& note_table = "order_note") const;
};

}  // namespace pgalter::test
