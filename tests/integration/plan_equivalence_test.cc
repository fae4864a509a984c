// What a plan leaves is what the plain statement leaves: for each case of tests/plan the statement
// is run in one database, the plan's SQL step by step in another, and dumps and rows are compared.
// What each step says of locks, rewrites and scans is compared with what the server does, and what
// the plan says of the way back with the dump before.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "planner/plan/planner.h"
#include "planner/plan/render/format.h"
#include "tests/integration/plan_pairs.h"
#include "tests/integration/plan_probe.h"
#include "tests/support/live_schema.h"
#include "tests/support/plan_case.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/schema_difference.h"
#include "tests/support/schema_text.h"

namespace pgalter::plan {
namespace {

using test::FreshDatabase;
using test::LiveSchema;
using test::Observed;
using test::PlanCase;

int Major(const FreshDatabase& database) {
  return std::stoi(database.Value("SHOW server_version_num")) / 10000;
}

std::string Dump(const FreshDatabase& database) { return test::SchemaText(database); }

// Without comments, blank lines and pg_dump's key; columns of a table in the order of their names
// where the case says that order is not kept.
std::string Normalised(const std::string& dump, const PlanCase& test_case) {
  std::istringstream lines(dump);
  std::string result;
  std::vector<std::string> columns;
  bool in_table = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with("--") || line.starts_with("\\")) continue;
    if (test_case.Has("column-order") && line.starts_with("CREATE TABLE")) in_table = true;
    if (in_table && line.starts_with("    ")) {
      if (line.ends_with(",")) line.pop_back();
      columns.push_back(line);
      continue;
    }
    if (in_table && line.starts_with(")")) {
      std::ranges::sort(columns);
      for (const std::string& column : columns) result += column + '\n';
      columns.clear();
      in_table = false;
    }
    result += line + '\n';
  }
  return result;
}

// The rows of every table, in an order of their own.
std::string Rows(const FreshDatabase& database) {
  std::string result;
  for (const auto& table : database.Sql(
           "SELECT c.oid::regclass::text, string_agg(quote_ident(a.attname), ', ' ORDER BY "
           "a.attname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
           "AND NOT a.attisdropped WHERE c.relkind IN ('r', 'm') AND c.relnamespace NOT IN "
           "('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND "
           "c.relispopulated GROUP BY 1 ORDER BY 1")) {
    result += table[0] + ": " +
              database.Value("SELECT string_agg(r, ' ' ORDER BY r) FROM (SELECT ROW(" + table[1] +
                             ")::text AS r FROM " + table[0] + ") x") +
              '\n';
  }
  return result;
}

Plan PlanOf(const FreshDatabase& database, const std::string& statement) {
  PlanOptions options;
  options.knowledge = Knowledge::kLive;
  options.server_version = Major(database);
  return MakePlan(statement, LiveSchema(database.conninfo()).Read(), options);
}

using Modes = std::map<std::string, std::string>;  // by relation

// What two users cannot both have: SELECT and the like are left out.
void Note(const std::string& relation, locks::LockMode mode, Modes& modes) {
  if (mode >= locks::LockMode::kShareUpdateExclusive) modes[relation] = locks::Name(mode);
}

// Of sequences the server's locks are not looked at.
Modes Stated(const Step& step, const test::Probe::Relations& there) {
  Modes modes;
  for (const StepLock& lock : step.locks) {
    const bool sequence = std::ranges::any_of(there, [&](const auto& known) {
      return known.second.kind == 'S' && known.second.name == lock.relation.name;
    });
    if (!sequence) Note(lock.relation.name, lock.mode, modes);
  }
  return modes;
}

Modes Taken(const Observed& observed) {
  Modes modes;
  for (const auto& [relation, mode] : observed.table_locks) Note(relation, mode, modes);
  return modes;
}

// Each lock that was seen is one that the step states, or a weaker one.
void ExpectNoneStronger(const Step& step, const Observed& observed) {
  for (const auto& [relation, mode] : observed.table_locks) {
    if (mode < locks::LockMode::kShareUpdateExclusive) continue;
    const auto stated = std::ranges::find_if(
        step.locks, [&](const StepLock& lock) { return lock.relation.name == relation; });
    EXPECT_TRUE(stated != step.locks.end() && stated->mode >= mode)
        << relation << ": " << locks::Name(mode);
  }
}

// A backfill is no one statement, and a plan's estimate of what it reads is the backfill's own.
void ExpectAsStated(const Step& step, const test::Probe::Relations& there,
                    const Observed& observed) {
  EXPECT_EQ(Stated(step, there), Taken(observed));
  EXPECT_EQ(step.table_rewrite, !observed.rewritten.empty());
  EXPECT_EQ(step.table_scan || step.table_rewrite,
            !observed.scanned.empty() || !observed.rewritten.empty());
}

// What a run keeps of the indexes that it drops, by step.
using Definitions = std::map<std::string, std::string>;

void Carry(const Plan& plan, const FreshDatabase& database, Definitions& dropped) {
  test::Session session = database.Connect();
  // Nobody waits for what the plan itself makes.
  const test::Probe::Relations there = test::Probe(session).before();
  for (const Step& step : plan.steps) {
    SCOPED_TRACE(step.id);
    if (step.gate && !step.gate->check.empty()) {
      EXPECT_EQ(session.Value(step.gate->check), "t") << step.gate->check;
    }
    if (step.kind == StepKind::kDropIndex)
      dropped[step.id] =
          session.Value("SELECT pg_get_indexdef('" + sql::ToString(*step.index) + "'::regclass)");
    if (step.transaction == Transaction::kOwn && !step.sql.empty()) {
      session.Exec("BEGIN");
      const test::Probe probe(session, &there);
      for (const std::string& sql : step.sql) session.Exec(sql);
      ExpectAsStated(step, there, probe.Look());
      session.Exec("COMMIT");
    } else {
      for (const std::string& sql : step.sql) {
        const Observed observed = test::WatchAlone(database, sql, there);
        ExpectNoneStronger(step, observed);
        EXPECT_EQ(step.table_rewrite, !observed.rewritten.empty());
      }
    }
    if (step.kind == StepKind::kConcurrentIndex) {
      EXPECT_EQ(session.Value("SELECT indisvalid FROM pg_index WHERE indexrelid = '" +
                              sql::ToString(*step.index) + "'::regclass"),
                "t");
    }
  }
}

bool Undoable(const Plan& plan) {
  return std::ranges::none_of(plan.steps, &Step::point_of_no_return);
}

void TakeBack(const Plan& plan, const FreshDatabase& database, const Definitions& dropped) {
  test::Session session = database.Connect();
  for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
    SCOPED_TRACE(step->id);
    if (step->kind == StepKind::kDropIndex) session.Exec(dropped.at(step->id));
    const bool own = step->undo_transaction == Transaction::kOwn && !step->undo.empty();
    if (own) session.Exec("BEGIN");
    for (const std::string& sql : step->undo) session.Exec(sql);
    if (own) session.Exec("COMMIT");
  }
}

bool Rebuilds(const Plan& plan) {
  return std::ranges::any_of(plan.steps,
                             [](const Step& step) { return step.kind == StepKind::kRebuild; });
}

void Execute(const FreshDatabase& database, test::Words words) {
  words.insert(words.end(), {"--yes", "--dsn", database.conninfo()});
  const test::Ran ran = test::Program(PGALTER_BINARY, words).Wait();
  EXPECT_EQ(ran.code, 0) << fmt::format("{}\n{}", fmt::join(words, " "), ran.err);
}

// A rebuild is no SQL of a few statements: pgalter itself runs such a plan, back and forth.
void CarryByProgram(const std::string& statement, const FreshDatabase& database) {
  Execute(database, {"run", "--sql", statement, "--through", "contract"});
}

// What users see of it afterwards: the state of our own runs is not theirs.
void EndRun(const char* how, const FreshDatabase& database) {
  Execute(database, {how, database.Value("SELECT run FROM pgalter.run ORDER BY created_at DESC "
                                         "LIMIT 1")});
  database.Sql("SET client_min_messages = warning; DROP SCHEMA pgalter CASCADE");
}

// To make a database takes longer than most cases: two serve them all.
constexpr const char* kEmpty = R"sql(
SET client_min_messages = warning;
DO $$ DECLARE n name; BEGIN
  FOR n IN SELECT pubname FROM pg_publication LOOP EXECUTE format('DROP PUBLICATION %I', n); END LOOP;
  FOR n IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$)' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', n);
  END LOOP;
  FOR n IN SELECT amname FROM pg_am WHERE oid >= 16384 LOOP
    EXECUTE format('DROP ACCESS METHOD %I', n);
  END LOOP;
  CREATE SCHEMA public;
END $$)sql";

class PlanEquivalence : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    plain_ = std::make_unique<FreshDatabase>();
    planned_ = std::make_unique<FreshDatabase>();
    test::Session session = plain_->Connect();
    session.Exec("SET allow_in_place_tablespaces = on");
    session.Exec("CREATE TABLESPACE elsewhere LOCATION ''");
  }
  static void TearDownTestSuite() {
    pairs_.Print();
    // All cases, where they were asked for; a tenth of them needs a newer server.
    if (::testing::GTEST_FLAG(filter) == "*") {
      EXPECT_GE(pairs_.cases(), 150U);
    }
    plain_.reset();
    planned_.reset();
  }
  static void Begin(const std::string& setup) {
    for (const auto* database : {plain_.get(), planned_.get()}) {
      database->Sql(kEmpty);
      database->Sql(setup);
    }
  }

  static std::unique_ptr<FreshDatabase> plain_;
  static std::unique_ptr<FreshDatabase> planned_;
  static test::PlanPairs pairs_;
};

std::unique_ptr<FreshDatabase> PlanEquivalence::plain_;
std::unique_ptr<FreshDatabase> PlanEquivalence::planned_;
test::PlanPairs PlanEquivalence::pairs_;

TEST_P(PlanEquivalence, LeavesWhatThePlainStatementLeaves) {
  const PlanCase test_case = test::ReadPlanCase(PGALTER_SOURCE_DIR "/tests/plan/" + GetParam());
  if (Major(*plain_) < test_case.from) GTEST_SKIP() << "needs PostgreSQL " << test_case.from;
  Begin(test_case.setup);
  const FreshDatabase& plain = *plain_;
  const FreshDatabase& planned = *planned_;
  const Plan plan = PlanOf(planned, test_case.statement);
  pairs_.Note(plan, planned);
  SCOPED_TRACE(FindFormat("text")->render(plan));
  for (const Statement& statement : plan.statements) {
    if (test_case.answer != "mixed") {
      EXPECT_EQ(Name(statement.answer), test_case.answer);
    }
  }
  if (test_case.Has("not-run")) return;
  const PlanCase exactly;
  const bool by_program = Rebuilds(plan);
  const std::string before = Normalised(Dump(planned), exactly);
  ASSERT_NO_THROW(plain.Sql(test_case.plain.empty() ? test_case.statement : test_case.plain));
  Definitions dropped;
  if (by_program) {
    if (Undoable(plan) && !test_case.Has("undo")) {
      CarryByProgram(test_case.statement, planned);
      EndRun("revert", planned);
      EXPECT_EQ(before, Normalised(Dump(planned), exactly)) << "after taking it back";
    }
    CarryByProgram(test_case.statement, planned);
    EndRun("finish", planned);
  } else {
    ASSERT_NO_THROW(Carry(plan, planned, dropped));
  }
  EXPECT_EQ(Normalised(Dump(plain), test_case), Normalised(Dump(planned), test_case));
  if (!test_case.Has("column-order")) {
    EXPECT_THAT(test::Differences(LiveSchema(plain.conninfo()).Read(),
                                  LiveSchema(planned.conninfo()).Read()),
                ::testing::IsEmpty());
  }
  if (!test_case.Has("rows")) {
    EXPECT_EQ(Rows(plain), Rows(planned));
  }
  if (by_program || !Undoable(plan) || test_case.Has("undo")) return;
  ASSERT_NO_THROW(TakeBack(plan, planned, dropped));
  EXPECT_EQ(before, Normalised(Dump(planned), exactly)) << "after taking it back";
}

std::vector<std::string> Cases() {
  std::vector<std::string> cases;
  for (const auto& entry : std::filesystem::directory_iterator(PGALTER_SOURCE_DIR "/tests/plan"))
    if (entry.path().extension() == ".sql") cases.push_back(entry.path().filename().string());
  std::ranges::sort(cases);
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Cases, PlanEquivalence, ::testing::ValuesIn(Cases()),
                         [](const auto& test) {
                           std::string name = test.param.substr(0, test.param.size() - 4);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace pgalter::plan
