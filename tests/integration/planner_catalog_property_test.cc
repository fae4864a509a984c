// After any DDL that a server accepts, the virtual schema knows what the live catalog knows.
//
// PGALTER_TORTURE_ROUNDS: how many databases are changed at random (default 4, each 60 statements).
// A round's seed is its number; PGALTER_TORTURE_SEED is the first.
#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/support/live_schema.h"
#include "tests/support/postgres.h"
#include "tests/support/random_ddl.h"
#include "tests/support/schema_difference.h"

namespace pgalter::catalog {
namespace {

using ::testing::IsEmpty;

constexpr int kStatements = 60;

constexpr const char* kStart =
    "CREATE SCHEMA other; CREATE TYPE public.mood AS ENUM ('sad', 'ok');"
    "CREATE TYPE public.pair AS (a int, b text);"
    "CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);"
    "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';";

int Setting(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

// One database and its virtual schema, changed in step.
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed), live_(database_.conninfo()) {
    user_.Exec("SET client_min_messages = error");
    user_.Exec(kStart);
    for (const char* text :
         {"CREATE SCHEMA other", "CREATE TYPE public.mood AS ENUM ('sad', 'ok')",
          "CREATE TYPE public.pair AS (a int, b text)",
          "CREATE DOMAIN public.positive AS int CHECK (VALUE > 0)",
          "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"})
      Know(text);
  }

  // Whether the server took it. Within a transaction a refusal must not end it.
  bool Try(const std::string& statement) {
    const bool inside = open_;
    try {
      if (inside) user_.Exec("SAVEPOINT before_each");
      user_.Exec(statement);
    } catch (const test::SqlError&) {
      if (inside) user_.Exec("ROLLBACK TO before_each");
      return false;
    }
    history_ += statement + ";\n";
    Know(statement);
    return true;
  }

  void Step() {
    if (!open_ && pick_() % 12 == 0) {
      open_ = true;
      user_.Exec("BEGIN");
      Know("BEGIN");
      history_ += "BEGIN;\n";
    } else if (open_ && pick_() % 4 == 0) {
      const char* end = pick_() % 2 == 0 ? "COMMIT" : "ROLLBACK";
      open_ = false;
      user_.Exec(end);
      Know(end);
      history_ += std::string(end) + ";\n";
    }
    const std::string statement = random_.Next(schema_);
    if (Try(statement)) ++accepted_;
  }

  [[nodiscard]] bool open() const { return open_; }
  [[nodiscard]] int accepted() const { return accepted_; }
  [[nodiscard]] const std::string& history() const { return history_; }
  std::vector<std::string> Differences() { return test::Differences(schema_, live_.Read()); }

 private:
  void Know(const std::string& text) {
    const auto statement = sql::ast::ReadStatement(text);
    if (!statement) throw std::runtime_error(text + ": " + statement.error().message);
    schema_.Apply(*statement);
  }

  test::FreshDatabase database_;
  test::Session user_ = database_.Connect();
  Schema schema_;
  test::RandomDdl random_;
  std::mt19937 pick_{7};
  test::LiveSchema live_;
  std::string history_;
  int accepted_ = 0;
  bool open_ = false;
};

TEST(CatalogProperty, FollowsWhateverTheServerAccepts) {
  const int rounds = Setting("PGALTER_TORTURE_ROUNDS", 4);
  const int first = Setting("PGALTER_TORTURE_SEED", 1);
  test::SharedServer();
  test::FreshDatabase().Sql("CREATE ROLE boss");
  int accepted = 0;
  for (int round = first; round < first + rounds; ++round) {
    Pair pair(static_cast<std::uint64_t>(round));
    for (int i = 0; i < kStatements; ++i) {
      pair.Step();
      if (pair.open()) continue;
      const auto differences = pair.Differences();
      EXPECT_THAT(differences, IsEmpty()) << "seed " << round << " after\n" << pair.history();
      if (!differences.empty()) break;
    }
    accepted += pair.accepted();
  }
  // Else the statements are not what they should be.
  EXPECT_GT(accepted, rounds * kStatements / 8);
}

}  // namespace
}  // namespace pgalter::catalog
