// EffectsOf against the server at hand: every form of ddl_forms.def is run, and what it locked,
// wrote anew, read or was refused for is compared with what was said before.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <vector>

#include "planner/locks/effects.h"
#include "planner/sql/newer_syntax.h"
#include "planner/sql/script.h"
#include "tests/integration/ddl_probe.h"

namespace pgalter::test {
namespace {

using locks::Certainty;
using locks::Effects;
using locks::Failure;
using locks::LockMode;
using locks::Refusal;
using locks::Work;

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

// ---- what was said, by names -------------------------------------------------------------------

std::set<std::string> Tables(const Work& work, const catalog::Schema& schema) {
  std::set<std::string> names;
  const catalog::Table* table = schema.FindTable(work.relation);
  if (table == nullptr || table->kind != catalog::TableKind::kPartitioned)
    names.insert(work.relation.name);
  for (const auto& part : work.parts) names.insert(part.name);
  return names;
}

struct Said {
  std::set<std::string> rewritten;
  std::set<std::string> touched;  // read or rewritten
  std::set<std::string> maybe_rewritten;
  std::set<std::string> maybe_touched;
};

// How much of the table that a foreign key points at is read for it is the planner's choice.
bool IsTarget(const Effects& effects, const Work& work) {
  using enum locks::Reason;
  if (work.reason != kForeignKey && work.reason != kTypeChangeForeignKey &&
      work.reason != kValidate)
    return false;
  const auto first = std::ranges::find_if(effects.works, [&](const Work& other) {
    return other.reason == work.reason && other.subject == work.subject;
  });
  return &*first != &work;
}

Said Gather(const Effects& effects, const catalog::Schema& schema) {
  Said said;
  for (const Work& work : effects.works) {
    const bool certain = work.certainty == Certainty::kCertain && !IsTarget(effects, work);
    // To give a table an empty file is not to read it.
    const bool reads =
        work.reason != locks::Reason::kTruncate && work.reason != locks::Reason::kTablespace;
    for (const std::string& table : Tables(work, schema)) {
      if (work.kind == Work::Kind::kRewrite) {
        said.maybe_rewritten.insert(table);
        if (certain) said.rewritten.insert(table);
      }
      said.maybe_touched.insert(table);
      if (certain && reads) said.touched.insert(table);
    }
  }
  return said;
}

// ---- comparing ---------------------------------------------------------------------------------

void ExpectWithin(const std::set<std::string>& inner, const std::set<std::string>& outer,
                  std::string_view what) {
  for (const std::string& name : inner) EXPECT_TRUE(outer.contains(name)) << what << ": " << name;
}

void CompareLocks(const Effects& effects, const Observed& observed) {
  std::map<std::string, LockMode> tables;
  std::map<std::string, LockMode> indexes;
  for (const locks::Lock& lock : effects.locks)
    (lock.index ? indexes : tables)[lock.relation.name] = lock.mode;
  for (const auto& [name, mode] : observed.table_locks) {
    const auto said = tables.find(name);
    EXPECT_TRUE(said != tables.end())
        << "nothing is said of " << name << ", which has " << locks::Name(mode);
    if (said != tables.end()) {
      EXPECT_EQ(locks::Name(said->second), locks::Name(mode)) << "on " << name;
    }
  }
  for (const auto& [name, mode] : tables)
    EXPECT_TRUE(observed.table_locks.contains(name)) << name << " has no lock";
  for (const auto& [name, mode] : observed.index_locks) {
    const auto said = indexes.find(name);
    if (said != indexes.end()) {
      EXPECT_EQ(locks::Name(said->second), locks::Name(mode)) << "on index " << name;
      continue;
    }
    const auto table = observed.table_locks.find(observed.table_of_index.at(name));
    EXPECT_TRUE(table != observed.table_locks.end() && table->second >= mode)
        << "index " << name << " has " << locks::Name(mode) << ", above its table's";
  }
  for (const auto& [name, mode] : indexes)
    EXPECT_TRUE(observed.index_locks.contains(name)) << "index " << name << " has no lock";
}

bool IsCertain(const Failure& failure) { return failure.certainty == Certainty::kCertain; }

// Whether the server refused it, and then that this was foreseen.
bool CompareRefusal(const Effects& effects, const Observed& observed) {
  const auto& failures = effects.failures;
  if (observed.sqlstate.empty()) {
    for (const Failure& failure : failures)
      EXPECT_FALSE(IsCertain(failure)) << "it went through, against: " << failure.detail;
    return false;
  }
  EXPECT_FALSE(failures.empty()) << "the server refused it: " << observed.message;
  return true;
}

std::string FirstTable(const Effects& effects, const catalog::Schema& schema) {
  for (const locks::Lock& lock : effects.locks) {
    const catalog::Table* table = schema.FindTable(lock.relation);
    if (!lock.index && table != nullptr) return lock.relation.name;
  }
  return {};
}

// Of what waits for its first lock only that one is seen.
void CompareAlone(const Effects& effects, const Observed& observed, const catalog::Schema& schema) {
  if (CompareRefusal(effects, observed)) return;
  for (const locks::Lock& lock : effects.locks) {
    const auto seen = observed.table_locks.find(lock.relation.name);
    if (lock.index || seen == observed.table_locks.end()) continue;
    EXPECT_EQ(locks::Name(lock.mode), locks::Name(seen->second)) << "on " << seen->first;
  }
  EXPECT_FALSE(observed.table_locks.empty());
  const Said said = Gather(effects, schema);
  ExpectWithin(said.rewritten, observed.rewritten, "not rewritten");
  ExpectWithin(observed.rewritten, said.maybe_rewritten, "rewritten");
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
    CompareAlone(effects, ObserveAlone(Database(), form.statement, table), schema);
    return;
  }
  const Observed observed = ObserveInTransaction(Database(), form.statement);
  if (CompareRefusal(effects, observed)) return;
  CompareLocks(effects, observed);
  const Said said = Gather(effects, schema);
  ExpectWithin(said.rewritten, observed.rewritten, "not rewritten");
  ExpectWithin(observed.rewritten, said.maybe_rewritten, "rewritten");
  std::set<std::string> touched = observed.scanned;
  touched.insert(observed.rewritten.begin(), observed.rewritten.end());
  ExpectWithin(said.touched, touched, "not read");
  ExpectWithin(touched, said.maybe_touched, "read");
}

INSTANTIATE_TEST_SUITE_P(Forms, DdlFacts, ::testing::ValuesIn(Forms()),
                         [](const auto& form) { return form.param.name; });

}  // namespace
}  // namespace pgalter::test
