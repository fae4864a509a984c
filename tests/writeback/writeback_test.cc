// history.writeback with the real tools: what each sees of our work, and we of its.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kPending = 3;
constexpr int kRefused = 4;
constexpr int kNoLock = 5;
constexpr int kDivergence = 8;
constexpr auto kLimit = std::chrono::seconds(120);

std::string Trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// A directory with pgalter.toml beside it, and a database.
class Shared : public MigrationWorld {
 protected:
  void Configure(const std::string& format, const std::string& more = {}) const {
    std::ofstream(Config()) << fmt::format(
        "[migrations]\ndir = \"{}\"\nformat = \"{}\"\nhistory.writeback = true\n{}",
        fs::path(directory_).filename().string(), format, more);
  }
  [[nodiscard]] std::string Config() const { return directory_ + ".toml"; }
  ~Shared() override { fs::remove(Config()); }

  [[nodiscard]] Words Ours(Words arguments) const {
    arguments.insert(arguments.end(), {"--config", Config(), "--dsn", database_.conninfo()});
    return arguments;
  }
  [[nodiscard]] Ran Pgalter(const Words& arguments, const Words& environment = {}) const {
    return Program(PGALTER_BINARY, Ours(arguments), environment).Wait(kLimit);
  }
  void Succeeds(const Words& arguments) const {
    const Ran ran = Pgalter(arguments);
    ASSERT_EQ(ran.code, kDone) << ran.out << ran.err;
  }
  [[nodiscard]] std::string Ask(const std::string& sql) const { return database_.Value(sql); }
  // host, port, user and database of the test's server, as `format` has them.
  [[nodiscard]] std::string Uri(const std::string& scheme) const {
    const std::string dsn = database_.conninfo();
    const auto part = [&](const std::string& key) {
      const std::size_t at = dsn.find(key + "=");
      if (at == std::string::npos) return std::string();
      std::string value = dsn.substr(at + key.size() + 1);
      value = value.substr(0, value.find(' '));
      std::erase(value, '\'');
      return value;
    };
    return fmt::format("{}://{}@/{}?host={}&port={}", scheme, part("user"), part("dbname"),
                       part("host"), part("port"));
  }
};

// ---- dbmate and node-pg-migrate ----------------------------------------------------------------

std::string Fetched(const std::string& program) {
  const Ran ran = Program(PGALTER_SOURCE_DIR "/tests/writeback/fetch_tools", {}).Wait(kLimit);
  return Trimmed(ran.out) + "/" + program;
}

class Dbmate : public Shared {
 protected:
  Dbmate() {
    Configure("dbmate");
    Write("001_t.sql",
          "-- migrate:up\nCREATE TABLE public.t (a int);\n-- migrate:down\nDROP TABLE public.t;\n");
    Write("002_b.sql",
          "-- migrate:up\nALTER TABLE public.t ADD b int;\n-- migrate:down\nALTER TABLE public.t "
          "DROP b;\n");
  }
  [[nodiscard]] Words Arguments(const Words& arguments) const {
    Words words{"--no-dump-schema", "--migrations-dir", directory_, "--url", Uri("postgres")};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }
  [[nodiscard]] Ran Tool(const Words& arguments) const {
    return Program(Fetched("dbmate"), Arguments(arguments)).Wait(kLimit);
  }
  [[nodiscard]] std::string Rows() const {
    return Ask("SELECT string_agg(version, ',' ORDER BY version) FROM public.schema_migrations");
  }
};

TEST_F(Dbmate, TakesOurWorkForItsOwn) {
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Rows(), "001,002");
  const Ran status = Tool({"status", "--exit-code"});
  EXPECT_EQ(status.code, 0) << status.out << status.err;
  EXPECT_THAT(status.out, AllOf(HasSubstr("[X] 001_t.sql"), HasSubstr("Pending: 0")));
  const Ran up = Tool({"up"});
  EXPECT_EQ(up.code, 0) << up.err;
  EXPECT_THAT(up.out, Not(HasSubstr("Applying")));
}

TEST_F(Dbmate, WeTakeItsWorkForOurs) {
  ASSERT_EQ(Tool({"up"}).code, 0);
  const Ran status = Pgalter({"status", "--pending"});
  EXPECT_EQ(status.code, kDone) << status.out << status.err;
  EXPECT_THAT(Pgalter({"status", "--migrations"}).out, HasSubstr("dbmate"));
  const Ran up = Pgalter({"up", "--yes"});
  EXPECT_EQ(up.code, kDone) << up.err;
  EXPECT_THAT(up.out, HasSubstr("nothing to apply"));
  EXPECT_THAT(up.err, HasSubstr("dbmate has applied 001"));
  const Ran history =
      Program(PGALTER_BINARY, {"history", "--dsn", database_.conninfo()}).Wait(kLimit);
  EXPECT_THAT(history.out, HasSubstr("imported")) << history.err;
  Succeeds({"audit", "verify"});
}

TEST_F(Dbmate, AndWeTakeTurns) {
  Succeeds({"up", "--count", "1", "--yes"});
  ASSERT_EQ(Tool({"up"}).code, 0);
  EXPECT_EQ(Rows(), "001,002");
  Succeeds({"down", "--yes"});  // what it applied
  EXPECT_EQ(Rows(), "001");
  EXPECT_EQ(Ask("SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.t'::regclass AND "
                "attname = 'b'"),
            "0");
  ASSERT_EQ(Tool({"down"}).code, 0);  // what we applied
  const Ran status = Pgalter({"status", "--pending"});
  EXPECT_EQ(status.code, kPending) << status.out << status.err;
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Rows(), "001,002");
  EXPECT_EQ(Applied(), "001 applied, 002 applied");
  Succeeds({"audit", "verify"});
}

TEST_F(Dbmate, ADryRunShowsTheRowThatWouldBeWritten) {
  ASSERT_EQ(Tool({"up"}).code, 0);
  ASSERT_EQ(Tool({"rollback"}).code, 0);  // it has the first alone
  const std::string rows = Rows();
  const Ran dry = Pgalter({"up", "--dry-run"});
  EXPECT_EQ(dry.code, kPending) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("INSERT INTO public.schema_migrations (version) VALUES ('002')"));
  EXPECT_THAT(dry.out, Not(HasSubstr("VALUES ('001')"))) << "dbmate has applied it";
  EXPECT_EQ(Rows(), rows);
  EXPECT_EQ(Ask("SELECT to_regclass('pgalter.migration') IS NULL"), "t") << "nothing is written";
}

TEST_F(Dbmate, StartedAtOnceEachMigrationIsAppliedOnce) {
  for (int round = 0; round < 5; ++round) {
    Program ours(PGALTER_BINARY, Ours({"up", "--yes"}));
    Program theirs(Fetched("dbmate"), Arguments({"up"}));
    const Ran we = ours.Wait(kLimit);
    const Ran they = theirs.Wait(kLimit);
    EXPECT_TRUE(we.code == kDone || they.code == 0) << we.err << they.err;
    Succeeds({"up", "--yes"});
    EXPECT_EQ(Tool({"up"}).code, 0);
    EXPECT_EQ(Rows(), "001,002");
    EXPECT_EQ(Ask("SELECT count(*) FROM pgalter.migration WHERE state IN ('applied', "
                  "'baseline') AND told"),
              "2");
    Succeeds({"down", "--count", "2", "--yes"});
  }
}

TEST_F(Dbmate, WritesItsRowWithTheLastStepOrNotAtAll) {
  const Ran killed = Pgalter({"up", "--yes"}, {"PGALTER_FAIL_POINT=ddl-uncommitted"});
  EXPECT_EQ(killed.code, kKilled) << killed.err;
  EXPECT_EQ(Ask("SELECT to_regclass('public.t') IS NULL"), "t");
  EXPECT_EQ(Ask("SELECT count(*) FROM public.schema_migrations"), "0");
  const Ran after = Pgalter({"up", "--yes"}, {"PGALTER_FAIL_POINT=ddl-committed"});
  EXPECT_EQ(after.code, kKilled) << after.err;
  EXPECT_EQ(Ask("SELECT to_regclass('public.t') IS NOT NULL"), "t");
  EXPECT_EQ(Rows(), "001");
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Rows(), "001,002");
}

TEST_F(Dbmate, WhatItAppliesInPlaceOfARunThatWasBegunIsADivergence) {
  const Ran killed = Pgalter({"up", "--yes"}, {"PGALTER_FAIL_POINT=migration-created"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  ASSERT_EQ(Tool({"up"}).code, 0);
  const Ran up = Pgalter({"up", "--yes"});
  EXPECT_EQ(up.code, kDivergence) << up.err;
  EXPECT_THAT(up.err, HasSubstr("dbmate has applied 001, which pgalter has half applied"));
  const std::string run = Ask("SELECT run FROM pgalter.migration WHERE version = '001'");
  EXPECT_THAT(up.err, HasSubstr("pgalter revert " + run + " --yes"));
  const Ran revert =
      Program(PGALTER_BINARY, {"revert", run, "--yes", "--dsn", database_.conninfo()}).Wait(kLimit);
  EXPECT_EQ(revert.code, kDone) << revert.out << revert.err;
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Rows(), "001,002");
  EXPECT_EQ(Applied(), "001 baseline, 002 baseline");
}

constexpr const char* kRoles = R"sql(
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'writeback_operator') THEN
    CREATE ROLE writeback_operator LOGIN;
    CREATE ROLE writeback_dba;
    CREATE ROLE writeback_ann LOGIN IN ROLE writeback_dba;
  END IF;
END $$;
GRANT ALL ON SCHEMA public TO writeback_operator;
GRANT USAGE, CREATE ON SCHEMA pgalter TO writeback_operator;
GRANT USAGE ON SCHEMA pgalter TO writeback_ann;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgalter TO writeback_operator;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA pgalter TO writeback_operator;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgalter TO writeback_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA pgalter TO writeback_ann;
)sql";

// What is asked for is what is run: the plan with what it tells the tool.
TEST_F(Dbmate, APolicyApprovesThePlanWithTheRow) {
  const auto as = [&](const std::string& role, Words words) {
    words.insert(words.end(),
                 {"--config", Config(), "--dsn", database_.conninfo() + " user=" + role});
    return Program(PGALTER_BINARY, words).Wait(kLimit);
  };
  const auto owner = [&](Words words) {
    words.insert(words.end(), {"--dsn", database_.conninfo()});
    const Ran ran = Program(PGALTER_BINARY, words).Wait(kLimit);
    ASSERT_EQ(ran.code, kDone) << ran.err;
  };
  const auto approve = [&](const std::string& id) {
    const Ran ran =
        Program(PGALTER_BINARY, {"approve", id, "--meaning", "technical", "--reason", "read",
                                 "--yes", "--dsn", database_.conninfo() + " user=writeback_ann"})
            .Wait(kLimit);
    ASSERT_EQ(ran.code, kDone) << ran.err;
  };
  owner({"init"});
  database_.Sql(kRoles);
  const std::string policy = directory_ + ".policy.toml";
  std::ofstream(policy) << fmt::format(
      "[env.test]\ndsn = \"{}\"\n[env.test.policy]\nquorum = {{ technical = \"writeback_dba\" "
      "}}\n",
      database_.conninfo());
  const Ran set =
      Program(PGALTER_BINARY, {"policy", "set", "--env", "test", "--config", policy, "--yes"})
          .Wait(kLimit);
  fs::remove(policy);
  ASSERT_EQ(set.code, kDone) << set.err;

  // Before dbmate's table is there, and with it.
  const Ran asked = as("writeback_operator", {"request"});
  ASSERT_EQ(asked.code, kDone) << asked.err;
  const Ran early = as("writeback_operator", {"up", "--yes"});
  EXPECT_EQ(early.code, kRefused) << early.err;
  approve("1");
  approve("2");
  const Ran up = as("writeback_operator", {"up", "--yes"});
  EXPECT_EQ(up.code, kDone) << up.err;
  EXPECT_EQ(Rows(), "001,002");
  const Ran again = as("writeback_operator", {"request", "--down"});
  ASSERT_EQ(again.code, kDone) << again.err;
  approve("3");
  const Ran down = as("writeback_operator", {"down", "--yes"});
  EXPECT_EQ(down.code, kDone) << down.err;
  EXPECT_EQ(Rows(), "001");
  // What dbmate applies needs nobody's approval here, and is not asked for.
  ASSERT_EQ(Tool({"up"}).code, 0);
  const Ran nothing = as("writeback_operator", {"request"});
  EXPECT_EQ(nothing.code, kDone) << nothing.err;
  EXPECT_THAT(nothing.err, HasSubstr("nothing to ask for"));
}

TEST_F(Dbmate, OfWhatCannotBeInATransactionTheRowComesBehind) {
  Write("003_i.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t_b ON public.t (b);\n-- "
        "migrate:down transaction:false\nDROP INDEX CONCURRENTLY public.t_b;\n");
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Rows(), "001,002,003");
  const std::string run = Ask("SELECT run FROM pgalter.migration WHERE version = '003'");
  Succeeds({"down", "--yes"});
  EXPECT_EQ(Rows(), "001,002");
}

TEST_F(Dbmate, ARunThatIsRevertedTakesItsRowAlong) {
  Succeeds({"up", "--yes"});
  const std::string run = Ask("SELECT run FROM pgalter.migration WHERE version = '002'");
  const Ran revert =
      Program(PGALTER_BINARY, {"revert", run, "--yes", "--dsn", database_.conninfo()}).Wait(kLimit);
  EXPECT_EQ(revert.code, kDone) << revert.out << revert.err;
  EXPECT_EQ(Rows(), "001");
  EXPECT_EQ(Applied(), "001 applied");
}

TEST_F(Dbmate, IsToldWhatWasAppliedBeforeItShared) {
  ASSERT_EQ(Up({"--format", "dbmate"}).code, kDone);
  const Ran up = Pgalter({"up", "--yes"});
  EXPECT_EQ(up.code, kDone) << up.err;
  EXPECT_THAT(up.err, HasSubstr("dbmate is told that 001 is applied"));
  EXPECT_EQ(Rows(), "001,002");
}

TEST_F(Dbmate, ABaselineIsToldAsWell) {
  database_.Sql("CREATE TABLE public.t (a int)");
  Succeeds({"baseline", "001", "--yes"});
  EXPECT_EQ(Rows(), "001");
  ASSERT_EQ(Tool({"up"}).code, 0);
}

TEST_F(Dbmate, ARowWithoutAFileAndALostTableAreDivergences) {
  Succeeds({"up", "--yes"});
  database_.Sql("INSERT INTO public.schema_migrations VALUES ('009')");
  const Ran odd = Pgalter({"up", "--yes"});
  EXPECT_EQ(odd.code, kDivergence) << odd.err;
  EXPECT_THAT(odd.err, AllOf(HasSubstr("009"), HasSubstr("there is no file of it")));
  EXPECT_EQ(Pgalter({"status", "--pending"}).code, kDivergence);
  database_.Sql("DROP TABLE public.schema_migrations");
  for (const char* command : {"up", "down"}) {
    const Ran lost = Pgalter({command, "--yes"});
    EXPECT_EQ(lost.code, kDivergence) << lost.err;
    EXPECT_THAT(lost.err, HasSubstr("is not there any more"));
  }
  EXPECT_EQ(Applied(), "001 applied, 002 applied");
}

class Prisma : public Shared {
 protected:
  Prisma() {
    Configure("prisma");
    Write("migration_lock.toml", "provider = \"postgresql\"\n");
    Write("20260101000000_t/migration.sql", "CREATE TABLE public.t (a int);\n");
    Write("20260101000000_t/down.sql", "DROP TABLE public.t;\n");
    Write("20260102000000_b/migration.sql", "ALTER TABLE public.t ADD b int;\n");
    Write("20260102000000_b/down.sql", "ALTER TABLE public.t DROP b;\n");
    std::ofstream(SchemaFile()) << "datasource db {\n  provider = \"postgresql\"\n  url = "
                                   "\"postgresql://postgres@localhost/x\"\n}\n";
  }
  ~Prisma() override { fs::remove(SchemaFile()); }
  [[nodiscard]] std::string SchemaFile() const { return directory_ + ".prisma"; }
  // Without its engines of its own it asks for none, as long as there is a file where they were.
  [[nodiscard]] Ran Tool(Words words) const {
    const std::string program = Fetched("prisma");
    const fs::path modules = fs::path(program).parent_path().parent_path().parent_path();
    words.insert(words.begin(), "migrate");
    words.insert(words.end(), {"--config", (modules / "prisma.config.mjs").string()});
    return Program(
               program, words,
               {"DATABASE_URL=" + Uri("postgresql"), "PRISMA_TEST_SCHEMA=" + SchemaFile(),
                "PRISMA_TEST_MIGRATIONS=" + directory_, "CHECKPOINT_DISABLE=1",
                "PRISMA_QUERY_ENGINE_LIBRARY=/dev/null", "PRISMA_SCHEMA_ENGINE_BINARY=/dev/null"})
        .Wait(kLimit);
  }
  [[nodiscard]] std::string Rows() const {
    return Ask(
        "SELECT string_agg(migration_name, ',' ORDER BY started_at) FROM public._prisma_migrations"
        " WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL AND applied_steps_count = 1");
  }
};

TEST_F(Prisma, TakesOurWorkForItsOwn) {
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Rows(), "20260101000000_t,20260102000000_b");
  const Ran status = Tool({"status"});
  EXPECT_EQ(status.code, 0) << status.out << status.err;
  EXPECT_THAT(status.out, HasSubstr("up to date"));
  const Ran deploy = Tool({"deploy"});
  EXPECT_EQ(deploy.code, 0) << deploy.out << deploy.err;
  EXPECT_THAT(deploy.out, HasSubstr("No pending migrations"));
}

TEST_F(Prisma, MakesTheTableAsPrismaDoes) {
  const char* kColumns =
      "SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, "
      "pg_get_expr(adbin, adrelid)), ', ' ORDER BY attnum) FROM pg_attribute LEFT JOIN pg_attrdef "
      "ON adrelid = attrelid AND adnum = attnum WHERE attrelid = "
      "'public._prisma_migrations'::regclass AND attnum > 0";
  ASSERT_EQ(Tool({"deploy"}).code, 0);
  const std::string theirs = Ask(kColumns);
  const std::string sums =
      Ask("SELECT string_agg(checksum, ',' ORDER BY started_at) FROM public._prisma_migrations");
  database_.Sql("DROP TABLE public.t, public._prisma_migrations");
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Ask(kColumns), theirs);
  EXPECT_EQ(
      Ask("SELECT string_agg(checksum, ',' ORDER BY started_at) FROM public._prisma_migrations"),
      sums);
}

TEST_F(Prisma, AndWeTakeTurns) {
  Succeeds({"up", "--count", "1", "--yes"});
  const Ran deploy = Tool({"deploy"});
  ASSERT_EQ(deploy.code, 0) << deploy.out << deploy.err;
  EXPECT_THAT(deploy.out, HasSubstr("20260102000000_b"));
  const Ran up = Pgalter({"up", "--yes"});
  EXPECT_EQ(up.code, kDone) << up.err;
  EXPECT_THAT(up.out, HasSubstr("nothing to apply"));
  Succeeds({"down", "--yes"});  // what it applied
  EXPECT_EQ(Rows(), "20260101000000_t");
  EXPECT_NE(Tool({"status"}).code, 0) << "it is pending again";
  ASSERT_EQ(Tool({"deploy"}).code, 0);
  EXPECT_EQ(Pgalter({"status", "--pending"}).code, kDone);
  Succeeds({"audit", "verify"});
}

TEST_F(Prisma, ItsLockIsWaitedForByTrying) {
  Session other = database_.Connect();
  other.Exec("SELECT pg_advisory_lock(72707369)");
  const Ran up = Pgalter({"up", "--yes", "--wait", "1s"});
  EXPECT_EQ(up.code, kNoLock) << up.err;
  EXPECT_EQ(Ask("SELECT to_regclass('public.t') IS NULL"), "t");
}

class NodePgMigrate : public Shared {
 protected:
  NodePgMigrate() {
    Configure("node-pg-migrate");
    Write("1700000000000_t.sql",
          "-- Up Migration\nCREATE TABLE public.t (a int);\n-- Down Migration\nDROP TABLE "
          "public.t;\n");
    Write("1700000000001_b.sql",
          "-- Up Migration\nALTER TABLE public.t ADD b int;\n-- Down Migration\nALTER TABLE "
          "public.t DROP b;\n");
  }
  [[nodiscard]] Ran Tool(const Words& arguments) const {
    Words words = arguments;
    words.insert(words.end(), {"-m", directory_});
    return Program(Fetched("node-pg-migrate"), words, {"DATABASE_URL=" + Uri("postgres")})
        .Wait(kLimit);
  }
  [[nodiscard]] std::string Rows() const {
    return Ask("SELECT string_agg(name, ',' ORDER BY run_on, id) FROM public.pgmigrations");
  }
};

TEST_F(NodePgMigrate, TakesOurWorkForItsOwn) {
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Rows(), "1700000000000_t,1700000000001_b");
  const Ran up = Tool({"up"});
  EXPECT_EQ(up.code, 0) << up.out << up.err;
  EXPECT_THAT(up.out, HasSubstr("No migrations to run!"));
  ASSERT_EQ(Tool({"down"}).code, 0);
  EXPECT_EQ(Rows(), "1700000000000_t");
  Succeeds({"up", "--yes"});
  Succeeds({"down", "--count", "2", "--yes"});
  EXPECT_EQ(Ask("SELECT count(*) FROM public.pgmigrations"), "0");
  ASSERT_EQ(Tool({"up"}).code, 0);
  EXPECT_EQ(Pgalter({"status", "--pending"}).code, kDone);
}

TEST_F(NodePgMigrate, ItsLockIsTriedAndRespected) {
  Session other = database_.Connect();
  other.Exec("SELECT pg_advisory_lock(7241865325823964)");
  const Ran up = Pgalter({"up", "--yes", "--wait", "1s"});
  EXPECT_EQ(up.code, kNoLock) << up.err;
  EXPECT_THAT(up.err, AllOf(HasSubstr("node-pg-migrate is at work"), HasSubstr("backend ")));
  EXPECT_EQ(Applied(), "");
}

TEST_F(NodePgMigrate, FindsOursTaken) {
  Session barrier = database_.Connect();
  Succeeds({"up", "--count", "1", "--yes"});
  barrier.Exec("BEGIN; LOCK TABLE public.t IN ACCESS SHARE MODE");
  Program ours(PGALTER_BINARY, Ours({"up", "--yes"}));
  const auto asks = [&] {
    return Ask("SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND NOT granted AND "
               "relation = 'public.t'::regclass") != "0";
  };
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!asks() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Ran up = Tool({"up"});
  EXPECT_NE(up.code, 0);
  EXPECT_THAT(up.out + up.err, HasSubstr("Another migration is already running"));
  barrier.Exec("ROLLBACK");
  EXPECT_EQ(ours.Wait(kLimit).code, kDone);
}

// ---- sqitch ------------------------------------------------------------------------------------

class SqitchTool : public Shared {
 protected:
  SqitchTool() {
    Configure("sqitch");
    Write("sqitch.conf", "[core]\n  engine = pg\n[user]\n  name = Ann B\n  email = ann@b.org\n");
    Write("sqitch.plan",
          "%syntax-version=1.0.0\n%project=shop\n%uri=https://Example.org:443/x%7e\n\n"
          "users 2026-01-01T00:00:00Z Bob C <bob@c.org> # the \"first\"\n"
          "orders [users !elsewhere:nothing] 2026-01-02T00:00:00Z Bob C <bob@c.org> # a\\n\\nb "
          "\\\\ c\n"
          "@v1 2026-01-03T00:00:00Z Dora <d@e.org> # tag's note\n"
          "@v1.1 2026-01-03T01:00:00Z Dora <d@e.org>\n"
          "users [users@v1 orders] 2026-01-04T00:00:00Z Bob C <bob@c.org> # again\n");
    WriteChange("users@v1", "CREATE TABLE public.users (a int);", "DROP TABLE public.users;",
                "SELECT a FROM public.users WHERE false;");
    WriteChange("orders", "CREATE TABLE public.orders (a int);", "DROP TABLE public.orders;",
                "SELECT a FROM public.orders WHERE false;");
    WriteChange("users", "ALTER TABLE public.users ADD b int;", "ALTER TABLE public.users DROP b;",
                "SELECT b FROM public.users WHERE false;");
  }
  void WriteChange(const std::string& name, const std::string& deploy, const std::string& revert,
                   const std::string& verify) const {
    Write("deploy/" + name + ".sql", "BEGIN;\n" + deploy + "\nCOMMIT;\n");
    Write("revert/" + name + ".sql", "BEGIN;\n" + revert + "\nCOMMIT;\n");
    Write("verify/" + name + ".sql", "BEGIN;\n" + verify + "\nROLLBACK;\n");
  }
  [[nodiscard]] Ran Tool(const Words& arguments, const FreshDatabase* other = nullptr) const {
    Words words{"--chdir", directory_};
    words.insert(words.end(), arguments.begin(), arguments.end());
    words.push_back(other == nullptr ? Uri("db:pg") : Swap(*other));
    return Program("/usr/bin/sqitch", words, {"LC_ALL=C.UTF-8"}).Wait(kLimit);
  }
  [[nodiscard]] std::string Swap(const FreshDatabase& other) const {
    std::string uri = Uri("db:pg");
    const std::string& ours = database_.name();
    uri.replace(uri.find("/" + ours + "?") + 1, ours.size(), other.name());
    return uri;
  }
  // All that the registry holds but for the times.
  [[nodiscard]] static std::string Registry(const FreshDatabase& database) {
    Session session = database.Connect();
    std::string all;
    for (const char* query :
         {"SELECT string_agg(to_jsonb(r)::text, E'\\n' ORDER BY change_id) FROM (SELECT change_id, "
          "script_hash, change, project, note, committer_name, committer_email, planned_at, "
          "planner_name, planner_email FROM sqitch.changes) r",
          "SELECT string_agg(to_jsonb(r)::text, E'\\n' ORDER BY at) FROM (SELECT committed_at AS "
          "at, event, change_id, change, project, note, requires, conflicts, tags, "
          "committer_name, committer_email, planned_at, planner_name, planner_email FROM "
          "sqitch.events) r",
          "SELECT string_agg(to_jsonb(r)::text, E'\\n' ORDER BY tag_id) FROM (SELECT tag_id, tag, "
          "project, change_id, note, committer_name, committer_email, planned_at, planner_name, "
          "planner_email FROM sqitch.tags) r",
          "SELECT string_agg(to_jsonb(r)::text, E'\\n' ORDER BY change_id, dependency) FROM "
          "sqitch.dependencies r",
          "SELECT string_agg(to_jsonb(r)::text, E'\\n') FROM (SELECT project, uri, creator_name, "
          "creator_email FROM sqitch.projects) r",
          "SELECT string_agg(to_jsonb(r)::text, E'\\n') FROM (SELECT version, installer_name, "
          "installer_email FROM sqitch.releases) r",
          "SELECT string_agg(concat_ws(' ', attrelid::regclass, attname, atttypid::regtype, "
          "attnotnull, (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = "
          "attrelid AND adnum = attnum)), E'\\n' ORDER BY attrelid::regclass::text, attname) FROM "
          "pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relkind "
          "= 'r' AND relnamespace = 'sqitch'::regnamespace)",
          "SELECT string_agg(concat_ws(' ', conrelid::regclass, conname, "
          "pg_get_constraintdef(oid)), E'\\n' ORDER BY 1) FROM pg_constraint WHERE connamespace = "
          "'sqitch'::regnamespace"}) {
      std::string value = session.Value(query);
      // The event's time orders it, and is its own each time.
      for (std::size_t at = value.find("\"at\": \""); at != std::string::npos;
           at = value.find("\"at\": \"", at + 1))
        value.erase(at + 7, value.find('"', at + 7) - at - 7);
      all += value + "\n\n";
    }
    return all;
  }
};

TEST_F(SqitchTool, WritesTheRowsThatSqitchWrites) {
  const FreshDatabase other;
  ASSERT_EQ(Tool({"deploy"}, &other).code, 0);
  Succeeds({"up", "--yes"});
  EXPECT_EQ(Registry(database_), Registry(other));
  const Ran revert = Tool({"revert", "-y"}, &other);
  ASSERT_EQ(revert.code, 0) << revert.out << revert.err;
  Succeeds({"down", "--count", "3", "--yes"});
  EXPECT_EQ(Registry(database_), Registry(other));
}

TEST_F(SqitchTool, TakesOurWorkForItsOwn) {
  Succeeds({"up", "--yes"});
  const Ran status = Tool({"status"});
  EXPECT_EQ(status.code, 0) << status.out << status.err;
  EXPECT_THAT(status.out, AllOf(HasSubstr("# By:       Ann B <ann@b.org>"),
                                HasSubstr("Nothing to deploy (up-to-date)")));
  const Ran verify = Tool({"verify"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  EXPECT_THAT(verify.out, HasSubstr("Verify successful"));
  const Ran check = Tool({"check"});
  EXPECT_EQ(check.code, 0) << check.out << check.err;
  EXPECT_THAT(Tool({"log", "--format", "full"}).out,
              AllOf(HasSubstr("Deploy "), HasSubstr("@v1, @v1.1")));
  EXPECT_THAT(Tool({"deploy"}).out + Tool({"deploy"}).err, HasSubstr("Nothing to deploy"));
}

TEST_F(SqitchTool, AndWeTakeTurns) {
  ASSERT_EQ(Tool({"deploy", "--to", "orders"}).code, 0);
  EXPECT_EQ(Pgalter({"status", "--pending"}).code, kPending);
  Succeeds({"up", "--yes"});
  EXPECT_THAT(Tool({"status"}).out, HasSubstr("Nothing to deploy (up-to-date)"));
  const Ran revert = Tool({"revert", "-y", "--to", "@v1"});
  ASSERT_EQ(revert.code, 0) << revert.out << revert.err;
  Succeeds({"down", "--yes"});  // `orders`, which sqitch deployed
  EXPECT_EQ(Ask("SELECT string_agg(change, ',') FROM sqitch.changes"), "users");
  EXPECT_EQ(Ask("SELECT string_agg(version || ' ' || state, ',') FROM pgalter.migration"),
            "users@v1 baseline");
  ASSERT_EQ(Tool({"deploy"}).code, 0);
  EXPECT_EQ(Pgalter({"status", "--pending"}).code, kDone);
  Succeeds({"up", "--yes"});
  Succeeds({"audit", "verify"});
}

TEST_F(SqitchTool, ItsLockKeepsUsAwayAndOursKeepsItAway) {
  Session other = database_.Connect();
  other.Exec("SELECT pg_advisory_lock(75474063)");
  const Ran up = Pgalter({"up", "--yes", "--wait", "1s"});
  EXPECT_EQ(up.code, kNoLock) << up.err;
  other.Exec("SELECT pg_advisory_unlock(75474063)");
  for (int round = 0; round < 3; ++round) {
    Program ours(PGALTER_BINARY, Ours({"up", "--yes"}));
    const Ran they = Tool({"deploy"});
    const Ran we = ours.Wait(kLimit);
    EXPECT_EQ(we.code, kDone) << we.err << they.err;
    EXPECT_EQ(Ask("SELECT count(*) FROM sqitch.changes"), "3");
    EXPECT_THAT(Tool({"status"}).out, HasSubstr("Nothing to deploy (up-to-date)"));
    Succeeds({"down", "--count", "3", "--yes"});
  }
}

TEST_F(SqitchTool, AnEditedPlanIsADivergence) {
  Succeeds({"up", "--yes"});
  const auto refused = [&](const std::string& uri) {
    Write("sqitch.plan", fmt::format("%syntax-version=1.0.0\n%project=shop\n%uri={}\n\n"
                                     "users 2026-01-01T00:00:01Z Bob C <bob@c.org>\n"
                                     "orders 2026-01-02T00:00:00Z Bob C <bob@c.org>\n",
                                     uri));
    const Ran up = Pgalter({"up", "--yes"});
    EXPECT_EQ(up.code, kDivergence) << up.err;
    return up.err;
  };
  EXPECT_THAT(refused("https://Example.org:443/x%7e"),
              HasSubstr("sqitch.plan has no change of that id"));
  EXPECT_THAT(refused("https://example.org/other"), HasSubstr("sqitch would refuse it"));
}

// ---- Alembic -----------------------------------------------------------------------------------

class AlembicTool : public Shared {
 protected:
  AlembicTool() {
    Configure("alembic", "printed = [\"" + Path("up.sql").filename().string() + "\"]\n");
    std::ofstream(Config()) << fmt::format(
        "[migrations]\ndir = \"{0}/versions\"\nprinted = [\"{0}/up.sql\", "
        "\"{0}/down.sql\"]\nhistory.writeback = true\n",
        fs::path(directory_).filename().string());
    Write("alembic.ini", fmt::format("[alembic]\nscript_location = {}\n", directory_));
    Write("env.py", R"(import os
import psycopg2
from alembic import context
from sqlalchemy import create_engine
if context.is_offline_mode():
    context.configure(dialect_name='postgresql', literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine('postgresql://', creator=lambda: psycopg2.connect(os.environ['TEST_DSN']))
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
)");
    WriteRevision("a1", "None", "None", "op.execute('CREATE TABLE public.t (a int)')",
                  "op.execute('DROP TABLE public.t')");
    WriteRevision("b1", "'a1'", "None", "op.execute('ALTER TABLE public.t ADD b int')",
                  "op.execute('ALTER TABLE public.t DROP b')");
    WriteRevision("b2", "'a1'", "None", "op.execute('CREATE TABLE public.u (a int)')",
                  "op.execute('DROP TABLE public.u')");
    WriteRevision("m1", "('b1', 'b2')", "None", "pass", "pass");
    WriteRevision("x1", "None", "'m1'", "op.execute('CREATE TABLE public.x (a int)')",
                  "op.execute('DROP TABLE public.x')");
    Print();
  }
  void WriteRevision(const std::string& id, const std::string& down, const std::string& depends,
                     const std::string& up_body, const std::string& down_body) const {
    Write("versions/" + id + ".py",
          fmt::format("\"\"\"step {0}\"\"\"\nfrom alembic import op\nrevision = '{0}'\n"
                      "down_revision = {1}\nbranch_labels = None\ndepends_on = {2}\n"
                      "def upgrade():\n    {3}\ndef downgrade():\n    {4}\n",
                      id, down, depends, up_body, down_body));
  }
  void Print() const {
    const Ran up = Tool({"upgrade", "base:heads", "--sql"});
    ASSERT_EQ(up.code, 0) << up.err;
    Write("up.sql", up.out);
    const Ran down = Tool({"downgrade", "x1:base", "--sql"});
    ASSERT_EQ(down.code, 0) << down.err;
    Write("down.sql", down.out);
  }
  [[nodiscard]] Ran Tool(const Words& arguments) const {
    Words words{"-c", Path("alembic.ini")};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return Program("/usr/bin/alembic", words,
                   {"TEST_DSN=" + database_.conninfo(), "PYTHONDONTWRITEBYTECODE=1"})
        .Wait(kLimit);
  }
  [[nodiscard]] std::string TextOf(const std::string& name) const {
    std::ifstream file(Path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::string Rows() const {
    return Ask(
        "SELECT coalesce(string_agg(version_num, ',' ORDER BY version_num), '') FROM "
        "public.alembic_version");
  }
};

// After each step the table holds what Alembic itself leaves there.
TEST_F(AlembicTool, IsWhereAlembicWouldBeAfterEachStep) {
  // In the order in which they were printed: that of b1 and b2 is Alembic's own.
  std::vector<std::string> order;
  std::istringstream lines(TextOf("up.sql"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("-- Running upgrade")) order.push_back(line.substr(line.find("-> ") + 3));
  ASSERT_EQ(order.size(), 5U);
  std::vector<std::string> theirs;
  for (const std::string& to : order) {
    const Ran up = Tool({"upgrade", to});
    ASSERT_EQ(up.code, 0) << up.err;
    theirs.push_back(Rows());
  }
  ASSERT_EQ(Tool({"downgrade", "base"}).code, 0);
  EXPECT_EQ(Rows(), "");
  for (const std::string& rows : theirs) {
    Succeeds({"up", "--count", "1", "--yes"});
    EXPECT_EQ(Rows(), rows);
  }
  EXPECT_THAT(Tool({"current"}).out, HasSubstr("x1"));
  const Ran up = Tool({"upgrade", "heads"});
  EXPECT_EQ(up.code, 0) << up.err;
  EXPECT_THAT(up.err, Not(HasSubstr("Running upgrade")));
  theirs.insert(theirs.begin(), "");
  theirs.pop_back();
  for (auto rows = theirs.rbegin(); rows != theirs.rend(); ++rows) {
    Succeeds({"down", "--yes"});
    EXPECT_EQ(Rows(), *rows);
  }
}

// The other branch first than the one that is printed first.
TEST_F(AlembicTool, BranchesComeInAnyOrder) {
  for (const std::string& first : {std::string("b1"), std::string("b2")}) {
    const std::string second = first == "b1" ? "b2" : "b1";
    ASSERT_EQ(Tool({"upgrade", first}).code, 0);
    EXPECT_EQ(Pgalter({"status", "--pending"}).code, kPending);
    Succeeds({"up", "--to", second, "--yes"});
    EXPECT_EQ(Rows(), "b1,b2");
    Succeeds({"down", "--yes"});
    EXPECT_EQ(Rows(), first);
    ASSERT_EQ(Tool({"upgrade", "heads"}).code, 0);
    EXPECT_EQ(Pgalter({"status", "--pending"}).code, kDone);
    ASSERT_EQ(Tool({"downgrade", "base"}).code, 0);
  }
}

TEST_F(AlembicTool, AndWeTakeTurns) {
  ASSERT_EQ(Tool({"upgrade", "b1"}).code, 0);
  Succeeds({"up", "--yes"});
  EXPECT_THAT(Tool({"current"}).out, HasSubstr("x1"));
  ASSERT_EQ(Tool({"downgrade", "-1"}).code, 0);
  const Ran status = Pgalter({"status", "--pending"});
  EXPECT_EQ(status.code, kPending) << status.out << status.err;
  Succeeds({"up", "--yes"});
  Succeeds({"down", "--yes"});
  const Ran down = Tool({"downgrade", "base"});
  EXPECT_EQ(down.code, 0) << down.err;
  EXPECT_EQ(Rows(), "");
  ASSERT_EQ(Tool({"upgrade", "heads"}).code, 0);
  EXPECT_EQ(Pgalter({"status", "--pending"}).code, kDone);
}

TEST_F(AlembicTool, StartedAtOnceEachRevisionIsAppliedOnce) {
  for (int round = 0; round < 3; ++round) {
    Program ours(PGALTER_BINARY, Ours({"up", "--yes"}));
    const Ran they = Tool({"upgrade", "heads"});
    const Ran we = ours.Wait(kLimit);
    EXPECT_TRUE(we.code == kDone || they.code == 0) << we.err << they.err;
    Succeeds({"up", "--yes"});
    EXPECT_EQ(Tool({"upgrade", "heads"}).code, 0);
    EXPECT_THAT(Tool({"current"}).out, HasSubstr("x1"));
    ASSERT_EQ(Tool({"downgrade", "base"}).code, 0);
  }
}

// ---- the others --------------------------------------------------------------------------------

class ReadOnly : public Shared, public ::testing::WithParamInterface<const char*> {};

TEST_P(ReadOnly, IsRefusedBeforeAnythingIsDone) {
  Configure(GetParam());
  const std::string name = std::string(GetParam()) == "golang-migrate" ? "1_t.up.sql"
                           : std::string(GetParam()) == "flyway"       ? "V1__t.sql"
                                                                       : "001_t.sql";
  Write(name,
        "-- +goose Up\n--liquibase formatted sql\n--changeset me:1\nCREATE TABLE public.t (a "
        "int);\n");
  for (const Words& command :
       {Words{"up", "--yes"}, Words{"down", "--yes"}, Words{"status", "--pending"}}) {
    const Ran ran = Pgalter(command);
    EXPECT_EQ(ran.code, kRefused) << ran.out << ran.err;
    EXPECT_THAT(ran.err, AllOf(HasSubstr("history.writeback"), HasSubstr("is read by pgalter and "
                                                                         "never written")));
  }
  EXPECT_EQ(Ask("SELECT to_regclass('public.t') IS NULL"), "t");
  EXPECT_EQ(Ask("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

INSTANTIATE_TEST_SUITE_P(Tools, ReadOnly,
                         ::testing::Values("flyway", "liquibase", "goose", "golang-migrate",
                                           "atlas", "plain"),
                         [](const ::testing::TestParamInfo<const char*>& tool) {
                           std::string name = tool.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace pgalter::test
