// The truth of tests/lint/corpus, measured on a server without any of the linter's rules: a risky
// migration does to the tables, or to the clients, what its head says, at the statement that it
// names; a safe one runs through and does nothing of the kind anywhere.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <set>

#include "planner/sql/ast/statement.h"
#include "planner/sql/script.h"
#include "tests/support/lint_corpus.h"
#include "tests/support/postgres.h"

namespace pgalter::test {
namespace {

// Ranks of lock modes, as the server spells and we write them.
constexpr int kShare = 5;
constexpr int kAccessExclusive = 8;
constexpr std::string_view kModes =
    "'AccessShareLock,RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,"
    "ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock'";

struct Relation {
  std::string name;
  char kind = 'r';
  std::string file;
  long rows = 0;
  // Enough to keep anybody waiting in production; not a tool's own table of versions.
  [[nodiscard]] bool HasRows() const { return rows >= 100; }
};

struct Sight {
  std::string file;
  long scans = 0;
  long changed = 0;
  int lock = 0;
};

using Harms = std::set<std::string>;

void AsAdministrator(const std::string& sql) { Session(SharedServer().conninfo()).Exec(sql); }

// A database from a template, in which nobody may be at that moment.
class Copy {
 public:
  Copy(const std::string& of, const std::string& suffix) : name_(of + suffix) {
    // The only way before 15, and no name for it there.
    const bool named = SharedServer().server_version_major() >= 15;
    const std::string create = fmt::format("CREATE DATABASE {} TEMPLATE {}{}", name_, of,
                                           named ? " STRATEGY file_copy" : "");
    for (int attempt = 1;; ++attempt) {
      try {
        AsAdministrator(create);
        return;
      } catch (const SqlError& error) {
        // On a busy machine a session, or autovacuum, takes its time to leave the template.
        if (error.sqlstate() != "55006" || attempt == 10) throw;
      }
    }
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() { AsAdministrator(fmt::format("DROP DATABASE {} WITH (FORCE)", name_)); }
  [[nodiscard]] Session Connect() const { return Session(SharedServer().conninfo(name_)); }

 private:
  std::string name_;
};

// One history with its rows, made once: to be copied, and a copy for the cases that roll back.
class Base {
 public:
  explicit Base(const std::string& name) : base_(ReadCorpusBase(name)) {
    Session session = database_.Connect();
    session.Exec(base_.schema);
    session.Exec(base_.rows);
    session.Exec("RESET ALL");
    session.Exec("VACUUM ANALYZE");
  }
  [[nodiscard]] const std::string& name() const { return database_.name(); }
  [[nodiscard]] const std::vector<std::string>& clients() const { return base_.clients; }
  [[nodiscard]] Session& shared() {
    if (!copy_) copy_ = std::make_unique<Copy>(name(), "_shared");
    if (!session_) session_ = std::make_unique<Session>(copy_->Connect());
    return *session_;
  }

 private:
  FreshDatabase database_;
  CorpusBase base_;
  std::unique_ptr<Copy> copy_;
  std::unique_ptr<Session> session_;
};

Base& BaseOf(const std::string& name) {
  static const bool role = [] {
    AsAdministrator("CREATE ROLE corpus_app");
    return true;
  }();
  static std::map<std::string, std::unique_ptr<Base>> bases;
  auto& found = bases[name];
  if (!found && role) found = std::make_unique<Base>(name);
  return *found;
}

enum class Verb { kNone, kBegin, kCommit, kRollback, kOther };

Verb VerbOf(const std::string& sql) {
  const auto statement = sql::ast::ReadStatement(sql);
  using Read = sql::ast::Transaction::Verb;
  const auto* verb = statement ? statement->As<sql::ast::Transaction>() : nullptr;
  if (verb == nullptr) return Verb::kNone;
  if (verb->verb == Read::kBegin) return Verb::kBegin;
  if (verb->verb == Read::kCommit) return Verb::kCommit;
  return verb->verb == Read::kRollback ? Verb::kRollback : Verb::kOther;
}

// What runs by itself alone, and a COMMIT in a body.
bool NeedsNoTransaction(const std::string& error) {
  return error.starts_with("25001") || error.starts_with("2D000");
}

struct Script {
  std::vector<std::string> statements;
  int judged = -1;
  bool wrapped = false;  // by the tool
  // All of it is one transaction, which need not be committed to be measured.
  bool one_transaction = false;
};

Script ScriptOf(const CorpusCase& given) {
  Script script;
  for (const sql::Piece& piece : sql::SplitScript(given.migration))
    if (piece.kind == sql::PieceKind::kStatement) script.statements.push_back(piece.sql);
  const auto& all = script.statements;
  script.judged = given.Judged(all);
  script.wrapped =
      given.sending == "transaction" || (given.sending == "one-query" && all.size() > 1);
  const auto verbs =
      std::ranges::count_if(all, [](const std::string& sql) { return VerbOf(sql) != Verb::kNone; });
  const bool framed =
      verbs == 2 && VerbOf(all.front()) == Verb::kBegin && VerbOf(all.back()) == Verb::kCommit;
  script.one_transaction = given.history.empty() && given.rows.empty() &&
                           (framed || (verbs == 0 && (script.wrapped || all.size() == 1)));
  return script;
}

// kRolledBack: in one transaction, which the others' part is played in as well.
enum class Way { kRolledBack, kCommitted };

// A migration on its way through the server.
class Measured {
 public:
  Measured(const CorpusCase& given, const Script& script, Way way, Session& runner, Session& other);

  // Of what the head promises.
  [[nodiscard]] const std::set<std::string>& holding() const { return holding_; }
  [[nodiscard]] const Harms& all() const { return all_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] bool judged_was_run() const { return judged_was_run_; }

 private:
  using Sights = std::map<std::string, Sight>;  // by oid

  void LearnRelations();
  std::set<std::string> Names();
  std::string Answer(const std::string& query);
  void LearnAnswers();
  Sights Look();
  void Compare(const Sights& before, const Sights& after, bool judged);
  void Harm(const std::string& harm, bool judged);
  void Run();
  void RunOne(const std::string& sql, bool judged);
  void RunAlone(const std::string& sql, bool judged);
  void RunBetween(const std::string& sql, bool judged);
  bool Execute(const std::string& sql, bool judged);
  void LookAsOthers();
  bool Holds(const std::string& claim);

  const CorpusCase& given_;
  const Script& script_;
  Way way_;
  Session& runner_;
  Session& other_;
  std::map<std::string, Relation> relations_;  // by oid, from before
  std::string oids_;
  std::set<std::string> names_;
  std::map<std::string, std::string> answers_;
  Sights last_;
  Harms all_;
  Harms of_judged_;
  std::map<std::string, int> locks_of_judged_;
  std::set<std::string> holding_;
  std::string error_;
  bool in_transaction_ = false;
  bool judged_was_run_ = false;
};

Measured::Measured(const CorpusCase& given, const Script& script, Way way, Session& runner,
                   Session& other)
    : given_(given), script_(script), way_(way), runner_(runner), other_(other) {
  if (way == Way::kRolledBack) runner_.Exec("BEGIN");
  LearnRelations();
  names_ = Names();
  LearnAnswers();
  Run();
  if (way == Way::kCommitted || error_.empty()) LookAsOthers();
  for (const std::string& claim : given.proves)
    if (Holds(claim)) holding_.insert(claim);
  if (way == Way::kRolledBack) runner_.Exec("ROLLBACK");
}

void Measured::LearnRelations() {
  const Rows rows = other_.Exec(
      "SELECT c.oid, n.nspname || '.' || c.relname, c.relkind, c.relfilenode, CASE WHEN c.relkind"
      " IN ('r', 'm') THEN (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM"
      " ONLY %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint ELSE 0 END"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE n.nspname !~ '^(pg_|information_schema)' AND c.relkind IN ('r', 'm', 'p', 'i', 'I')");
  for (const auto& row : rows) {
    relations_[row[0]] = {row[1], row[2][0], row[3], std::stol(row[4])};
    oids_ += (oids_.empty() ? "" : ",") + row[0];
  }
}

std::set<std::string> Measured::Names() {
  std::set<std::string> names;
  for (const auto& row : other_.Exec(
           "SELECT n.nspname || '.' || c.relname, a.attname FROM pg_class c"
           " JOIN pg_namespace n ON n.oid = c.relnamespace"
           " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
           " WHERE n.nspname !~ '^(pg_|information_schema)' AND c.relkind IN ('r', 'p', 'v', 'm')"))
    names.insert({row[0], row[0] + "." + row[1]});
  return names;
}

std::string Measured::Answer(const std::string& query) {
  const bool alone = way_ == Way::kCommitted;
  std::string answer;
  other_.Exec(alone ? "BEGIN" : "SAVEPOINT others; SET LOCAL search_path TO DEFAULT");
  try {
    const Rows rows = other_.Exec(query);
    answer = rows.empty() || rows[0].empty() ? "ok" : rows[0][0];
  } catch (const SqlError& error) {
    answer = "error " + error.sqlstate();
  }
  other_.Exec(alone ? "ROLLBACK" : "ROLLBACK TO SAVEPOINT others; RELEASE SAVEPOINT others");
  return answer;
}

void Measured::LearnAnswers() {
  for (const std::string& query : BaseOf(given_.base).clients()) answers_[query] = Answer(query);
  for (const std::string& claim : given_.proves) {
    const auto space = claim.find(' ');
    const std::string kind = claim.substr(0, space);
    if (kind == "breaks" || kind == "answers" || kind == "admits")
      answers_[claim.substr(space + 1)] = Answer(claim.substr(space + 1));
  }
}

Measured::Sights Measured::Look() {
  Sights sights;
  const std::string query = fmt::format(
      "SELECT c.oid, c.relfilenode, pg_stat_get_xact_numscans(c.oid),"
      " pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid),"
      " coalesce(max(array_position(string_to_array({}, ','), l.mode)), 0) FROM pg_class c"
      " LEFT JOIN pg_locks l ON l.relation = c.oid AND l.pid = pg_backend_pid() AND l.granted"
      " WHERE c.oid = ANY ('{{{}}}'::oid[]) GROUP BY c.oid, c.relfilenode",
      kModes, oids_);
  for (const auto& row : runner_.Exec(query))
    sights[row[0]] = {row[1], std::stol(row[2]), std::stol(row[3]), std::stoi(row[4])};
  return sights;
}

void Measured::Harm(const std::string& harm, bool judged) {
  all_.insert(harm);
  if (judged) of_judged_.insert(harm);
}

// Work on rows is harm where a lock keeps others out meanwhile; a new file and a change of most
// rows always are.
void Measured::Compare(const Sights& before, const Sights& after, bool judged) {
  bool keeps_others_out = false;
  for (const auto& [oid, sight] : after) {
    const Relation& relation = relations_.at(oid);
    if (judged) locks_of_judged_[relation.name] = sight.lock;
    // Nobody writes to a materialized view.
    const int blocking = relation.kind == 'm' ? kAccessExclusive : kShare;
    const bool table = relation.kind == 'p' || relation.HasRows();
    keeps_others_out = keeps_others_out || (table && sight.lock >= blocking);
  }
  for (const auto& [oid, sight] : after) {
    const Relation& relation = relations_.at(oid);
    const auto place = before.find(oid);
    if (!relation.HasRows() || place == before.end()) continue;
    const Sight& was = place->second;
    if (sight.file != was.file) Harm("rewrite " + relation.name, judged);
    if (keeps_others_out && sight.scans > was.scans) Harm("scan " + relation.name, judged);
    if ((sight.changed - was.changed) * 2 > relation.rows) Harm("changes " + relation.name, judged);
  }
}

bool Measured::Execute(const std::string& sql, bool judged) {
  try {
    runner_.Exec(sql);
    return true;
  } catch (const SqlError& error) {
    error_ = error.sqlstate() + " " + error.what();
    Harm("fails " + error.sqlstate(), judged);
    return false;
  }
}

// In a transaction, so that there is something to look at.
void Measured::RunBetween(const std::string& sql, bool judged) {
  if (!Execute(sql, judged)) return;
  const Sights now = Look();
  Compare(last_, now, judged);
  last_ = now;
}

void Measured::RunOne(const std::string& sql, bool judged) {
  const Verb verb = VerbOf(sql);
  judged_was_run_ = judged_was_run_ || judged;
  if (verb == Verb::kNone) {
    in_transaction_ ? RunBetween(sql, judged) : RunAlone(sql, judged);
    return;
  }
  if (way_ == Way::kRolledBack) return;
  Execute(sql, judged);
  if (verb == Verb::kBegin) in_transaction_ = true;
  if (verb == Verb::kCommit || verb == Verb::kRollback) in_transaction_ = false;
  if (in_transaction_ && error_.empty()) last_ = Look();
}

// What refuses a transaction commits by itself: nothing is seen of it but its outcome.
void Measured::RunAlone(const std::string& sql, bool judged) {
  const Harms all = all_;
  const Harms of_judged = of_judged_;
  runner_.Exec("BEGIN");
  last_ = Look();
  RunBetween(sql, judged);
  if (error_.empty()) {
    runner_.Exec("COMMIT");
    return;
  }
  runner_.Exec("ROLLBACK");
  if (!NeedsNoTransaction(error_)) return;
  error_.clear();
  all_ = all;
  of_judged_ = of_judged;
  const Sights before = Look();
  if (Execute(sql, judged)) Compare(before, Look(), judged);
}

void Measured::Run() {
  in_transaction_ = way_ == Way::kRolledBack;
  if (in_transaction_) last_ = Look();
  const bool begins = script_.wrapped && !in_transaction_;
  if (begins) RunOne("BEGIN", false);
  for (std::size_t i = 0; i < script_.statements.size() && error_.empty(); ++i)
    RunOne(script_.statements[i], static_cast<int>(i) == script_.judged);
  if (begins && in_transaction_ && error_.empty()) RunOne("COMMIT", false);
  if (!error_.empty() && way_ == Way::kCommitted) runner_.Exec("ROLLBACK");
}

// What the others find afterwards.
void Measured::LookAsOthers() {
  const std::set<std::string> now = Names();
  for (const std::string& name : names_)
    if (!now.contains(name)) Harm("gone " + name, true);
  for (const std::string& query : BaseOf(given_.base).clients())
    if (!answers_[query].starts_with("error") && Answer(query).starts_with("error"))
      Harm("breaks " + query, true);
}

bool Measured::Holds(const std::string& claim) {
  if (of_judged_.contains(claim)) return true;
  const auto space = claim.find(' ');
  const std::string kind = claim.substr(0, space);
  const std::string what = claim.substr(space + 1);
  if (kind == "lock") {
    const auto end = what.find(' ');
    return what.substr(end + 1) == "ACCESS EXCLUSIVE" &&
           locks_of_judged_[what.substr(0, end)] == kAccessExclusive;
  }
  if (kind != "breaks" && kind != "answers" && kind != "admits") return false;
  if (way_ == Way::kRolledBack && !error_.empty()) return false;
  const std::string before = answers_[what];
  const std::string after = Answer(what);
  if (kind == "answers") return before != after;
  const bool failed = before.starts_with("error");
  const bool fails = after.starts_with("error");
  return kind == "breaks" ? !failed && fails : failed && !fails;
}

Measured Measure(const CorpusCase& given) {
  const Script script = ScriptOf(given);
  Base& base = BaseOf(given.base);
  if (script.one_transaction) {
    Measured measured(given, script, Way::kRolledBack, base.shared(), base.shared());
    const bool refused = NeedsNoTransaction(measured.error());
    if (!refused || script.statements.size() > 1 || script.wrapped) return measured;
  }
  const Copy copy(base.name(), "_copy");
  Session runner = copy.Connect();
  Session other = copy.Connect();
  if (!given.history.empty()) other.Exec(given.history);
  if (!given.rows.empty()) other.Exec(given.rows);
  other.Exec("RESET ALL");
  if (!given.history.empty() || !given.rows.empty()) other.Exec("ANALYZE");
  return {given, script, Way::kCommitted, runner, other};
}

class LintCorpusTruth : public ::testing::TestWithParam<CorpusCase> {};

TEST_P(LintCorpusTruth, IsAsTheHeadSays) {
  const CorpusCase& given = GetParam();
  const int server = SharedServer().server_version_major();
  if (server < given.server || server > given.until) GTEST_SKIP() << "not of version " << server;
  const Measured measured = Measure(given);
  SCOPED_TRACE(fmt::format("all: {}\nerror: {}\n", ::testing::PrintToString(measured.all()),
                           measured.error()));
  EXPECT_TRUE(measured.judged_was_run());
  for (const std::string& claim : given.proves)
    EXPECT_TRUE(measured.holding().contains(claim)) << claim;
  if (!given.risky) {
    EXPECT_THAT(measured.all(), ::testing::IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, LintCorpusTruth, ::testing::ValuesIn(ReadCorpus()),
                         [](const auto& instance) {
                           return (instance.param.risky ? "risky_" : "safe_") + instance.param.name;
                         });

}  // namespace
}  // namespace pgalter::test
