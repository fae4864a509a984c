#include "tests/fault/run_world.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <boost/json/serialize.hpp>
#include <fstream>

#include "planner/plan/json.h"

namespace pgalter::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

plan::Step StepOf(std::string id, plan::Phase phase, plan::StepKind kind) {
  plan::Step step;
  step.id = std::move(id);
  step.phase = phase;
  step.kind = kind;
  return step;
}

plan::Step BackfillStep(std::string id) {
  plan::Step step = StepOf(std::move(id), plan::Phase::kMigrate, plan::StepKind::kBackfill);
  step.transaction = plan::Transaction::kNone;
  step.backfill = plan::Backfill{"public.orders", "total = amount * 2", "total IS NULL"};
  return step;
}

plan::Step DropIndexStep(std::string id) {
  plan::Step step = StepOf(std::move(id), plan::Phase::kContract, plan::StepKind::kDropIndex);
  step.transaction = plan::Transaction::kNone;
  step.sql = {"DROP INDEX CONCURRENTLY public.orders_old_idx"};
  step.undo = {"CREATE INDEX CONCURRENTLY orders_old_idx ON public.orders (total_old)"};
  step.undo_transaction = plan::Transaction::kNone;
  step.index = sql::QualifiedName{"public", "orders_old_idx"};
  return step;
}

bool IsLost(const SqlError& error) {
  return error.sqlstate().empty() || error.sqlstate().starts_with("57P") ||
         error.sqlstate().starts_with("08");
}

}  // namespace

long MillisecondsOf(Session& session, const std::string& sql) {
  return std::stol(session.Value(
      sql +
      "; SELECT (1000 * extract(epoch FROM clock_timestamp() - statement_timestamp()))::int"));
}

plan::Step DdlStep(std::string id, plan::Phase phase, Words sql, Words undo) {
  plan::Step step = StepOf(std::move(id), phase, plan::StepKind::kDdl);
  step.sql = std::move(sql);
  step.undo = std::move(undo);
  return step;
}

plan::Step IndexStep(std::string id, const std::string& sql, const std::string& index) {
  plan::Step step = StepOf(std::move(id), plan::Phase::kExpand, plan::StepKind::kConcurrentIndex);
  step.transaction = plan::Transaction::kNone;
  step.sql = {sql};
  step.undo = {"DROP INDEX CONCURRENTLY IF EXISTS public." + index};
  step.undo_transaction = plan::Transaction::kNone;
  step.index = sql::QualifiedName{"public", index};
  return step;
}

plan::Step ValidateStep(std::string id, const std::string& sql) {
  plan::Step step = StepOf(std::move(id), plan::Phase::kMigrate, plan::StepKind::kValidate);
  step.sql = {sql};
  return step;
}

plan::Step GateStep(std::string id, const std::string& name) {
  plan::Step step = StepOf(std::move(id), plan::Phase::kContract, plan::StepKind::kGate);
  step.gate.emplace();
  step.gate->name = name;
  step.gate->reason = "no old program is left";
  return step;
}

plan::Plan PlanOf(std::vector<plan::Step> steps) {
  plan::Plan plan;
  plan.knowledge = plan::Knowledge::kLive;
  plan.relations.push_back({"public", "orders"});
  plan.statements.emplace_back();
  plan.statements.back().sql = "ALTER TABLE orders …";
  plan.steps = std::move(steps);
  return plan;
}

RunWorld::RunWorld(sandbox::Sandbox& server) : BackfillWorld(server) {
  std::string folder = (fs::temp_directory_path() / "pgalter_plan_XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder for plans");
  folder_ = folder;
}

void RunWorld::TearDown() { fs::remove_all(folder_); }

void RunWorld::MakeOrders(const FreshDatabase& database, int rows) {
  database.Sql(fmt::format(
      "CREATE TABLE orders (id bigint PRIMARY KEY, amount int NOT NULL, note text, total_old int);"
      "INSERT INTO orders SELECT g, g % 1000, 'n' || g, g FROM generate_series(1, {0}) g;"
      "CREATE INDEX orders_old_idx ON orders (total_old);"
      "CREATE SEQUENCE order_id START 1000001;",
      rows));
  database.Sql("VACUUM ANALYZE orders");
}

plan::Plan RunWorld::OrdersPlan() {
  using plan::Phase;
  plan::Plan plan = PlanOf({
      DdlStep("1.1-ddl", Phase::kExpand,
              {"ALTER TABLE public.orders ADD COLUMN total int",
               "ALTER TABLE public.orders ALTER COLUMN total SET DEFAULT -1"},
              {"ALTER TABLE public.orders DROP COLUMN total"}),
      DdlStep(
          "2.1-ddl", Phase::kExpand,
          {"ALTER TABLE public.orders ADD CONSTRAINT amount_sane CHECK (amount >= 0) NOT VALID"},
          {"ALTER TABLE public.orders DROP CONSTRAINT amount_sane"}),
      IndexStep("3.1-concurrent-index",
                "CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note)", "orders_note_idx"),
      BackfillStep("1.2-backfill"),
      // Not before: the old program could not change a row that has no value yet.
      DdlStep("1.5-ddl", Phase::kMigrate,
              {"ALTER TABLE public.orders ADD CONSTRAINT total_given CHECK (total IS NOT NULL) NOT "
               "VALID"},
              {"ALTER TABLE public.orders DROP CONSTRAINT total_given"}),
      ValidateStep("1.3-validate", "ALTER TABLE public.orders VALIDATE CONSTRAINT total_given"),
      ValidateStep("2.2-validate", "ALTER TABLE public.orders VALIDATE CONSTRAINT amount_sane"),
      DdlStep("1.4-ddl", Phase::kMigrate,
              {"ALTER TABLE public.orders ALTER COLUMN total SET NOT NULL",
               "ALTER TABLE public.orders DROP CONSTRAINT total_given"},
              {"ALTER TABLE public.orders ADD CONSTRAINT total_given CHECK (total IS NOT NULL) NOT "
               "VALID",
               "ALTER TABLE public.orders ALTER COLUMN total DROP NOT NULL"}),
      GateStep("4.1-gate", "total-old-unused"),
      DropIndexStep("4.2-drop-index"),
      DdlStep("4.3-ddl", Phase::kContract, {"ALTER TABLE public.orders DROP COLUMN total_old"}, {}),
  });
  plan.steps.back().point_of_no_return = true;
  plan.steps.back().backward_compatible = false;
  return plan;
}

std::string RunWorld::WriteText(const std::string& name, const std::string& text) const {
  const fs::path path = folder_ / name;
  std::ofstream(path) << text;
  return path.string();
}

std::string RunWorld::Write(const plan::Plan& plan) const {
  return WriteText("plan.json", boost::json::serialize(plan::ToJson(plan)));
}

Words RunWorld::RunPlan(const plan::Plan& plan, const Words& more) const {
  Words words{"run", Write(plan), "--yes"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string RunWorld::PlainDump() {
  // The same for every test: made once.
  static const std::string dump = [] {
    const FreshDatabase plain;
    MakeOrders(plain, 10);
    plain.Sql(
        "ALTER TABLE orders ADD COLUMN total int DEFAULT -1 NOT NULL;"
        "ALTER TABLE orders ADD CONSTRAINT amount_sane CHECK (amount >= 0);"
        "CREATE INDEX orders_note_idx ON orders (note);"
        "ALTER TABLE orders DROP COLUMN total_old");
    return DumpOf(plain);
  }();
  return dump;
}

void RunWorld::ExpectRowsRight() const {
  EXPECT_EQ(Number("SELECT count(*) FROM orders WHERE total IS NULL"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM orders WHERE total NOT IN (amount * 2, -1)"), 0);
}

Programs::Programs(std::string conninfo, Form form)
    : conninfo_(std::move(conninfo)), form_(form), thread_([this] { Work(); }) {}

void Programs::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string Programs::errors() {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

void Programs::Work() {
  const bool old = form_ == Form::kOld;
  const char* const insert = old ? "INSERT INTO orders (id, amount, note, total_old)"
                                   " VALUES (nextval('order_id'), 5, 'old', 1)"
                                 : "INSERT INTO orders (id, amount, note, total)"
                                   " VALUES (nextval('order_id'), 5, 'new', 10)";
  const char* const read = old ? "SELECT id, amount, note, total_old FROM orders WHERE id = 7"
                               : "SELECT id, amount, note, total FROM orders WHERE id = 7";
  while (!stopping_) {
    try {
      Session session(conninfo_);
      while (!stopping_) {
        long took = MillisecondsOf(session, insert);
        took += MillisecondsOf(session, read);
        took += MillisecondsOf(session, "UPDATE orders SET note = note || '!' WHERE id = 7");
        longest_ms_ = std::max(longest_ms_.load(), took);
        ++writes_;
        std::this_thread::sleep_for(3ms);
      }
    } catch (const SqlError& error) {
      if (!IsLost(error)) {
        const std::scoped_lock lock(mutex_);
        errors_ += error.what();
        return;
      }
      std::this_thread::sleep_for(50ms);
    }
  }
}

}  // namespace pgalter::test
