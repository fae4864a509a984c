// What a plan leaves is what the plain statement leaves: for each case of tests/plan the statement
// is run in one database, the plan's SQL step by step in another, and dumps and rows are compared.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "planner/plan/planner.h"
#include "planner/plan/render/format.h"
#include "tests/support/live_schema.h"
#include "tests/support/plan_case.h"
#include "tests/support/postgres.h"

namespace pgalter::plan {
namespace {

using test::FreshDatabase;
using test::LiveSchema;
using test::PlanCase;

std::string Dump(const FreshDatabase& database) {
  const std::string command = (database.server().bin_dir() / "pg_dump").string() + " -s -d '" +
                              database.conninfo() + "' 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("pg_dump does not start");
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), got);
  if (pclose(pipe) != 0) throw std::runtime_error("pg_dump failed: " + text);
  return text;
}

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
  return MakePlan(statement, LiveSchema(database.conninfo()).Read(), options);
}

void Carry(const Plan& plan, const FreshDatabase& database) {
  test::Session session = database.Connect();
  for (const Step& step : plan.steps) {
    SCOPED_TRACE(step.id);
    const bool own = step.transaction == Transaction::kOwn && !step.sql.empty();
    if (step.gate && !step.gate->check.empty()) {
      EXPECT_EQ(session.Value(step.gate->check), "t") << step.gate->check;
    }
    if (own) session.Exec("BEGIN");
    for (const std::string& sql : step.sql) session.Exec(sql);
    if (own) session.Exec("COMMIT");
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

void TakeBack(const Plan& plan, const FreshDatabase& database) {
  test::Session session = database.Connect();
  for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
    SCOPED_TRACE(step->id);
    const bool own = step->undo_transaction == Transaction::kOwn && !step->undo.empty();
    if (own) session.Exec("BEGIN");
    for (const std::string& sql : step->undo) session.Exec(sql);
    if (own) session.Exec("COMMIT");
  }
}

class PlanEquivalence : public ::testing::TestWithParam<std::string> {};

TEST_P(PlanEquivalence, LeavesWhatThePlainStatementLeaves) {
  const PlanCase test_case = test::ReadPlanCase(PGALTER_SOURCE_DIR "/tests/plan/" + GetParam());
  const FreshDatabase plain;
  const FreshDatabase planned;
  for (const FreshDatabase* database : {&plain, &planned}) database->Sql(test_case.setup);
  const Plan plan = PlanOf(planned, test_case.statement);
  SCOPED_TRACE(FindFormat("text")->render(plan));
  for (const Statement& statement : plan.statements) {
    EXPECT_EQ(Name(statement.answer), test_case.answer);
  }
  if (test_case.Has("not-run")) return;
  const PlanCase exactly;
  const std::string before = Normalised(Dump(planned), exactly);
  ASSERT_NO_THROW(plain.Sql(test_case.plain.empty() ? test_case.statement : test_case.plain));
  ASSERT_NO_THROW(Carry(plan, planned));
  EXPECT_EQ(Normalised(Dump(plain), test_case), Normalised(Dump(planned), test_case));
  if (!test_case.Has("rows")) {
    EXPECT_EQ(Rows(plain), Rows(planned));
  }
  if (!Undoable(plan)) return;
  ASSERT_NO_THROW(TakeBack(plan, planned));
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
