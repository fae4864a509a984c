// What a trace sees of a script on a real server, and the rows that it makes up before.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/catalog/read_schema.h"
#include "engine/trace/fill.h"
#include "engine/trace/load_dump.h"
#include "engine/trace/made_up.h"
#include "engine/trace/needed.h"
#include "engine/trace/trace_script.h"
#include "tests/support/pg_connection.h"
#include "tests/support/program.h"

namespace pgalter::trace {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using locks::LockMode;
using test::FreshDatabase;
using test::Program;
using test::Ran;
using test::RunTask;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// ---- made-up rows
// --------------------------------------------------------------------------------

TEST(MadeUp, ReadsLiteralsAndColumnsOfAnExpression) {
  const Literals literals = LiteralsIn("(a >= 10) AND (b = 'it''s'::text) AND (\"c3\" < 2.5)");
  EXPECT_THAT(literals.numbers, ElementsAre("10", "2.5"));
  EXPECT_THAT(literals.strings, ElementsAre("it's"));
  EXPECT_TRUE(Mentions("(amount > 0)", "amount"));
  EXPECT_FALSE(Mentions("(amounts > 0)", "amount"));
  EXPECT_TRUE(Mentions("(\"Order\" > 0)", "Order"));
  EXPECT_FALSE(Mentions("(\"Order\" > 0)", "order"));
}

TEST(MadeUp, SaysWhichColumnItCannotFill) {
  MadeTable table;
  table.name = "t";
  MadeColumn column;
  column.name = "shape";
  column.type = column.base = "app.shape";
  column.kind = 'c';
  column.nullable = false;
  table.columns.push_back(column);
  EXPECT_THAT(InsertInto(table, 10).unfilled, ElementsAre("shape"));
  table.columns[0].nullable = true;
  EXPECT_THAT(InsertInto(table, 10).unfilled, IsEmpty());
}

std::vector<Filled> Fill(const FreshDatabase& db, const std::vector<std::string>& tables,
                         std::int64_t rows = 50) {
  auto filling = [&]() -> Task<std::vector<Filled>> {
    pg::Connection connection = co_await test::Open(db);
    std::vector<Filled> filled = co_await FillTables(connection, tables, rows);
    co_return filled;
  };
  return RunTask(filling());
}

std::string ProblemOf(const std::vector<Filled>& filled, const std::string& table) {
  for (const Filled& each : filled)
    if (each.table == table) return each.problem;
  return "not filled";
}

TEST(FillTables, KnowsTheTypesThatPeopleUse) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN age AS int CHECK (VALUE > 17);"
      "CREATE TABLE t (a smallint NOT NULL, b int NOT NULL, c bigint NOT NULL, d numeric(6,2) NOT "
      "NULL, e real NOT NULL, f varchar(3) NOT NULL, g char(5) NOT NULL, h text NOT NULL, i date "
      "NOT NULL, j timestamptz NOT NULL, k time NOT NULL, l interval NOT NULL, m uuid NOT NULL, n "
      "jsonb NOT NULL, o bytea NOT NULL, p inet NOT NULL, q bit(4) NOT NULL, r varbit(8) NOT NULL, "
      "s int[] NOT NULL, u varchar(4)[] NOT NULL, v mood NOT NULL, w age NOT NULL, x int4range NOT "
      "NULL, y tsvector NOT NULL, z point NOT NULL, aa boolean NOT NULL, ab mood[] NOT NULL, ac "
      "money NOT NULL, ad macaddr NOT NULL, ae cidr NOT NULL, af timestamp(0) NOT NULL, ah "
      "\"char\" NOT NULL, ai numeric NOT NULL, aj serial, ak int GENERATED ALWAYS AS "
      "IDENTITY, al int GENERATED ALWAYS AS (b + 1) STORED)");
  const auto filled = Fill(db, {"t"});
  EXPECT_EQ(ProblemOf(filled, "public.t"), "");
  EXPECT_EQ(db.Value("SELECT count(*) FROM t"), "50");
}

TEST(FillTables, FindsValuesThatChecksAndKeysLetIn) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TABLE t (id int PRIMARY KEY CHECK (id > 0), state text NOT NULL CHECK (state IN "
      "('new', 'paid')), price numeric NOT NULL CHECK (price BETWEEN 10 AND 20), email text UNIQUE "
      "CHECK (email LIKE '%@%.%'), code char(2) NOT NULL CHECK (length(code) = 2), first date NOT "
      "NULL, last date NOT NULL, CHECK (first <= last), since date NOT NULL CHECK (since >= "
      "'2024-06-01'))");
  const auto filled = Fill(db, {"t"}, 8);
  EXPECT_EQ(ProblemOf(filled, "public.t"), "");
  EXPECT_EQ(db.Value("SELECT count(*) FROM t"), "8");
}

TEST(FillTables, FillsReferencedTablesFirst) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TABLE country (code char(2) PRIMARY KEY);"
      "CREATE TABLE customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, country char(2) "
      "NOT NULL REFERENCES country);"
      "CREATE TABLE \"Order\" (id serial PRIMARY KEY, customer bigint NOT NULL REFERENCES "
      "customer, "
      "previous int REFERENCES \"Order\")");
  const auto filled = Fill(db, {"\"Order\""});
  for (const Filled& each : filled) EXPECT_EQ(each.problem, "") << each.table;
  EXPECT_EQ(filled.size(), 3U);
  EXPECT_EQ(db.Value("SELECT count(DISTINCT customer) FROM \"Order\""), "50");
}

TEST(FillTables, FillsEveryPartition) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TABLE r (d date NOT NULL, v int) PARTITION BY RANGE (d);"
      "CREATE TABLE r1 PARTITION OF r FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');"
      "CREATE TABLE r2 PARTITION OF r FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');"
      "CREATE TABLE l (k text, v int) PARTITION BY LIST (k);"
      "CREATE TABLE l1 PARTITION OF l FOR VALUES IN ('de', 'at');"
      "CREATE TABLE l2 PARTITION OF l DEFAULT;"
      "CREATE TABLE i (id bigint PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE i1 PARTITION OF i FOR VALUES FROM (1) TO (1000);"
      "CREATE TABLE i2 PARTITION OF i FOR VALUES FROM (1000) TO (2000)");
  for (const Filled& each : Fill(db, {"r", "l", "i"})) EXPECT_EQ(each.problem, "") << each.table;
  for (const char* const leaf : {"r1", "r2", "l1", "l2", "i1", "i2"})
    EXPECT_EQ(db.Value(fmt::format("SELECT count(*) FROM {}", leaf)), "25") << leaf;
}

TEST(FillTables, SaysWhatItCannotDo) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TABLE impossible (a int NOT NULL, b int NOT NULL, CHECK (a < b AND b < a));"
      "CREATE TYPE pair AS (x int); CREATE TABLE odd (p pair NOT NULL);"
      "CREATE TABLE full_already (a int); INSERT INTO full_already VALUES (7)");
  const auto filled = Fill(db, {"impossible", "odd", "full_already"});
  EXPECT_THAT(ProblemOf(filled, "public.impossible"), HasSubstr("0 of 50"));
  EXPECT_THAT(ProblemOf(filled, "public.odd"), HasSubstr("no value is known for p"));
  EXPECT_EQ(db.Value("SELECT count(*) FROM full_already"), "1");
}

TEST(FillTables, LeavesOutTriggersThatRefuse) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TABLE t (a int);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';"
      "CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()");
  EXPECT_EQ(ProblemOf(Fill(db, {"t"}), "public.t"), "");
}

// ---- traces
// --------------------------------------------------------------------------------------

std::vector<Traced> Trace(const FreshDatabase& db, const std::string& sql,
                          bool in_transaction = false) {
  auto tracing = [&]() -> Task<std::vector<Traced>> {
    guard::SessionOptions options;
    options.connect = test::ConnectTo(db.conninfo());
    guard::Session reading = co_await guard::Session::Open(options);
    catalog::Schema schema = co_await live::ReadSchema(reading);
    pg::Connection script = co_await test::Open(db);
    pg::Connection blocker = co_await test::Open(db);
    pg::Connection observer = co_await test::Open(db);
    const auto tables = TablesTouched(sql, schema, script.server_version() / 10000);
    co_await FillTables(observer, tables, 100);
    Script text;
    text.text = sql;
    text.parts.push_back({{0, sql.size()}, in_transaction});
    const Watchers watchers{blocker, observer};
    const TraceSessions sessions{script, watchers};
    std::vector<Traced> traced = co_await TraceScript(sessions, std::move(text), std::move(schema));
    co_return traced;
  };
  return RunTask(tracing());
}

LockMode Strongest(const Traced& traced, const std::string& table) {
  const auto found = traced.seen.table_locks.find(table);
  return found == traced.seen.table_locks.end() ? LockMode::kAccessShare : *found->second.rbegin();
}

TEST(TraceScriptTest, SeesLocksRewritesAndScans) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int PRIMARY KEY, i int)");
  const auto traced = Trace(db,
                            "ALTER TABLE t ALTER i TYPE bigint;\n"
                            "CREATE INDEX t_i ON t (i);\n"
                            "ALTER TABLE t ADD c int;\n"
                            "CREATE INDEX CONCURRENTLY t_i2 ON t (i)");
  ASSERT_EQ(traced.size(), 4U);
  for (const Traced& each : traced) {
    EXPECT_EQ(each.end, End::kDone) << each.sql << each.seen.message;
    EXPECT_THAT(each.differences, IsEmpty()) << each.sql;
  }
  EXPECT_THAT(traced[0].seen.rewritten, ElementsAre("public.t"));
  EXPECT_EQ(Strongest(traced[0], "public.t"), LockMode::kAccessExclusive);
  EXPECT_THAT(traced[1].seen.rewritten, IsEmpty());
  EXPECT_THAT(traced[1].seen.scanned, ElementsAre("public.t"));
  EXPECT_EQ(Strongest(traced[1], "public.t"), LockMode::kShare);
  EXPECT_THAT(traced[2].seen.scanned, IsEmpty());
  EXPECT_EQ(traced[3].place, Place::kOutside);
  EXPECT_EQ(Strongest(traced[3], "public.t"), LockMode::kShareUpdateExclusive);
  EXPECT_EQ(db.Value("SELECT count(*) FROM pg_indexes WHERE tablename = 't'"), "3");
}

TEST(TraceScriptTest, KeepsTheTransactionsOfTheScript) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int); CREATE TABLE u (id int)");
  const auto traced = Trace(db,
                            "BEGIN; ALTER TABLE t ADD a int; ALTER TABLE t ADD b int;"
                            " ALTER TABLE u ADD a int; COMMIT; ALTER TABLE u ADD b int");
  ASSERT_EQ(traced.size(), 6U);
  EXPECT_EQ(traced[1].place, Place::kScriptTransaction);
  EXPECT_THAT(traced[2].seen.table_locks, IsEmpty()) << "it has the lock already";
  EXPECT_THAT(traced[2].differences, IsEmpty());
  EXPECT_TRUE(traced[3].seen.held.contains("public.t"));
  EXPECT_EQ(traced[5].place, Place::kOwnTransaction);
  EXPECT_FALSE(traced[5].seen.held.contains("public.t"));
}

TEST(TraceScriptTest, AToolsTransactionIsOne) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int)");
  const auto traced =
      Trace(db, "ALTER TABLE t ADD a int; CREATE INDEX CONCURRENTLY ON t (a)", true);
  ASSERT_EQ(traced.size(), 2U);
  EXPECT_EQ(traced[1].end, End::kFailed);
  EXPECT_EQ(traced[1].seen.sqlstate, "25001");
  EXPECT_EQ(db.Value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname "
                     "= 'a'"),
            "0");
}

TEST(TraceScriptTest, EndsWithTheFirstFailure) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int)");
  const auto traced = Trace(db, "ALTER TABLE nowhere ADD a int; ALTER TABLE t ADD a int");
  ASSERT_EQ(traced.size(), 2U);
  EXPECT_EQ(traced[0].seen.sqlstate, "42P01");
  EXPECT_EQ(traced[1].end, End::kNotRun);
}

TEST(TraceScriptTest, ADeferredConstraintFailsItsStatement) {
  const FreshDatabase db;
  db.Sql(
      "CREATE TABLE p (id int PRIMARY KEY);"
      "CREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
  const auto traced = Trace(db, "INSERT INTO c VALUES (-5)");
  EXPECT_EQ(traced.at(0).end, End::kFailed);
  EXPECT_EQ(traced.at(0).seen.sqlstate, "23503");
}

TEST(TraceScriptTest, MarksWhatThePlannerDidNotSay) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int)");
  const auto traced = Trace(db, "DO $$ BEGIN ALTER TABLE t ALTER id TYPE bigint; END $$");
  EXPECT_THAT(traced.at(0).differences,
              Contains(HasSubstr("ACCESS EXCLUSIVE on public.t: nothing was said of it")));
  EXPECT_THAT(traced.at(0).differences, Contains(HasSubstr("was written anew")));
}

TEST(TraceScriptTest, FeedsTheRowsOfCopy) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (id int, x text)");
  const auto traced = Trace(db, "COPY t FROM stdin;\n-1\ta\n-2\tb\n\\.\nSELECT 1;\n");
  ASSERT_EQ(traced.size(), 2U);
  EXPECT_EQ(traced[0].end, End::kDone) << traced[0].seen.message;
  EXPECT_EQ(db.Value("SELECT count(*) FROM t WHERE id < 0"), "2");
}

TEST(LoadDumpTest, MakesMissingRolesAndGoesOnAfterAFailure) {
  const FreshDatabase db;
  const std::string dump = fmt::format(
      "SELECT pg_catalog.set_config('search_path', '', false);\n\\restrict x\n"
      "CREATE TABLE public.t (id int);\nALTER TABLE public.t OWNER TO role_of_{0};\n"
      "CREATE EXTENSION not_there;\nCOPY public.t (id) FROM stdin;\n1\n2\n\\.\n"
      "CREATE TABLE public.u (id int);\n",
      db.name());
  auto loading = [&]() -> Task<Loaded> {
    pg::Connection connection = co_await test::Open(db);
    Loaded loaded = co_await LoadDump(connection, dump);
    co_return loaded;
  };
  const Loaded loaded = RunTask(loading());
  EXPECT_THAT(loaded.roles, ElementsAre("role_of_" + db.name()));
  EXPECT_EQ(loaded.failures.size(), 1U) << ::testing::PrintToString(loaded.failures);
  EXPECT_EQ(db.Value("SELECT count(*) FROM t"), "2");
  EXPECT_EQ(db.Value("SELECT to_regclass('u') IS NOT NULL"), "t");
  db.Sql("DROP TABLE t");
  db.Sql("DROP ROLE role_of_" + db.name());
}

// ---- the program
// ---------------------------------------------------------------------------------

class TraceProgram : public ::testing::Test {
 protected:
  TraceProgram() {
    std::string folder = fs::temp_directory_path() / "pgalter-trace-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    const fs::path file = folder_ / name;
    std::ofstream(file) << text;
    return file.string();
  }
  static Ran Run(const test::Words& arguments) { return Program(PGALTER_BINARY, arguments).Wait(); }
  // Whether it is what the schema says; nullopt: the judge cannot be had.
  std::optional<bool> IsValid(const std::string& schema, const std::string& text) {
    const std::string command =
        fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/{1}' '{2}'", PGALTER_SOURCE_DIR,
                    schema, Write("judged.json", text));
    constexpr int kSkipped = 77;
    const int status = std::system(command.c_str());
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == kSkipped) return std::nullopt;
    return code == 0;
  }

 private:
  fs::path folder_;
};

TEST_F(TraceProgram, RunsAFileOnASandboxWithRows) {
  const std::string schema = Write("schema.sql",
                                   "CREATE TABLE public.orders (id bigint PRIMARY KEY, state text "
                                   "NOT NULL CHECK (state IN ('new', 'paid')));");
  const std::string file =
      Write("1.sql", "ALTER TABLE orders ADD note text;\nCREATE INDEX ON orders (state);\n");
  const Ran text = Run({"trace", file, "--schema", schema, "--rows", "200"});
  EXPECT_EQ(text.code, 0) << text.out << text.err;
  EXPECT_THAT(text.out, HasSubstr("ACCESS EXCLUSIVE on public.orders: reads and writes wait"));
  EXPECT_THAT(text.out, HasSubstr("SHARE on public.orders: writes wait"));
  EXPECT_THAT(text.out, HasSubstr("create-index-non-concurrent"));
  EXPECT_THAT(text.out, HasSubstr("public.orders  200"));
  EXPECT_THAT(text.out, HasSubstr("plan      would run it as it is"));
  EXPECT_THAT(text.out, HasSubstr("plan      would rewrite it: create-index"));
  const Ran ran = Run({"rehearse", "--locks", file, "--schema", schema, "--output", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const json::value report = json::parse(ran.out);
  EXPECT_EQ(report.at_pointer("/statements/0/plan/answer").as_string(), "as-is");
  EXPECT_EQ(report.at_pointer("/statements/1/plan/recipe").as_string(), "create-index");
  EXPECT_EQ(report.at_pointer("/rows/0/rows").as_int64(), 1000);
  EXPECT_EQ(report.at_pointer("/statements/1/line").as_int64(), 2);
  if (const auto valid = IsValid("trace.json", ran.out)) {
    EXPECT_TRUE(*valid);
  }
}

TEST_F(TraceProgram, FailsWhereAStatementFailsOrDiffers) {
  EXPECT_EQ(Run({"trace", "--sql", "ALTER TABLE nowhere ADD a int"}).code, 1);
  const Ran differs =
      Run({"trace", "--sql",
           "CREATE TABLE t (a int); DO $$ BEGIN ALTER TABLE t ALTER a TYPE bigint; END $$"});
  EXPECT_EQ(differs.code, 3) << differs.out << differs.err;
  EXPECT_THAT(differs.out, HasSubstr("DIFFERS"));
}

TEST_F(TraceProgram, LeavesADatabaseAloneThatNobodyCalledDisposable) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (a int)");
  const test::Words words = {"trace", "--sql", "ALTER TABLE t ADD b int", "--dsn", db.conninfo()};
  EXPECT_EQ(Run(words).code, 4);
  EXPECT_EQ(db.Value("SELECT count(*) FROM t"), "0");
  test::Words disposable = words;
  disposable.emplace_back("--disposable");
  const Ran ran = Run(disposable);
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(db.Value("SELECT count(*) FROM t WHERE b IS NULL"), "1000");
}

TEST_F(TraceProgram, CheckReadsTheSameServerAndChangesNothing) {
  const FreshDatabase db;
  db.Sql("CREATE TABLE t (a int)");
  const Ran note = Run({"check", "t", "--for", "ALTER TABLE t ADD b int", "--fail-on", "note",
                        "--dsn", db.conninfo()});
  EXPECT_EQ(note.code, 3) << note.out << note.err;
  EXPECT_THAT(note.out, HasSubstr("takes ACCESS EXCLUSIVE"));
  const Ran ran = Run({"check", "--for", "ALTER TABLE t ALTER a TYPE bigint", "--output", "json",
                       "--dsn", db.conninfo()});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  const json::value report = json::parse(ran.out);
  EXPECT_EQ(report.at_pointer("/tables/0/table").as_string(), "public.t");
  EXPECT_TRUE(report.at_pointer("/tables/0/table_rewrite").as_bool());
  if (const auto valid = IsValid("check.json", ran.out)) {
    EXPECT_TRUE(*valid);
  }
  EXPECT_EQ(Run({"check", "nowhere", "--dsn", db.conninfo()}).code, 2);
  db.Sql("CREATE PUBLICATION everything FOR ALL TABLES");
  EXPECT_EQ(Run({"check", "--dsn", db.conninfo()}).code, 4);
  EXPECT_EQ(db.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

}  // namespace
}  // namespace pgalter::trace
