// A table in use, and the program that fills its new column: what every fault test starts from.
//
// items (id, a, b, pad, note): b is new and NULL. Writers insert, change a, and delete, each write
// with its entry in `audit` in one transaction, so that the books are right after any crash.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/postgres.h"
#include "tests/support/program.h"

namespace pgalter::test {

inline constexpr int kRows = 40'000;

// Polls; false when it does not become true within the limit.
template <class Condition>
bool Within(std::chrono::seconds limit, Condition condition) {
  const auto give_up = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

// Users of the table. A lost connection is made again; any other error hurt a user: it is kept.
class Writers {
 public:
  Writers(std::string conninfo, unsigned seed, int count = 2);
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;
  ~Writers() { Stop(); }

  void Stop();
  // What users were told, one a line; empty when nobody was hurt.
  [[nodiscard]] std::string errors();

 private:
  void Write(unsigned seed);

  std::string conninfo_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::string errors_;
  std::vector<std::thread> threads_;
};

class BackfillWorld : public ::testing::Test {
 protected:
  BackfillWorld() : BackfillWorld(SharedServer()) {}
  explicit BackfillWorld(sandbox::Sandbox& server) : database_(server) {}

  void MakeItems(int rows = kRows);

  // `arguments` and where to connect, as whom `user_` says.
  [[nodiscard]] Program Start(Words arguments, Words environment = {}) const;
  Ran Run(Words arguments, Words environment = {}) const;
  // backfill items --set 'b = a * 2' and what else is given.
  [[nodiscard]] static Words Backfill(const Words& more = {});

  [[nodiscard]] std::string RunId() const;
  [[nodiscard]] std::string StateOfRun() const;
  [[nodiscard]] long Number(const std::string& sql) const;
  [[nodiscard]] long Undone() const { return Number("SELECT count(*) FROM items WHERE b IS NULL"); }
  // No backend of a runner that has died is left: `resume` takes it for dead then.
  void AwaitNoRunner() const;
  // The backfill has committed so many windows.
  void AwaitWindows(int windows) const;
  // A slow run (a worker rests for 10 s after each chunk: minutes for the whole table), stopped
  // between two chunks after some of them: what a test does now is in the middle.
  [[nodiscard]] static Words Slowly() { return {"--throttle", "ratio=0.001"}; }
  void Hold() const;
  // Nothing more is begun, once this has returned.
  void Stand() const;
  void LetGo() const { Throttle("ratio=1"); }
  void Throttle(const std::string& setting) const;
  // The runner has beaten so many times from now on: what it meant to do meanwhile, it has done.
  void AwaitBeats(int beats) const;
  // Goes on with the newest run to its end.
  void ResumeToTheEnd(Words environment = {}) const;

  // Every row has its value, and the writers' books agree with the table.
  void ExpectRight() const;
  // `finish` and `cleanup` leave nothing of ours but the ledger.
  void ExpectFinishLeavesNothing() const;

  static constexpr std::chrono::seconds kLimit{60};

  FreshDatabase database_;
  std::string user_;  // of the program; empty: the test's own
};

}  // namespace pgalter::test
