#include "tests/fault/backfill_world.h"

#include <fmt/format.h>

#include <cstdlib>
#include <random>

namespace pgalter::test {

namespace {

using namespace std::chrono_literals;

std::string OneWrite(std::mt19937& dice) {
  const int id = std::uniform_int_distribution(1, kRows)(dice);
  const int amount = std::uniform_int_distribution(1, 1000)(dice);
  switch (std::uniform_int_distribution(0, 3)(dice)) {
    case 0:
      return fmt::format(
          "WITH w AS (INSERT INTO items (id, a, pad, note)"
          " VALUES (nextval('item_id'), {}, 'new', '7') RETURNING a)"
          " INSERT INTO audit (rows, total) SELECT 1, a FROM w",
          amount);
    case 1:
      return fmt::format(
          "WITH w AS (DELETE FROM items WHERE id = {} RETURNING a)"
          " INSERT INTO audit (rows, total) SELECT -1, -a FROM w",
          id);
    default:
      return fmt::format(
          "WITH w AS (UPDATE items SET a = a + {} WHERE id = {} RETURNING id)"
          " INSERT INTO audit (rows, total) SELECT 0, {} FROM w",
          amount, id, amount);
  }
}

bool IsLost(const SqlError& error) {
  return error.sqlstate().empty() || error.sqlstate().starts_with("57P") ||
         error.sqlstate().starts_with("08");
}

}  // namespace

Writers::Writers(std::string conninfo, unsigned seed, int count) : conninfo_(std::move(conninfo)) {
  for (int i = 0; i < count; ++i)
    threads_.emplace_back([this, seed, i] { Write(seed * 16 + static_cast<unsigned>(i)); });
}

void Writers::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::string Writers::errors() {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

void Writers::Write(unsigned seed) {
  std::mt19937 dice(seed);
  while (!stopping_) {
    try {
      Session session(conninfo_);
      while (!stopping_) {
        session.Exec(OneWrite(dice));
        // A load, not a storm: two cores have to serve the backfill beside.
        std::this_thread::sleep_for(2ms);
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

void BackfillWorld::MakeItems(int rows) {
  database_.Sql(fmt::format(
      "CREATE TABLE items (id bigint PRIMARY KEY, a int NOT NULL, pad text, note text);"
      "INSERT INTO items SELECT g, g % 1000, repeat('p', 60), '7' FROM generate_series(1, {0}) g;"
      "ALTER TABLE items ADD b int;"
      "CREATE SEQUENCE item_id START {1};"
      "CREATE TABLE audit (rows int NOT NULL, total bigint NOT NULL);"
      "INSERT INTO audit SELECT count(*), sum(a) FROM items;",
      rows, rows + 1));
  database_.Sql("VACUUM ANALYZE items");
}

// PGALTER_PROGRAM: another binary than that of the build, which a long torture outlives.
Program BackfillWorld::Start(Words arguments, Words environment) const {
  const char* const given = std::getenv("PGALTER_PROGRAM");
  const std::string user = user_.empty() ? "" : " user=" + user_;
  arguments.insert(arguments.end(), {"--dsn", database_.conninfo() + user});
  return Program(given == nullptr ? PGALTER_BINARY : given, arguments, environment);
}

Ran BackfillWorld::Run(Words arguments, Words environment) const {
  return Start(std::move(arguments), std::move(environment)).Wait(kLimit);
}

Words BackfillWorld::Backfill(const Words& more) {
  Words words{"backfill",     "items", "--set",       "b = a * 2", "--yes",
              "--chunk-time", "20ms",  "--xmin-wait", "0s"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string BackfillWorld::RunId() const {
  return database_.Value("SELECT run FROM pgalter.run ORDER BY created_at DESC LIMIT 1");
}

std::string BackfillWorld::StateOfRun() const {
  return database_.Value("SELECT state FROM pgalter.run ORDER BY created_at DESC LIMIT 1");
}

long BackfillWorld::Number(const std::string& sql) const { return std::stol(database_.Value(sql)); }

void BackfillWorld::AwaitNoRunner() const {
  database_.AwaitValue(
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
      " AND application_name LIKE 'pgalter%'",
      "0", kLimit);
}

void BackfillWorld::AwaitWindows(int windows) const {
  database_.AwaitValue("SELECT to_regclass('pgalter.backfill_window') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(fmt::format("SELECT count(*) >= {} FROM pgalter.backfill_window", windows),
                       "t", kLimit);
}

void BackfillWorld::Throttle(const std::string& setting) const {
  const Ran ran = Run({"throttle", RunId(), "--set", setting});
  ASSERT_EQ(ran.code, 0) << ran.err;
}

void BackfillWorld::Hold() const {
  AwaitWindows(1);
  Stand();
  ASSERT_GT(Undone(), 0) << "the run was faster than its test";
}

void BackfillWorld::Stand() const {
  Throttle("ratio=0");
  database_.AwaitValue("SELECT (progress->>'throttle_ratio')::float8 = 0 FROM pgalter.run", "t",
                       kLimit);
}

void BackfillWorld::AwaitBeats(int beats) const {
  for (int i = 0; i < beats; ++i) {
    const std::string last = database_.Value("SELECT at FROM pgalter.heartbeat");
    database_.AwaitValue(fmt::format("SELECT at > '{}' FROM pgalter.heartbeat", last), "t", kLimit);
  }
}

void BackfillWorld::ResumeToTheEnd(Words environment) const {
  AwaitNoRunner();
  const Ran ran = Run({"resume", RunId()}, std::move(environment));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "done");
}

void BackfillWorld::ExpectRight() const {
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE b IS DISTINCT FROM a * 2"), 0);
  EXPECT_EQ(database_.Value("SELECT count(*) || ' ' || sum(a) FROM items"),
            database_.Value("SELECT sum(rows) || ' ' || sum(total) FROM audit"));
}

void BackfillWorld::ExpectFinishLeavesNothing() const {
  const Ran finished = Run({"finish", RunId(), "--yes"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  const Ran cleaned = Run({"cleanup", "--yes"});
  EXPECT_EQ(cleaned.code, 0) << cleaned.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid NOT IN "
                   "(SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('pgalter'))"),
            0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_proc WHERE pronamespace = 'pgalter'::regnamespace AND "
                   "proname LIKE 'sync%'"),
            0);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  AwaitNoRunner();
}

}  // namespace pgalter::test
