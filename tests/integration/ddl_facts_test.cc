// EffectsOf against the server at hand: every form of ddl_forms.def is run, and what it locked,
// wrote anew, read or was refused for is compared with what was said before.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <ostream>
#include <thread>
#include <vector>

#include "engine/trace/difference.h"
#include "engine/trace/probe.h"
#include "planner/sql/newer_syntax.h"
#include "planner/sql/script.h"
#include "tests/support/pg_connection.h"

namespace pgalter::test {
namespace {

using locks::Effects;

constexpr std::chrono::seconds kLimit{60};
constexpr const char* kSyntaxError = "42601";
constexpr const char* kActiveTransaction = "25001";

struct DdlForm {
  std::string name;
  std::string setup;
  std::string statement;
};

void PrintTo(const DdlForm& form, std::ostream* out) { *out << form.statement; }

const std::vector<DdlForm>& Forms() {
  static const std::vector<DdlForm> forms = {
#define PGALTER_DDL_FORM(name, setup, statement) {#name, setup, statement},
#include "tests/integration/ddl_forms.def"
#undef PGALTER_DDL_FORM
  };
  return forms;
}

constexpr const char* kBase = R"(
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE parent (id bigint PRIMARY KEY, tx text);
CREATE TABLE t (id bigint PRIMARY KEY, i int, bi bigint, si smallint, v varchar, v50 varchar(50),
  tx text, c10 char(10), n numeric(10,2), nn numeric, ts timestamp, tstz timestamptz,
  ts3 timestamp(3), tm3 time(3), iv3 interval(3), d date, cd cidr, ip inet, vb varbit(8),
  bt bit(8), j json, jb jsonb, r4 real, e mood, ar int[], nnull int NOT NULL, pid bigint);
CREATE INDEX t_i_idx ON t (i);
CREATE INDEX t_n_idx ON t (n);
CREATE INDEX t_ts_idx ON t (ts);
CREATE INDEX t_tx_idx ON t (tx);
CREATE INDEX t_v50_idx ON t (v50);
INSERT INTO parent SELECT g, g FROM generate_series(1, 50) g;
INSERT INTO t (id, i, bi, v50, tx, n, ts, nnull, pid, ar, j)
  SELECT g, g, g, g, g, g, now(), g, g, ARRAY[g], '{}' FROM generate_series(1, 50) g;
)";

// One database for all; its tables are made anew before a form that finds others.
class DdlFacts : public ::testing::TestWithParam<DdlForm> {
 protected:
  static const FreshDatabase& Database() {
    static const FreshDatabase database;
    return database;
  }

  static void SetUpTestSuite() {
    Session session = Database().Connect();
    try {
      session.Exec("SET allow_in_place_tablespaces = on");
      session.Exec("CREATE TABLESPACE ts_probe LOCATION ''");
    } catch (const SqlError&) {
      // A server too old for it refuses the forms that need it.
    }
  }

  static int Version() {
    static const int version = std::stoi(Database().Value("SHOW server_version_num")) / 10000;
    return version;
  }

  // The base as it was, and the setup on it. Throws what the server says against the setup.
  static void Prepare(const std::string& setup) {
    static bool used = true;
    Session session = Database().Connect();
    session.Exec("SET client_min_messages = error; SET timezone = 'UTC'");
    if (used || !setup.empty()) {
      session.Exec(
          "DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS probe2 CASCADE;"
          "DROP PUBLICATION IF EXISTS pb; CREATE SCHEMA public");
      session.Exec(kBase);
    }
    if (!setup.empty()) session.Exec(setup);
    used = !setup.empty();
    leave_used_ = &used;
  }
  static void LeaveUsed() { *leave_used_ = true; }

 private:
  static inline bool* leave_used_ = nullptr;
};

std::optional<sql::ast::Statement> Read(const std::string& text) {
  auto statement = sql::ast::ReadStatement(text);
  if (statement.has_value()) return std::move(statement).value();
  auto newer = sql::RecogniseNewer(text);
  if (!newer) return std::nullopt;
  return std::move(newer->statement);
}

catalog::Schema SchemaAfter(const std::string& script) {
  catalog::Schema schema;
  for (const sql::Piece& piece : sql::SplitScript(script))
    if (const auto statement = Read(piece.sql)) schema.Apply(*statement);
  schema.SetComplete();
  return schema;
}

std::string FirstTable(const Effects& effects, const catalog::Schema& schema) {
  for (const locks::Lock& lock : effects.locks) {
    const catalog::Table* table = schema.FindTable(lock.relation);
    if (!lock.index && table != nullptr) return sql::ToString(table->name);
  }
  return {};
}

trace::Observed Observe(const FreshDatabase& database, const std::string& statement) {
  auto observing = [&]() -> Task<trace::Observed> {
    pg::Connection connection = co_await Open(database);
    trace::Observed observed = co_await trace::ObserveRolledBack(connection, statement);
    co_return observed;
  };
  return RunTask(observing());
}

trace::Observed ObserveAlone(const FreshDatabase& database, const std::string& statement,
                             const std::string& table) {
  auto observing = [&]() -> Task<trace::Observed> {
    pg::Connection runner = co_await Open(database);
    pg::Connection blocker = co_await Open(database);
    pg::Connection observer = co_await Open(database);
    const trace::Watchers watchers{blocker, observer};
    trace::Observed observed = co_await trace::ObserveAlone(runner, statement, table, watchers);
    co_return observed;
  };
  return RunTask(observing());
}

// The SQLSTATE of the statement inside a transaction; empty: it went through. Rolled back.
std::string ErrorInTransaction(const FreshDatabase& database, const std::string& statement) {
  Session session = database.Connect();
  session.Exec("BEGIN");
  try {
    session.Exec(statement);
  } catch (const SqlError& error) {
    return error.sqlstate();
  }
  return {};
}

void ExpectNoDifference(const Effects& effects, const trace::Observed& observed,
                        const catalog::Schema& schema) {
  for (const std::string& difference :
       trace::Differences(effects, observed, schema, trace::Strictness::kExact))
    ADD_FAILURE() << difference;
}

TEST_P(DdlFacts, AreAsTheServerHasThem) {
  const DdlForm& form = GetParam();
  try {
    Prepare(form.setup);
  } catch (const SqlError& error) {
    LeaveUsed();
    GTEST_SKIP() << "this version refuses the setup: " << error.what();
  }
  const auto statement = Read(form.statement);
  if (!statement) {
    GTEST_SKIP() << "not read";
  }
  const catalog::Schema schema = SchemaAfter(std::string(kBase) + form.setup);
  const Effects effects = locks::EffectsOf(*statement, schema, Version());
  if (effects.outside_transaction) {
    const std::string state = ErrorInTransaction(Database(), form.statement);
    if (state != kSyntaxError) {
      EXPECT_EQ(state, kActiveTransaction);
    }
    const std::string table = FirstTable(effects, schema);
    if (table.empty() || state != kActiveTransaction) return;
    LeaveUsed();
    const trace::Observed observed = ObserveAlone(Database(), form.statement, table);
    if (observed.sqlstate.empty()) {
      EXPECT_FALSE(observed.waited.empty());
    }
    ExpectNoDifference(effects, observed, schema);
    return;
  }
  ExpectNoDifference(effects, Observe(Database(), form.statement), schema);
}

INSTANTIATE_TEST_SUITE_P(Forms, DdlFacts, ::testing::ValuesIn(Forms()),
                         [](const auto& form) { return form.param.name; });

// Held for a moment that no look from outside is sure to meet: until one who writes is through.
TEST(DdlFactsOfPartitions, ReindexConcurrentlyLocksAllOfThemAgainstWriters) {
  const FreshDatabase database;
  database.Sql(
      "CREATE TABLE pt (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF "
      "pt FOR VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF pt FOR VALUES FROM (100) TO "
      "(200)");
  const auto waits = [&](const char* statement, const char* part) {
    Session writer = database.Connect();
    writer.Exec("BEGIN; DELETE FROM p2");
    std::jthread other([&] { database.Connect().Exec(statement); });
    const std::string locks =
        "SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock' AND relation::regclass::text";
    EXPECT_NO_THROW(
        database.AwaitValue(fmt::format("{} = 'p2{}' AND NOT granted", locks, part), "1", kLimit));
    EXPECT_EQ(database.Value(fmt::format("{} = 'p1{}' AND granted", locks, part)), "1");
    writer.Exec("COMMIT");
  };
  waits("REINDEX TABLE CONCURRENTLY pt", "");
  waits("REINDEX INDEX CONCURRENTLY pt_pkey", "_pkey");
}

}  // namespace
}  // namespace pgalter::test
