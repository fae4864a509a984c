// A table in use and a plan for it that has every kind of step: what the tests of `pgalter run`
// start from.
//
// orders (id, amount, note, total_old): the plan adds `total`, NOT NULL, filled from `amount`; a
// CHECK on `amount`; an index on `note`; and, behind its gate, drops `total_old` and its index. The
// old program knows nothing of `total`, the new one reads and writes it.
#pragma once

#include <filesystem>
#include <string>

#include "planner/plan/plan.h"
#include "tests/fault/backfill_world.h"
#include "tests/support/schema_text.h"

namespace pgalter::test {

// One step each; ids as the planner would give them.
plan::Step DdlStep(std::string id, plan::Phase phase, Words sql, Words undo);
plan::Step IndexStep(std::string id, const std::string& sql, const std::string& index);
plan::Step ValidateStep(std::string id, const std::string& sql);
plan::Step GateStep(std::string id, const std::string& name);
// Of these steps, about table orders.
plan::Plan PlanOf(std::vector<plan::Step> steps);

class RunWorld : public BackfillWorld {
 protected:
  static constexpr int kOrders = 3'000;

  RunWorld() : RunWorld(SharedServer()) {}
  explicit RunWorld(sandbox::Sandbox& server);
  void TearDown() override;

  void MakeOrders(int rows = kOrders) const { MakeOrders(database_, rows); }
  static void MakeOrders(const FreshDatabase& database, int rows);
  // In the order in which it runs: 1 to 3 expand, 4 to 8 migrate, 9 the gate, 10 and 11 contract.
  [[nodiscard]] static plan::Plan OrdersPlan();

  // Writes a file where `run` reads it; returns its path.
  [[nodiscard]] std::string WriteText(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string Write(const plan::Plan& plan) const;
  [[nodiscard]] Words RunPlan(const plan::Plan& plan, const Words& more = {}) const;
  [[nodiscard]] Words RunOrders(const Words& more = {}) const {
    return RunPlan(OrdersPlan(), more);
  }

  // The schema as pg_dump has it, without ours.
  [[nodiscard]] std::string Dump() const { return DumpOf(database_); }
  [[nodiscard]] static std::string DumpOf(const FreshDatabase& database) {
    return SchemaText(database, {{"pgalter"}});
  }
  // What the plan comes to, by statements that nobody could live beside.
  [[nodiscard]] static std::string PlainDump();
  void ExpectRowsRight() const;

 private:
  std::filesystem::path folder_;
};

// How long these statements took as the server has it, from their coming: waits for locks are in
// it, and what the machine kept the test itself standing is not.
long MillisecondsOf(Session& session, const std::string& sql);

// Programs that use the table, old and new; each write is checked at once. A lost connection is
// made again, a lock that is waited for too long is an error: users must not wait.
class Programs {
 public:
  enum class Form { kOld, kNew };
  Programs(std::string conninfo, Form form);
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;
  ~Programs() { Stop(); }
  void Stop();
  [[nodiscard]] std::string errors();
  [[nodiscard]] long writes() const { return writes_; }
  [[nodiscard]] std::chrono::milliseconds longest() const {
    return std::chrono::milliseconds(longest_ms_);
  }

 private:
  void Work();

  std::string conninfo_;
  Form form_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> writes_ = 0;
  std::atomic<long> longest_ms_ = 0;
  std::mutex mutex_;
  std::string errors_;
  std::thread thread_;
};

}  // namespace pgalter::test
