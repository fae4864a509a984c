// Old and new programs at once, of every recipe that promises it: the old ones from before the run
// on, the new ones from the moment that it rests at its gate, both until the gate is opened; the
// new ones on to the end. Nobody gets an error, and each reads what the other has written. Splits
// have their own (split_test.cc); programs of one form are beside every recipe in run_wait_test.cc.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

using namespace std::chrono_literals;

struct Codes {
  const char* name;
  const char* before;  // what has to be there
  const char* sql;
  Words old_form;  // "$id" is a number of their own
  Words new_form;
  Words behind_gate;      // of the new form, once the run is done
  const char* agreed;     // at the gate: a query for the number of rows on which they do not agree
  const char* mend = "";  // what nobody else can know: values that the old form has to have
};

void PrintTo(const Codes& codes, std::ostream* out) { *out << codes.sql; }

// Does its statements again and again.
class Users {
 public:
  Users(std::string conninfo, Words statements, long first)
      : conninfo_(std::move(conninfo)),
        statements_(std::move(statements)),
        next_(first),
        thread_([this] { Work(); }) {}
  Users(const Users&) = delete;
  Users& operator=(const Users&) = delete;
  ~Users() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] const std::string& errors() const { return errors_; }  // once stopped
  [[nodiscard]] long rounds() const { return rounds_; }

 private:
  void Work() {
    try {
      Session session(conninfo_);
      for (; !stopping_; ++next_, ++rounds_) {
        for (std::string sql : statements_) {
          for (std::size_t at = 0; (at = sql.find("$id")) != std::string::npos;)
            sql.replace(at, 3, std::to_string(next_));
          session.Exec(sql);
        }
        std::this_thread::sleep_for(3ms);
      }
    } catch (const SqlError& error) {
      errors_ = error.what();
    }
  }

  std::string conninfo_;
  Words statements_;
  long next_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> rounds_ = 0;
  std::string errors_;
  std::thread thread_;
};

class BothCodes : public RunWorld, public ::testing::WithParamInterface<Codes> {
 protected:
  static constexpr long kOfNew = 500'000'000;

  void AwaitRounds(const Users& users) const {
    const long then = users.rounds();
    // A program that has failed goes no further: its error is told at the end.
    Within(kLimit, [&] { return users.rounds() > then + 15; });
    EXPECT_GT(users.rounds(), then + 15);
  }
};

TEST_P(BothCodes, LiveBesideEachOtherUntilTheGateIsOpened) {
  MakeOrders();
  database_.Sql(GetParam().before);
  Users old_form(database_.conninfo(), GetParam().old_form, 1'000'000);
  AwaitRounds(old_form);
  const Ran to_gate = Run({"run", "--sql", GetParam().sql, "--yes"});
  ASSERT_EQ(to_gate.code, 0) << to_gate.err;
  Users new_form(database_.conninfo(), GetParam().new_form, kOfNew);
  AwaitRounds(new_form);
  AwaitRounds(old_form);
  old_form.Stop();
  EXPECT_EQ(old_form.errors(), "");
  EXPECT_GT(Number(fmt::format("SELECT count(*) FROM orders WHERE id >= {}", kOfNew)), 10)
      << "the new form is to write under the old name";
  EXPECT_EQ(Number(GetParam().agreed), 0);
  for (int gate = 0; StateOfRun() == "waiting" && gate < 4; ++gate) {
    const Ran on = Run({"resume", RunId(), "--gate",
                        database_.Value("SELECT progress->>'gate' FROM pgalter.run")});
    ASSERT_EQ(on.code, 0) << on.err;
  }
  EXPECT_EQ(StateOfRun(), "done");
  AwaitRounds(new_form);
  new_form.Stop();
  EXPECT_EQ(new_form.errors(), "");
  Users later(database_.conninfo(), GetParam().behind_gate, 2 * kOfNew);
  AwaitRounds(later);
  later.Stop();
  EXPECT_EQ(later.errors(), "");
}

// Taken back at the gate, the old programs go on, and have what the new ones have written.
TEST_P(BothCodes, OldOnesGoOnWhereTheRunIsTakenBack) {
  MakeOrders();
  database_.Sql(GetParam().before);
  Users old_form(database_.conninfo(), GetParam().old_form, 1'000'000);
  const Ran to_gate = Run({"run", "--sql", GetParam().sql, "--yes"});
  ASSERT_EQ(to_gate.code, 0) << to_gate.err;
  Users new_form(database_.conninfo(), GetParam().new_form, kOfNew);
  AwaitRounds(new_form);
  new_form.Stop();
  EXPECT_EQ(new_form.errors(), "");
  const long of_new = Number(fmt::format("SELECT count(*) FROM orders WHERE id >= {}", kOfNew));
  database_.Sql(GetParam().mend);
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 0) << back.err;
  AwaitRounds(old_form);
  old_form.Stop();
  EXPECT_EQ(old_form.errors(), "");
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM orders WHERE id >= {}", kOfNew)), of_new);
}

class ReplacedKey : public RunWorld {};

// What the plan says of the old programs, and of the step at which they fail.
TEST_F(ReplacedKey, FailsProgramsThatRelyOnTheOldOneOnlyBehindTheGate) {
  constexpr const char* kOldForm =
      "INSERT INTO orders (id, amount) VALUES (7, 1) ON CONFLICT (id) DO NOTHING";
  MakeOrders();
  const Ran to_gate = Run(
      {"run", "--sql",
       "ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (id, amount)", "--yes"});
  ASSERT_EQ(to_gate.code, 0) << to_gate.err;
  ASSERT_EQ(StateOfRun(), "waiting");
  EXPECT_EQ(database_.Value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = "
                            "'orders_pkey'"),
            "PRIMARY KEY (id, amount)");
  EXPECT_NO_THROW(database_.Sql(kOldForm));
  const Ran on = Run({"resume", RunId(), "--gate", "unique-orders_pkey"});
  ASSERT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(StateOfRun(), "done");
  try {
    database_.Connect().Exec(kOldForm);
    FAIL() << "the old key is still there";
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "42P10");
  }
}

const Codes kCodes[] = {
    {"rename_column",
     "",
     "ALTER TABLE orders RENAME COLUMN note TO words",
     {"INSERT INTO orders (id, amount, note) VALUES ($id, 1, 'old')",
      "UPDATE orders SET note = note || '!' WHERE id = 7",
      "SELECT id, note FROM orders WHERE id = 7"},
     {"INSERT INTO orders (id, amount, words) VALUES ($id, 1, 'new')",
      "UPDATE orders SET words = words || '?' WHERE id = 7",
      "SELECT id, words FROM orders WHERE id = 7"},
     {"INSERT INTO orders (id, amount, words) VALUES ($id, 1, 'new')"},
     "SELECT count(*) FROM orders WHERE note IS DISTINCT FROM words"},
    {"rename_table",
     "",
     "ALTER TABLE orders RENAME TO sales",
     {"INSERT INTO orders (id, amount, note) VALUES ($id, 1, 'old')",
      "UPDATE orders SET note = 'o' WHERE id = 7", "DELETE FROM orders WHERE id = $id - 5"},
     {"INSERT INTO sales (id, amount, note) VALUES ($id, 1, 'new')",
      "UPDATE sales SET note = 'n' WHERE id = 7"},
     {"INSERT INTO sales (id, amount) VALUES ($id, 1)"},
     "SELECT count(*) FROM (SELECT * FROM orders EXCEPT ALL SELECT * FROM sales) AS a"},
    {"drop_column",
     "ALTER TABLE orders ADD spare int NOT NULL DEFAULT 1; ALTER TABLE orders ALTER spare DROP "
     "DEFAULT",
     "ALTER TABLE orders DROP COLUMN spare",
     {"INSERT INTO orders (id, amount, spare) VALUES ($id, 1, 2)",
      "UPDATE orders SET spare = spare + 1 WHERE id = 7"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 1)"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 1)"},
     "SELECT count(*) FROM orders WHERE id < 500000000 AND spare IS NULL",
     "UPDATE orders SET spare = 0 WHERE spare IS NULL"},
    {"type_change",
     "",
     "ALTER TABLE orders ALTER amount TYPE bigint",
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)",
      "UPDATE orders SET amount = amount + 1 WHERE id = 7"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 6::bigint)",
      "UPDATE orders SET amount = (amount + 1)::bigint WHERE id = 8"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 3000000000)"},
     "SELECT count(*) FROM orders WHERE amount IS DISTINCT FROM pgalter_new_amount"},
    {"set_not_null_then_drop",
     "",
     "ALTER TABLE orders ALTER note SET NOT NULL, DROP COLUMN total_old",
     {"INSERT INTO orders (id, amount, note, total_old) VALUES ($id, 5, 'o', 1)"},
     {"INSERT INTO orders (id, amount, note) VALUES ($id, 5, 'n')"},
     {"INSERT INTO orders (id, amount, note) VALUES ($id, 5, 'n')"},
     "SELECT count(*) FROM orders WHERE note IS NULL"},
    {"drop_and_add",
     "",
     "ALTER TABLE orders DROP COLUMN total_old, ADD COLUMN tag text NOT NULL DEFAULT 'none', ADD "
     "CONSTRAINT sane CHECK (amount >= -5)",
     {"INSERT INTO orders (id, amount, total_old) VALUES ($id, 5, 1)",
      "UPDATE orders SET total_old = 2 WHERE id = 7"},
     {"INSERT INTO orders (id, amount, tag) VALUES ($id, 5, 'n')",
      "UPDATE orders SET tag = 'x' WHERE id = 8"},
     {"INSERT INTO orders (id, amount, tag) VALUES ($id, 5, 'n')"},
     "SELECT count(*) FROM orders WHERE tag IS NULL"},
    {"replace_key",
     "",
     "ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (id, amount)",
     {"INSERT INTO orders (id, amount, note) VALUES ($id, 5, 'o') ON CONFLICT (id) DO NOTHING",
      "INSERT INTO orders (id, amount, note) VALUES (7, 9, 'o') ON CONFLICT (id) DO UPDATE SET "
      "note = excluded.note"},
     {"INSERT INTO orders (id, amount, note) VALUES ($id, 5, 'n') ON CONFLICT (id, amount) DO "
      "NOTHING"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 5), ($id, 6) ON CONFLICT (id, amount) DO "
      "NOTHING"},
     "SELECT count(*) - count(DISTINCT id) FROM orders"},
    {"replace_key_among_others",
     "",
     "ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD COLUMN tag int NOT NULL DEFAULT 3, ADD "
     "PRIMARY KEY (id, tag)",
     {"INSERT INTO orders (id, amount, note) VALUES ($id, 5, 'o') ON CONFLICT (id) DO NOTHING"},
     {"INSERT INTO orders (id, amount, tag) VALUES ($id, 5, 4) ON CONFLICT (id, tag) DO NOTHING"},
     {"INSERT INTO orders (id, amount, tag) VALUES ($id, 5, 1), ($id, 5, 2) ON CONFLICT (id, tag) "
      "DO NOTHING"},
     "SELECT count(*) - count(DISTINCT id) FROM orders"},
    {"add_column",
     "",
     "ALTER TABLE orders ADD COLUMN tag uuid NOT NULL DEFAULT gen_random_uuid()",
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)",
      "UPDATE orders SET note = 'o' WHERE id = 7"},
     {"INSERT INTO orders (id, amount, tag) VALUES ($id, 5, gen_random_uuid())",
      "UPDATE orders SET tag = gen_random_uuid() WHERE id = 7"},
     {"INSERT INTO orders (id, amount, tag) VALUES ($id, 5, gen_random_uuid())"},
     "SELECT count(*) FROM orders WHERE tag IS NULL"},
    {"identity",
     "",
     "ALTER TABLE orders ADD COLUMN n bigint GENERATED BY DEFAULT AS IDENTITY",
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)", "SELECT n FROM orders WHERE id = 7"},
     {"INSERT INTO orders (id, amount, n) VALUES ($id, 5, $id)"},
     "SELECT count(*) - count(DISTINCT n) FROM orders"},
    {"copied",
     "",
     "ALTER TABLE orders ADD COLUMN g bigint GENERATED ALWAYS AS (id * 2) STORED",
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)",
      "UPDATE orders SET amount = amount + 1 WHERE id = 7"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)", "SELECT g FROM orders WHERE id = 7"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)"},
     "SELECT count(*) FROM orders WHERE g IS DISTINCT FROM id * 2"},
    {"wider_keys",
     "CREATE TABLE item (id int PRIMARY KEY, o bigint NOT NULL REFERENCES orders ON DELETE "
     "CASCADE);"
     "INSERT INTO item SELECT g, g FROM generate_series(1, 500) g",
     "ALTER TABLE item ALTER id TYPE bigint",
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)", "INSERT INTO item VALUES ($id, $id)"},
     {"INSERT INTO orders (id, amount) VALUES ($id, 5)",
      "INSERT INTO item (id, o) VALUES ($id::bigint, $id)"},
     {"INSERT INTO item (id, o) VALUES (3000000000 + $id, 7)"},
     "SELECT count(*) FROM item WHERE id IS DISTINCT FROM pgalter_new_id"},
};

INSTANTIATE_TEST_SUITE_P(Recipes, BothCodes, ::testing::ValuesIn(kCodes),
                         [](const auto& codes) { return std::string(codes.param.name); });

}  // namespace
}  // namespace pgalter::test
