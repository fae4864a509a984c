// Random tables, random statements, live writers, and a runner that dies at random: `pgalter run`
// ends in what the plain statements make, and `revert` in what was there before, schema and rows.
//
// Each write of the users goes into a twin of the table in the same transaction. At the end the
// twin's rows are put into another database, the plain statements run there, and both compared.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "tests/fault/run_changes.h"
#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

using namespace std::chrono_literals;

long FromEnvironment(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atol(text);
}

// In a table of one transaction each; a lost connection is made again.
class TwinWriters {
 public:
  TwinWriters(std::string conninfo, unsigned seed, int rows)
      : conninfo_(std::move(conninfo)), rows_(rows) {
    for (unsigned i = 0; i < 2; ++i) threads_.emplace_back([this, i, seed] { Work(seed * 2 + i); });
  }
  TwinWriters(const TwinWriters&) = delete;
  TwinWriters& operator=(const TwinWriters&) = delete;
  ~TwinWriters() { Stop(); }

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  [[nodiscard]] long writes() const { return writes_; }
  [[nodiscard]] std::chrono::milliseconds longest() const {
    return std::chrono::milliseconds(longest_ms_);
  }
  [[nodiscard]] std::string errors() {
    const std::scoped_lock lock(mutex_);
    return errors_;
  }

 private:
  [[nodiscard]] std::string Draw(std::mt19937& dice) const {
    const auto id = 1 + dice() % static_cast<unsigned>(rows_);
    const auto value = dice() % 100000;
    switch (dice() % 6) {
      case 0:
        return fmt::format("DELETE FROM {{}} WHERE id = {}", id);
      case 1:
      case 2:
        return fmt::format(
            "INSERT INTO {{}} (id, a, b, d, p, u) SELECT currval('t_id'), {0}, 'W{0}', {0},"
            " 1 + {0} % 50, currval('t_id')",
            value);
      case 3:
        return fmt::format("UPDATE {{}} SET a = {}, b = b || 'x' WHERE id = {}", value, id);
      default:
        return fmt::format("UPDATE {{}} SET d = {} WHERE id = {}", value, id);
    }
  }

  void Work(unsigned seed) {
    std::mt19937 dice(seed);
    while (!stopping_) {
      try {
        Session session(conninfo_);
        session.Exec("SET lock_timeout = '10s'");
        while (!stopping_) {
          const std::string write = Draw(dice);
          const long took = MillisecondsOf(
              session, "BEGIN; SELECT nextval('t_id');" + fmt::format(fmt::runtime(write), "t") +
                           ";" + fmt::format(fmt::runtime(write), "twin") + "; COMMIT");
          if (took > longest_ms_) longest_ms_ = took;
          ++writes_;
          std::this_thread::sleep_for(2ms);
        }
      } catch (const SqlError& error) {
        const bool lost = error.sqlstate().empty() || error.sqlstate().starts_with("57P") ||
                          error.sqlstate().starts_with("08");
        if (!lost) {
          const std::scoped_lock lock(mutex_);
          errors_ += error.what();
          return;
        }
        std::this_thread::sleep_for(50ms);
      }
    }
  }

  std::string conninfo_;
  int rows_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> writes_ = 0;
  std::atomic<long> longest_ms_ = 0;
  std::mutex mutex_;
  std::string errors_;
  std::vector<std::thread> threads_;
};

// Columns in the order of their names: where a recipe moves one to the end, that is no difference.
std::string WithoutColumnOrder(const std::string& dump) {
  std::istringstream lines(dump);
  std::string text;
  Words block;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (inside && line.starts_with(")")) {
      std::sort(block.begin(), block.end());
      for (const std::string& kept : block) text += kept + "\n";
      block.clear();
      inside = false;
    }
    if (inside) {
      if (line.ends_with(",")) line.pop_back();
      block.push_back(line);
    } else {
      text += line + "\n";
    }
    if (line.starts_with("CREATE TABLE ") || line.starts_with("CREATE UNLOGGED TABLE "))
      inside = true;
  }
  return text;
}

// In the way of every strong lock, and of every build that waits for older transactions.
class Idler {
 public:
  explicit Idler(std::string conninfo)
      : thread_([this, conninfo = std::move(conninfo)] { Work(conninfo); }) {}
  Idler(const Idler&) = delete;
  Idler& operator=(const Idler&) = delete;
  ~Idler() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void Work(const std::string& conninfo) const {
    while (!stopping_) {
      try {
        Session session(conninfo);
        while (!stopping_) {
          session.Exec("BEGIN; SELECT count(*) FROM t");
          std::this_thread::sleep_for(400ms);
          session.Exec("COMMIT");
          std::this_thread::sleep_for(200ms);
        }
      } catch (const SqlError&) {
        std::this_thread::sleep_for(50ms);
      }
    }
  }

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// Lines that the one has and the other has not.
std::string LinesApart(const std::string& ours, const std::string& plain) {
  const auto sorted = [](const std::string& text) {
    Words lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  const Words a = sorted(ours);
  const Words b = sorted(plain);
  Words only;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
  std::string text;
  for (const std::string& line : only) text += "ours:  " + line + "\n";
  only.clear();
  std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(only));
  for (const std::string& line : only) text += "plain: " + line + "\n";
  return text.empty() ? ours + "\nplain, in another order:\n" + plain : text;
}

class RunProperty : public RunWorld {
 protected:
  void Make(const Shape& shape) const {
    database_.Sql(shape.Make());
    database_.Sql(shape.Fill());
    database_.Sql(
        "CREATE TABLE twin (LIKE t INCLUDING DEFAULTS, PRIMARY KEY (id));"
        "INSERT INTO twin SELECT * FROM t");
    database_.Sql("VACUUM ANALYZE");
  }

  [[nodiscard]] static std::string Schema(const FreshDatabase& database, bool comments) {
    return WithoutColumnOrder(SchemaText(database, {{"pgalter"}, {"twin"}, comments}));
  }

  // Of every table `t` and what may have been a part of it.
  [[nodiscard]] static std::string Rows(const FreshDatabase& database, const Words& without) {
    std::string but;
    for (const std::string& column : without)
      if (!column.empty()) but += fmt::format(" AND attname <> '{}'", column);
    std::string text;
    for (const char* table : {"t", "t_0", "t_1", "t_2", "t_3"}) {
      const std::string columns = database.Value(fmt::format(
          "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute"
          " WHERE attrelid = to_regclass('{}') AND attnum > 0 AND NOT attisdropped{}",
          table, but));
      if (columns == "NULL") continue;
      text += fmt::format(
          "{}: {}\n", table,
          database.Value(fmt::format("SELECT count(*) || ' ' || coalesce(md5(string_agg(r, '' ORDER"
                                     " BY r)), '') FROM (SELECT ROW({})::text FROM {}) AS a (r)",
                                     columns, table)));
    }
    return text;
  }

  // What is different from the plain statements on the twin's rows; empty: nothing.
  [[nodiscard]] std::string Difference(const Shape& shape, const std::vector<Change>& changes,
                                       bool comments = true) const {
    const FreshDatabase plain;
    plain.Sql(shape.Make());
    plain.Sql(InsertsOf(database_, "twin", "t"));
    Words without;
    for (const Change& change : changes) {
      plain.Connect().Exec("SET search_path = public; " + change.sql);
      without.push_back(change.other_value);
    }
    std::string difference;
    const std::string schema = Schema(database_, comments);
    const std::string plain_schema = Schema(plain, comments);
    if (schema != plain_schema) difference += "schema:\n" + LinesApart(schema, plain_schema);
    if (Rows(database_, without) != Rows(plain, without))
      difference +=
          fmt::format("rows:\n{}plain:\n{}", Rows(database_, without), Rows(plain, without));
    return difference + Leftovers();
  }

  [[nodiscard]] std::string Leftovers() const {
    std::string left;
    if (Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid") != 0)
      left += "invalid index\n";
    if (Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL") != 0)
      left += "something in the ledger\n";
    return left;
  }
};

const Words& Points() {
  static const Words points{"step-started",     "step-done-unrecorded",
                            "step-recorded",    "ddl-unrecorded",
                            "ddl-uncommitted",  "ddl-committed",
                            "lease-taken",      "index-in-ledger",
                            "index-built",      "index-recorded",
                            "chunk-checked",    "chunk-updated",
                            "chunk-recorded",   "chunk-committed",
                            "group-done",       "scan-done",
                            "backfill-settled", "autocommit-ran",
                            "detach-pending",   "undo-unrecorded",
                            "undo-recorded",    "shadow-made",
                            "capture-made",     "copy-committed",
                            "compared",         "swapped",
                            "cut-over",         "old-table-dropped",
                            "swapped-back"};
  return points;
}

class Round : public RunProperty {
 protected:
  // Each of a run's many steps may ask for its lock for a minute, beside an Idler and on a machine
  // that has other things to do.
  static constexpr std::chrono::seconds kRunLimit{300};

  void Go(unsigned seed) {
    dice_.seed(seed);
    const Shape shape = DrawShape(dice_);
    const std::vector<Change> changes = DrawChanges(shape, dice_);
    std::string sql;
    for (const Change& change : changes) sql += change.sql + ";\n";
    SCOPED_TRACE(fmt::format("seed {}: {} rows{}{}, {}", seed, shape.rows,
                             shape.partitioned ? ", partitioned" : "",
                             shape.keyed ? "" : ", no key", sql));
    Make(shape);
    const std::string before = Schema(database_, true);
    const std::string uncommented = Schema(database_, false);
    TwinWriters writers(database_.conninfo(), seed, shape.rows);
    kills_ = static_cast<int>(1 + dice_() % 4);
    const Idler idler(database_.conninfo());
    const bool reverted = Carry({"run", WriteText("round.sql", sql), "--yes"}, changes, writers);
    if (HasFatalFailure()) return;
    writers.Stop();
    EXPECT_EQ(writers.errors(), "");
    EXPECT_GT(writers.writes(), 0);
    if (!reverted) {
      const Ran finished = Run({"finish", RunId(), "--yes"});
      EXPECT_EQ(finished.code, 0) << finished.err;
    }
    EXPECT_LT(writers.longest(), 8s) << "users waited";
    const bool comments =
        !reverted || std::none_of(changes.begin(), changes.end(),
                                  [](const Change& change) { return change.comment; });
    EXPECT_EQ(Difference(shape, reverted ? std::vector<Change>() : changes, comments), "");
    if (reverted) {
      EXPECT_EQ(Schema(database_, comments), comments ? before : uncommented);
    }
    std::printf("seed %u: %ld writes, %ld ms the longest, %d kills%s: %s", seed, writers.writes(),
                static_cast<long>(writers.longest().count()), killed_, reverted ? ", reverted" : "",
                sql.c_str());
  }

 private:
  // To its end, whatever happens on the way. True: taken back.
  bool Carry(Words words, const std::vector<Change>& changes, TwinWriters& writers) {
    bool reverting = false;
    for (int left = 40; left > 0; --left) {
      const Ran ran = Once(words);
      if (ran.code == kKilled) {
        ++killed_;
        AwaitNoRunner();
        if (!HasRun()) continue;
        words = reverting ? Words{"revert", RunId(), "--yes"} : Words{"resume", RunId()};
        continue;
      }
      if (ran.code != 0) {
        ADD_FAILURE() << ran.code << ": " << ran.err;
        return reverting;
      }
      if (reverting) return true;
      const bool done = StateOfRun() == "done";
      reverting = dice_() % 4 == 0 && !PastNoReturn();
      if (done && !reverting) return false;
      if (std::any_of(changes.begin(), changes.end(),
                      [](const Change& change) { return change.ends_old_programs; }) &&
          !reverting)
        writers.Stop();
      words = reverting ? Words{"revert", RunId(), "--yes"} : Onward(Gate());
    }
    ADD_FAILURE() << "it comes to no end";
    return reverting;
  }

  // Killed on its way as long as kills are left: at a point, or at a moment.
  Ran Once(const Words& words) {
    if (kills_ == 0) return Start(words).Wait(kRunLimit);
    --kills_;
    if (dice_() % 3 != 0) {
      // The first six are passed by every run.
      const std::size_t among = dice_() % 2 == 0 ? 6 : Points().size();
      const std::string point = Points().at(dice_() % among);
      return Start(words, {fmt::format("PGALTER_FAIL_POINT={}:{}", point, 1 + dice_() % 3)})
          .Wait(kRunLimit);
    }
    Program program = Start(words);
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + dice_() % 800));
    program.Signal(SIGKILL);
    return program.Wait(kRunLimit);
  }

  [[nodiscard]] bool HasRun() const {
    return database_.Value("SELECT to_regclass('pgalter.control')") != "NULL" &&
           Number("SELECT count(*) FROM pgalter.run") > 0;
  }
  [[nodiscard]] std::string Gate() const {
    return database_.Value("SELECT progress->>'gate' FROM pgalter.run");
  }
  // Not every plan has a gate in front of its phase contract.
  [[nodiscard]] Words Onward(const std::string& gate) const {
    if (gate == "contract") return {"resume", RunId(), "--through", gate};
    return {"resume", RunId(), "--gate", gate};
  }
  [[nodiscard]] bool PastNoReturn() const {
    return Number(
               "SELECT count(*) FROM pgalter.step WHERE state <> 'pending'"
               " AND (spec->'plan'->>'point_of_no_return')::bool") > 0;
  }

  std::mt19937 dice_;
  int kills_ = 0;
  int killed_ = 0;
};

class RandomRound : public Round, public ::testing::WithParamInterface<int> {};

TEST_P(RandomRound, EndsAsThePlainStatementsDo) {
  const long first = FromEnvironment("PGALTER_TORTURE_SEED", 1);
  Go(static_cast<unsigned>(first + GetParam()));
}

// A short slice, always the same; ./dev torture run ROUNDS [SEED] goes on from there.
INSTANTIATE_TEST_SUITE_P(
    Seeds, RandomRound,
    ::testing::Range(0, static_cast<int>(FromEnvironment("PGALTER_TORTURE_ROUNDS", 6))));

// One value that is another one: the oracle has to see it.
TEST_F(RunProperty, ANegativeControlIsSeen) {
  const Shape shape{false, true, 500};
  const std::vector<Change> changes{{"ALTER TABLE t ALTER d TYPE bigint", false, "", "d"}};
  Make(shape);
  TwinWriters writers(database_.conninfo(), 1, shape.rows);
  ASSERT_EQ(Run({"run", "--sql", changes[0].sql, "--yes"}).code, 0);
  ASSERT_EQ(StateOfRun(), "waiting");
  const long then = writers.writes();
  ASSERT_TRUE(Within(kLimit, [&] { return writers.writes() > then + 200; }));
  const Ran on = Run({"resume", RunId(), "--through", "contract"});
  ASSERT_EQ(on.code, 0) << on.err;
  writers.Stop();
  EXPECT_EQ(Difference(shape, changes), "");
  database_.Sql("UPDATE t SET d = coalesce(d, 0) + 1 WHERE id = (SELECT min(id) FROM t)");
  EXPECT_NE(Difference(shape, changes), "");
}

}  // namespace
}  // namespace pgalter::test
