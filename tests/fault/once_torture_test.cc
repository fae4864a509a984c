// Users who write in every way, on every row, beside an UPDATE in chunks whose runner dies at
// random: at the end each row has had it exactly once. PGALTER_TORTURE_ROUNDS and
// PGALTER_TORTURE_SEED choose how many rounds, and the first one's seed.
#include <csignal>
#include <cstdlib>
#include <random>

#include "tests/fault/once_world.h"

namespace pgalter::test {
namespace {

using namespace std::chrono_literals;

long FromEnvironment(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atol(text);
}

// What came to the table while the run was on has k = 1 and id > kOnceRows: it may have had the
// UPDATE or not.
class OnceCrowd {
 public:
  OnceCrowd(std::string conninfo, unsigned seed, bool partitioned)
      : conninfo_(std::move(conninfo)), partitioned_(partitioned) {
    for (unsigned i = 0; i < 3; ++i) threads_.emplace_back([this, seed, i] { Work(seed * 8 + i); });
  }
  OnceCrowd(const OnceCrowd&) = delete;
  OnceCrowd& operator=(const OnceCrowd&) = delete;
  ~OnceCrowd() { Stop(); }

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  [[nodiscard]] std::string errors() {
    const std::scoped_lock lock(mutex_);
    return errors_;
  }
  [[nodiscard]] long writes() const { return writes_; }

 private:
  static std::string Id(std::mt19937& dice) {
    return std::to_string(1 + dice() % static_cast<unsigned>(kOnceRows));
  }

  [[nodiscard]] std::string OneWrite(std::mt19937& dice) const {
    const std::string add = "n = n + 10, u = u + 1";
    switch (dice() % 8) {
      case 0:
        return "INSERT INTO t (id) VALUES (nextval('new_id'));";
      case 1:
        return "DELETE FROM t WHERE id = (SELECT min(id) FROM t WHERE id > 12000);";
      case 2:
        return fmt::format("UPDATE t SET {0} WHERE id BETWEEN {1} AND {1} + 20;", add, Id(dice));
      case 3:
        if (partitioned_)
          return fmt::format("UPDATE t SET {}, k = (k + 1) % 3 WHERE id = {};", add, Id(dice));
        return fmt::format(
            "INSERT INTO t (id) VALUES ({}) ON CONFLICT (id) DO UPDATE SET n = t.n + 10,"
            " u = t.u + 1;",
            Id(dice));
      case 4:
        return fmt::format("UPDATE t SET {}, pad = repeat('q', {}) WHERE id = {};", add,
                           dice() % 900, Id(dice));
      default:
        return fmt::format("UPDATE t SET {} WHERE id = {};", add, Id(dice));
    }
  }

  [[nodiscard]] std::string Part(std::mt19937& dice) const {
    const std::string write = OneWrite(dice);
    switch (dice() % 5) {
      case 0:
        return "SAVEPOINT a;" + write + OneWrite(dice) + "RELEASE a;";
      case 1:
        return "SAVEPOINT a;" + write + "ROLLBACK TO a;" + OneWrite(dice) + "RELEASE a;";
      default:
        return write;
    }
  }

  void Work(unsigned seed) {
    std::mt19937 dice(seed);
    while (!stopping_) {
      try {
        Session session(conninfo_);
        while (!stopping_) OneTransaction(session, dice);
      } catch (const SqlError& error) {
        // Two that change many rows may meet crosswise.
        const bool usual = error.sqlstate().starts_with("40") || error.sqlstate().empty();
        if (usual) continue;
        const std::scoped_lock lock(mutex_);
        errors_ += error.what();
        return;
      }
    }
  }

  // Some are open for long: they have their xid, and then a part now and then.
  void OneTransaction(Session& session, std::mt19937& dice) {
    const bool lasting = dice() % 12 == 0;
    session.Exec(dice() % 3 == 0 ? "BEGIN; SELECT pg_current_xact_id(); SAVEPOINT o; CREATE TEMP "
                                   "TABLE IF NOT EXISTS x () ON COMMIT DROP"
                                 : "BEGIN; SAVEPOINT o");
    if (lasting) std::this_thread::sleep_for(std::chrono::milliseconds(dice() % 1500));
    const auto parts = 1 + dice() % 3;
    for (auto i = parts; i > 0; --i) session.Exec(Part(dice));
    session.Exec(dice() % 6 == 0 ? "ROLLBACK" : "COMMIT");
    ++writes_;
    std::this_thread::sleep_for(std::chrono::milliseconds(dice() % 4));
  }

  std::string conninfo_;
  bool partitioned_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> writes_ = 0;
  std::mutex mutex_;
  std::string errors_;
  std::vector<std::thread> threads_;
};

class OnceTorture : public OnceWorld {
 protected:
  // To its end, killed at random until then.
  void RunKilledAtRandom(std::mt19937& dice) const {
    const bool slow = dice() % 2 == 0;
    Words words = Update(kUpdate, slow ? Words{"--throttle", "ratio=0.2"} : Words{});
    for (int times = 0;; ++times) {
      Program program = Start(words);
      if (times < 4 && dice() % 4 != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(200 + dice() % 900));
        program.Signal(SIGKILL);
      }
      const Ran ran = program.Wait(kLimit);
      ASSERT_TRUE(ran.code == kKilled || ran.code == 0) << ran.err;
      if (ran.code == 0) return;
      AwaitNoRunner();
      const bool made = database_.Value("SELECT to_regclass('pgalter.run') IS NOT NULL") == "t" &&
                        Number("SELECT count(*) FROM pgalter.run") > 0;
      if (made) words = {"resume", RunId()};
      if (made && StateOfRun() == "done") return;
    }
  }

  [[nodiscard]] std::string WrongRows() const {
    return database_.Value(
        fmt::format("SELECT count(*) FILTER (WHERE id <= {0} AND n - 10 * u < 1) || ' missed, ' ||"
                    " count(*) FILTER (WHERE n - 10 * u > 1) || ' changed twice, ' || {0} -"
                    " count(*) FILTER (WHERE id <= {0}) || ' lost' FROM t",
                    kOnceRows));
  }
};

TEST_F(OnceTorture, EachRowIsChangedOnce) {
  const long rounds = FromEnvironment("PGALTER_TORTURE_ROUNDS", 4);
  const long first = FromEnvironment("PGALTER_TORTURE_SEED", 1);
  for (long seed = first; seed < first + rounds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 dice(static_cast<unsigned>(seed));
    const bool partitioned = dice() % 3 == 0;
    database_.Sql(
        "DROP TABLE IF EXISTS t; DROP SEQUENCE IF EXISTS new_id;"
        "DROP SCHEMA IF EXISTS pgalter CASCADE; CREATE SEQUENCE new_id START 12001");
    if (partitioned) {
      MakePartitions();
    } else {
      MakeRows();
    }
    OnceCrowd crowd(database_.conninfo(), static_cast<unsigned>(seed), partitioned);
    RunKilledAtRandom(dice);
    crowd.Stop();
    EXPECT_EQ(crowd.errors(), "");
    EXPECT_EQ(WrongRows(), "0 missed, 0 changed twice, 0 lost") << crowd.writes() << " writes";
    ExpectNothingLeft();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace pgalter::test
