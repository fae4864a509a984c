// What the rules claim, measured on a server: each bad.sql of tests/lint does what its head says,
// and its good.sql does not.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <set>

#include "planner/locks/lock_mode.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/script.h"
#include "tests/support/lint_case.h"
#include "tests/support/postgres.h"

namespace pgalter::test {
namespace {

using locks::LockMode;

// base.sql, run once; every script gets a copy.
const FreshDatabase& BaseDatabase() {
  static const FreshDatabase database;
  static const Rows ran = database.Sql(ReadLintBase());
  return database;
}

class CopyOfBase {
 public:
  CopyOfBase() : name_(BaseDatabase().name() + "_copy") {
    Admin(fmt::format("CREATE DATABASE {} TEMPLATE {}", name_, BaseDatabase().name()));
  }
  CopyOfBase(const CopyOfBase&) = delete;
  CopyOfBase& operator=(const CopyOfBase&) = delete;
  ~CopyOfBase() { Admin(fmt::format("DROP DATABASE {} WITH (FORCE)", name_)); }

  [[nodiscard]] Session Connect() const { return Session(SharedServer().conninfo(name_)); }

 private:
  static void Admin(const std::string& sql) { Session(SharedServer().conninfo()).Exec(sql); }

  std::string name_;
};

std::string ValueOrError(Session& session, const std::string& query) {
  try {
    const Rows rows = session.Exec(query);
    return rows.empty() || rows[0].empty() ? std::string() : rows[0][0];
  } catch (const SqlError& error) {
    return "error " + error.sqlstate();
  }
}

// One script on its way through the server, and all that was seen of it.
class Measured {
 public:
  explicit Measured(const LintScript& script) : script_(script), runner_(copy_.Connect()) {
    for (const std::string& claim : script.proves) answers_before_[claim] = Answer(claim);
    files_before_ = Files();
    Run();
  }

  [[nodiscard]] bool Holds(const std::string& claim);
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  using Strengths = std::map<std::string, LockMode>;

  static std::string AfterWord(const std::string& claim, const std::string& word) {
    return claim.starts_with(word + " ") ? claim.substr(word.size() + 1) : std::string();
  }
  // Of a claim about a query; empty for the others.
  std::string Answer(const std::string& claim) {
    std::string query = AfterWord(claim, "loses");
    if (query.empty()) query = AfterWord(claim, "breaks");
    return query.empty() ? query : ValueOrError(other_, query);
  }
  std::map<std::string, std::string> Files() {
    std::map<std::string, std::string> files;
    for (const auto& row : other_.Exec("SELECT relname, relfilenode FROM pg_class"
                                       " WHERE relnamespace = 'public'::regnamespace"))
      files[row[0]] = row[1];
    return files;
  }

  void Run();
  void RunOne(const std::string& sql);
  void Look();
  bool Execute(const std::string& sql);

  const LintScript& script_;
  CopyOfBase copy_;
  Session runner_;
  Session other_{copy_.Connect()};
  std::map<std::string, std::string> answers_before_;
  std::map<std::string, std::string> files_before_;
  std::map<std::string, long> scans_;  // so far in the transaction
  Strengths held_;                     // strongest, over the whole script
  std::map<std::string, std::set<LockMode>> scanned_under_;
  std::set<std::string> blocked_;   // claims
  std::set<std::string> together_;  // claims
  std::string error_;               // SQLSTATE and message of the first
  bool in_transaction_ = false;
};

bool Measured::Execute(const std::string& sql) {
  try {
    runner_.Exec(sql);
    return true;
  } catch (const SqlError& error) {
    if (error_.empty()) error_ = error.sqlstate() + " " + error.what();
    return false;
  }
}

// What the transaction holds now, and has read with its last statement.
void Measured::Look() {
  Strengths now;
  for (const auto& row : runner_.Exec(
           "SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
           " WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'public'::regnamespace")) {
    const auto mode = locks::FromServerName(row[1]);
    if (!mode) continue;
    const auto strengthen = [&](Strengths& strengths) {
      const auto [place, fresh] = strengths.try_emplace(row[0], *mode);
      if (!fresh) place->second = std::max(place->second, *mode);
    };
    strengthen(now);
    strengthen(held_);
  }
  for (const auto& row : runner_.Exec("SELECT relname, pg_stat_get_xact_numscans(oid) FROM pg_class"
                                      " WHERE relnamespace = 'public'::regnamespace")) {
    const long scans = std::stol(row[1]);
    if (scans > scans_[row[0]] && now.contains(row[0])) scanned_under_[row[0]].insert(now[row[0]]);
    scans_[row[0]] = scans;
  }
  for (const std::string& claim : script_.proves) {
    const std::string both = AfterWord(claim, "together");
    const auto blocks = [&](const std::string& table) {
      return now.contains(table) && locks::BlocksWrites(now[table]);
    };
    const auto space = both.find(' ');
    if (!both.empty() && blocks(both.substr(0, space)) && blocks(both.substr(space + 1)))
      together_.insert(claim);
    const std::string stopped = AfterWord(claim, "stops");
    if (!stopped.empty() &&
        ValueOrError(other_, "SET lock_timeout = '50ms'; " + stopped) == "error 55P03")
      blocked_.insert(claim);
    const std::string reads = AfterWord(claim, "blocks reads");
    const std::string writes = AfterWord(claim, "blocks writes");
    if (reads.empty() && writes.empty()) continue;
    const std::string attempt = writes.empty() ? "SELECT FROM " + reads + " LIMIT 1"
                                               : "DELETE FROM " + writes + " WHERE false";
    if (ValueOrError(other_, "SET lock_timeout = '50ms'; " + attempt) == "error 55P03")
      blocked_.insert(claim);
  }
}

void Measured::RunOne(const std::string& sql) {
  const auto statement = sql::ast::ReadStatement(sql);
  const auto* verb = statement ? statement->As<sql::ast::Transaction>() : nullptr;
  if (verb != nullptr) {
    Execute(sql);
    in_transaction_ = verb->verb == sql::ast::Transaction::Verb::kBegin ||
                      (in_transaction_ && verb->verb != sql::ast::Transaction::Verb::kCommit &&
                       verb->verb != sql::ast::Transaction::Verb::kRollback);
    scans_.clear();
    return;
  }
  if (in_transaction_) {
    if (Execute(sql)) Look();
    return;
  }
  // In a transaction of its own, so that there is something to look at; a statement that refuses
  // that is run alone.
  const std::string error_before = error_;
  runner_.Exec("BEGIN");
  scans_.clear();
  Look();
  if (Execute(sql)) {
    Look();
    runner_.Exec("COMMIT");
    return;
  }
  runner_.Exec("ROLLBACK");
  if (error_.starts_with("25001")) {
    error_ = error_before;
    Execute(sql);
  }
}

void Measured::Run() {
  if (script_.sending == "one-query") {
    Execute(script_.text);
    return;
  }
  if (script_.sending == "transaction") RunOne("BEGIN");
  for (const sql::Piece& piece : sql::SplitScript(script_.text)) {
    if (piece.kind == sql::PieceKind::kStatement && error_.empty()) RunOne(piece.sql);
  }
  if (script_.sending == "transaction" && error_.empty()) RunOne("COMMIT");
  if (!error_.empty()) ValueOrError(runner_, "ROLLBACK");
}

bool Measured::Holds(const std::string& claim) {
  if (const auto table = AfterWord(claim, "rewrite"); !table.empty()) {
    const auto files = Files();
    return files.contains(table) && files.at(table) != files_before_[table];
  }
  if (const auto rest = AfterWord(claim, "scan"); !rest.empty()) {
    const auto under = rest.find(" under ");
    const auto mode = locks::FromName(rest.substr(under + 7));
    for (const LockMode held : scanned_under_[rest.substr(0, under)])
      if (held >= mode.value()) return true;
    return false;
  }
  if (const auto rest = AfterWord(claim, "lock"); !rest.empty()) {
    const auto space = rest.find(' ');
    const auto held = held_.find(rest.substr(0, space));
    return held != held_.end() && held->second >= locks::FromName(rest.substr(space + 1)).value();
  }
  if (claim.starts_with("together ")) return together_.contains(claim);
  if (const auto query = AfterWord(claim, "leaves"); !query.empty())
    return ValueOrError(other_, query) == "t";
  if (claim.starts_with("blocks ") || claim.starts_with("stops ")) return blocked_.contains(claim);
  if (const auto state = AfterWord(claim, "fails"); !state.empty())
    return error_.starts_with(state);
  if (claim.starts_with("loses ")) return Answer(claim) != answers_before_[claim];
  if (claim.starts_with("breaks "))
    return !answers_before_[claim].starts_with("error") && Answer(claim).starts_with("error");
  if (claim == "nothing") return true;
  ADD_FAILURE() << "what is \"" << claim << "\"?";
  return false;
}

class LintProof : public ::testing::TestWithParam<LintCase> {};

TEST_P(LintProof, TheBadOneDoesWhatItsHeadSays) {
  const LintScript& bad = GetParam().bad;
  const int server = SharedServer().server_version_major();
  if (server < bad.server || server >= bad.before) GTEST_SKIP() << "not of version " << server;
  ASSERT_FALSE(bad.proves.empty()) << "nothing is claimed";
  Measured measured(bad);
  bool fails = false;
  for (const std::string& claim : bad.proves) {
    EXPECT_TRUE(measured.Holds(claim)) << claim << "\n" << measured.error();
    fails = fails || claim.starts_with("fails ");
  }
  if (!fails) {
    EXPECT_EQ(measured.error(), "");
  }
}

TEST_P(LintProof, TheGoodOneDoesNot) {
  LintScript good = GetParam().good;
  if (SharedServer().server_version_major() < good.server) GTEST_SKIP() << "needs " << good.server;
  good.proves = GetParam().bad.proves;
  Measured measured(good);
  EXPECT_EQ(measured.error(), "");
  for (const std::string& claim : good.proves) {
    if (claim == "nothing") continue;
    EXPECT_FALSE(measured.Holds(claim)) << claim;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, LintProof, ::testing::ValuesIn(ReadLintCases()),
                         [](const auto& instance) {
                           std::string name = instance.param.rule;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace pgalter::test
