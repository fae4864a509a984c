#include "migrations/history/compose.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "migrations/formats/text.h"
#include "planner/locks/effects.h"
#include "planner/plan/steps.h"
#include "planner/sql/ast/command.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/line_index.h"
#include "planner/sql/script.h"
#include "planner/sql/text.h"

namespace pgalter::history {

namespace {

namespace ast = sql::ast;
using formats::Section;
using formats::SectionKind;
using std::string_view_literals::operator""sv;
using sql::Piece;
using sql::PieceKind;

// Commands of psql that change nothing of what the statements do.
constexpr std::array kHarmless{
    "\\set ON_ERROR_STOP"sv, "\\echo"sv,      "\\qecho"sv,         "\\timing"sv, "\\pset"sv,
    "\\encoding UTF8"sv,     "\\set QUIET"sv, "\\set VERBOSITY"sv, "\\x"sv};

// The ladder's own: a longer wait for a lock would keep users waiting.
constexpr std::array kOurs{"lock_timeout"sv, "statement_timeout"sv,
                           "idle_in_transaction_session_timeout"sv, "deadlock_timeout"sv};

constexpr std::array kTimeouts{"lock_timeout"sv, "statement_timeout"sv,
                               "idle_in_transaction_session_timeout"sv, "transaction_timeout"sv};

// What stands at the head of a dump and does nothing to what stands below it here.
struct Setting {
  std::string_view name;
  std::string_view value;  // empty: any
};
constexpr std::array kDumpHead{
    Setting{"client_encoding", "UTF8"},   Setting{"client_encoding", "UTF-8"},
    Setting{"client_min_messages", ""},   Setting{"standard_conforming_strings", "on"},
    Setting{"check_function_bodies", ""}, Setting{"xmloption", "content"},
    Setting{"row_security", "off"},       Setting{"default_table_access_method", "heap"},
    Setting{"escape_string_warning", ""},
};

bool IsHarmless(std::string_view command) {
  return std::ranges::any_of(
      kHarmless, [&](std::string_view known) { return formats::StartsWithWord(command, known); });
}

struct Statements {
  std::string text;  // without what is left out, at the same lines
  bool has_begin = false;
  std::string refusal;
};

// A BEGIN at the front and a COMMIT at the end say what "together" says. Any other transaction
// control would be cut to pieces by the steps.
class Taking {
 public:
  explicit Taking(const Script& script) : text_(script.text), together_(script.together) {}

  Statements Take();

 private:
  void TakePiece(const Piece& piece);
  void TakeTransaction(const ast::Transaction& transaction, const Piece& piece);
  void Refuse(const Piece& piece, std::string_view why);

  std::string text_;
  bool together_;
  bool open_ = false;
  bool closed_ = false;
  bool before_ = false;  // a statement stood before the BEGIN
  std::string refusal_;
};

void Taking::Refuse(const Piece& piece, std::string_view why) {
  if (!refusal_.empty()) return;
  refusal_ = fmt::format("line {}: {}", sql::LineIndex(text_).At(piece.span.begin).line, why);
}

void Taking::TakeTransaction(const ast::Transaction& transaction, const Piece& piece) {
  using Verb = ast::Transaction::Verb;
  if (transaction.verb == Verb::kBegin && !open_ && !closed_ && !before_) {
    open_ = true;
  } else if (transaction.verb == Verb::kCommit && open_ && !closed_) {
    closed_ = true;
  } else {
    Refuse(piece,
           "transaction control in the middle of a migration: one BEGIN at its front and one "
           "COMMIT at its end are understood");
  }
  formats::Blank(text_, piece.span);
}

void Taking::TakePiece(const Piece& piece) {
  if (piece.kind == PieceKind::kComments) return;
  if (piece.kind == PieceKind::kMeta) {
    if (!IsHarmless(piece.sql)) Refuse(piece, "a command of psql, which no server knows");
    formats::Blank(text_, piece.span);
    return;
  }
  if (piece.kind == PieceKind::kCopyData)
    return Refuse(piece, "rows of a COPY … FROM stdin: write them as INSERT");
  if (piece.kind != PieceKind::kStatement) return Refuse(piece, "this is not a whole statement");
  if (piece.has_placeholder)
    return Refuse(piece, "a placeholder stands here: only its tool can fill it in");
  const auto read = ast::ReadStatement(piece.sql);
  if (read)
    if (const auto* transaction = read->As<ast::Transaction>())
      return TakeTransaction(*transaction, piece);
  if (closed_) Refuse(piece, "a statement behind the COMMIT of this migration");
  before_ = before_ || !open_;
}

Statements Taking::Take() {
  const auto pieces = sql::SplitScript(text_);
  for (const Piece& piece : pieces) TakePiece(piece);
  if (open_ && !closed_ && refusal_.empty()) refusal_ = "its BEGIN has no COMMIT";
  return {std::move(text_), open_ || together_, std::move(refusal_)};
}

// A call in the statement itself; what a function's body does is its own.
bool CallsSetConfig(std::string_view sql) {
  const std::string text = formats::Lower(sql);
  for (const auto word : {"select"sv, "with"sv, "values"sv, "("sv})
    if (text.starts_with(word)) return text.find("set_config") != std::string::npos;
  return false;
}

std::string WithoutBlanks(std::string_view sql) {
  std::string text = formats::Lower(sql);
  std::erase_if(text, [](char c) { return sql::IsSpace(c); });
  return text;
}

// What the steps of a plan have of their own, so that it may be left out.
enum class Loss { kNone, kTimeout, kMatters };

bool IsTimeout(std::string_view name) {
  return std::ranges::find(kTimeouts, name) != kTimeouts.end();
}

Loss LossOf(const ast::Set& set) {
  if (IsTimeout(set.name)) return Loss::kTimeout;
  if (set.reset && set.name != "all") return Loss::kNone;
  const bool head = std::ranges::any_of(kDumpHead, [&](const Setting& known) {
    return known.name == set.name &&
           (known.value.empty() || formats::SameWord(known.value, set.value));
  });
  const bool empty = (set.name == "default_tablespace") && set.value.empty();
  return head || empty || set.reset ? Loss::kNone : Loss::kMatters;
}

Loss LossOfCall(std::string_view sql) {
  const std::string text = WithoutBlanks(sql);
  for (const auto call : {"selectset_config("sv, "selectpg_catalog.set_config("sv}) {
    if (!text.starts_with(call)) continue;
    const std::string_view rest = std::string_view(text).substr(call.size());
    if (rest == "'search_path','',false)") return Loss::kNone;
    const std::size_t end = rest.find('\'', 1);
    const bool one = rest.find("set_config") == std::string_view::npos;
    if (one && end != std::string_view::npos && IsTimeout(rest.substr(1, end - 1)))
      return Loss::kTimeout;
  }
  return Loss::kMatters;
}

// Steps have sessions of their own, so a setting would be lost: what matters is refused.
class LeavingOut {
 public:
  explicit LeavingOut(std::string text) : text_(std::move(text)) {}

  void Leave() {
    for (const Piece& piece : sql::SplitScript(text_))
      if (piece.kind == PieceKind::kStatement) TakePiece(piece);
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  void TakePiece(const Piece& piece);

  std::string text_;
  std::string refusal_;
  std::vector<std::string> remarks_;
};

void LeavingOut::TakePiece(const Piece& piece) {
  const auto read = ast::ReadStatement(piece.sql);
  const auto* set = read ? read->As<ast::Set>() : nullptr;
  if (set == nullptr && !CallsSetConfig(piece.sql)) return;
  const Loss loss = set != nullptr ? LossOf(*set) : LossOfCall(piece.sql);
  const int line = sql::LineIndex(text_).At(piece.span.begin).line;
  const std::string what =
      set != nullptr ? fmt::format("SET {}", set->name) : std::string("set_config()");
  if (loss == Loss::kMatters) {
    if (refusal_.empty())
      refusal_ = fmt::format(
          "line {}: {} would not hold: the steps of a plan have sessions of their own", line, what);
    return;
  }
  if (loss == Loss::kTimeout)
    remarks_.push_back(
        fmt::format("line {}: {} is left out: steps have timeouts of their own", line, what));
  formats::Blank(text_, piece.span);
}

// As one transaction sends it: settings hold to its end, and the timeouts are ours.
std::vector<std::string> AsWritten(const std::string& text) {
  std::vector<std::string> statements;
  for (const Piece& piece : sql::SplitScript(text)) {
    if (piece.kind != PieceKind::kStatement) continue;
    std::string statement(formats::Cut(text, piece.span));
    const auto read = ast::ReadStatement(piece.sql);
    const auto* set = read ? read->As<ast::Set>() : nullptr;
    if (set != nullptr && std::ranges::find(kOurs, set->name) != kOurs.end()) continue;
    if (set != nullptr && !set->local && !set->reset) {
      auto rest = formats::Trim(std::string_view(statement).substr(3));
      if (formats::StartsWithWord(rest, "session ") && set->name != "session_authorization")
        rest = formats::Trim(rest.substr(8));
      statement = fmt::format("SET LOCAL {}", rest);
    }
    statements.push_back(std::move(statement));
  }
  return statements;
}

// How a session is left when a script's own settings are to end with it.
std::vector<std::string> ResetsFor(const std::string& text) {
  bool role = false;
  bool authorization = false;
  for (const Piece& piece : sql::SplitScript(text)) {
    if (piece.kind != PieceKind::kStatement) continue;
    const auto read = ast::ReadStatement(piece.sql);
    const auto* set = read ? read->As<ast::Set>() : nullptr;
    const bool any = set == nullptr && CallsSetConfig(piece.sql);
    role = role || any || (set != nullptr && set->name == "role");
    authorization =
        authorization || any || (set != nullptr && set->name == "session_authorization");
  }
  std::vector<std::string> resets;
  if (authorization) resets.emplace_back("RESET SESSION AUTHORIZATION");
  if (role || authorization) resets.emplace_back("RESET ROLE");
  return resets;
}

void AddLocks(const plan::Step& from, plan::Step& to) {
  for (const plan::StepLock& lock : from.locks) {
    const auto found = std::ranges::find(to.locks, lock.relation, &plan::StepLock::relation);
    if (found == to.locks.end()) {
      to.locks.push_back(lock);
    } else {
      found->mode = std::max(found->mode, lock.mode);
    }
  }
}

bool IsPlain(const plan::Plan& plan) {
  return std::ranges::all_of(
             plan.steps,
             [](const plan::Step& step) { return step.kind == plan::StepKind::kDdl; }) &&
         std::ranges::all_of(plan.statements, [](const plan::Statement& statement) {
           return statement.answer == plan::Answer::kAsIs ||
                  statement.answer == plan::Answer::kFails;
         });
}

// All statements in one step. What the planner holds to fail is left to the server: in one
// transaction a failure changes nothing.
void MakeOne(plan::Plan& plan, const std::string& text) {
  std::vector<std::string> statements = AsWritten(text);
  // What is written down behind them is ours, and by us.
  if (!statements.empty()) std::ranges::move(ResetsFor(text), std::back_inserter(statements));
  plan::Step one = plan::Ddl(plan::Phase::kExpand, std::move(statements), {},
                             "All statements of the migration, in one transaction.");
  one.id = "1-transaction";
  bool whole = true;  // each statement has a step that knows the way back
  for (const plan::Step& step : plan.steps) {
    AddLocks(step, one);
    one.undo.insert(one.undo.begin(), step.undo.begin(), step.undo.end());
    one.table_rewrite = one.table_rewrite || step.table_rewrite;
    one.table_scan = one.table_scan || step.table_scan;
    whole = whole && step.kind == plan::StepKind::kDdl && !step.point_of_no_return;
  }
  for (plan::Statement& statement : plan.statements) {
    whole = whole && statement.answer == plan::Answer::kAsIs;
    if (statement.answer != plan::Answer::kFails) continue;
    statement.answer = plan::Answer::kAsIs;
    statement.remarks.clear();
  }
  if (!whole) {
    one.undo.clear();
    one.point_of_no_return = true;
  }
  plan.steps.clear();
  if (!one.sql.empty()) plan.steps.push_back(std::move(one));
}

bool NeedsNoTransaction(const std::string& sql, const catalog::Schema& schema, int version) {
  const auto read = ast::ReadStatement(sql);
  return read && locks::EffectsOf(*read, schema, version).outside_transaction;
}

// Of each statement that the planner would carry out in steps: the statement itself, unless it
// cannot be in a transaction, which the steps know how to do.
void MakePlain(plan::Plan& plan, const catalog::Schema& schema) {
  std::vector<plan::Step> steps;
  for (std::size_t i = 0; i < plan.statements.size(); ++i) {
    plan::Statement& statement = plan.statements[i];
    std::vector<plan::Step> own;
    for (const plan::Step& step : plan.steps)
      if (step.statement == static_cast<int>(i)) own.push_back(step);
    const bool online =
        statement.answer == plan::Answer::kRewritten || statement.answer == plan::Answer::kLeastBad;
    if (online && !NeedsNoTransaction(statement.sql, schema, plan.server_version)) {
      plan::Step step = plan::Ddl(plan::Phase::kExpand, {statement.sql}, {}, "As it is written.");
      step.id = fmt::format("{}.1-ddl", i + 1);
      step.statement = static_cast<int>(i);
      step.point_of_no_return = true;
      for (const plan::Step& from : own) AddLocks(from, step);
      own = {std::move(step)};
      statement.answer = plan::Answer::kAsIs;
      statement.recipe.clear();
    }
    std::ranges::move(own, std::back_inserter(steps));
  }
  plan.steps = std::move(steps);
}

void LeaveOutGates(plan::Plan& plan) {
  std::erase_if(plan.steps,
                [](const plan::Step& step) { return step.kind == plan::StepKind::kGate; });
}

bool AnyOnline(const plan::Plan& plan) {
  return std::ranges::any_of(plan.statements, [](const plan::Statement& statement) {
    return statement.answer == plan::Answer::kRewritten;
  });
}

Composed Compose(const Script& script, const catalog::Schema& schema,
                 const plan::PlanOptions& options, Manner manner) {
  Composed composed;
  const Statements statements = Taking(script).Take();
  composed.plan = plan::MakePlan(statements.text, schema, options);
  if (!statements.refusal.empty()) {
    composed.refusal = statements.refusal;
    composed.hint = "write what the server is to be sent";
    return composed;
  }
  const bool together = statements.has_begin;
  const auto plan_plainly = [&] {
    if (manner == Manner::kAsWritten) MakePlain(composed.plan, schema);
  };
  plan_plainly();
  if (script.as_written || (together && IsPlain(composed.plan))) {
    MakeOne(composed.plan, statements.text);
    return composed;
  }
  LeavingOut leaving(statements.text);
  leaving.Leave();
  composed.remarks = leaving.remarks();
  if (!leaving.refusal().empty()) {
    composed.refusal = leaving.refusal();
    composed.hint =
        "write names with their schema, or ALTER ROLE … SET for the role that migrates; a "
        "migration of pgalter's own format with \"-- transaction: single\" in its header runs as "
        "it is written, and settings hold in it";
    return composed;
  }
  if (leaving.text() != statements.text) {
    composed.plan = plan::MakePlan(leaving.text(), schema, options);
    plan_plainly();
  }
  if (together) {
    composed.remarks.emplace_back(
        AnyOnline(composed.plan)
            ? "its statements do not share a transaction here: some are carried out in steps, so "
              "that nobody waits for them"
            : "its statements do not share a transaction here: some cannot be in one");
  }
  return composed;
}

std::string GateReason(const Section& section) {
  const auto reason = section.Find("reason");
  if (reason) return *reason;
  return section.kind == SectionKind::kGate
             ? fmt::format("the migration asks for it in line {}", section.line)
             : "what stands behind takes away what older programs use";
}

plan::Step GateOf(const Section& section, const std::string& name) {
  const auto soak = formats::ParseSoak(section.Find("soak").value_or("0s"));
  plan::Step step = plan::MakeGate(name, GateReason(section), soak.value_or(0));
  step.id = fmt::format("{}-gate", section.line);
  step.gate->check = section.Find("check").value_or("");
  return step;
}

plan::Backfill::Sync SyncOf(const Section& section) {
  const std::string sync = section.Find("sync").value_or("auto");
  if (sync == "none") return plan::Backfill::Sync::kNone;
  return sync == "keep" ? plan::Backfill::Sync::kKeep : plan::Backfill::Sync::kAuto;
}

plan::Step BackfillOf(const Section& section, std::string& refusal) {
  const auto table = sql::ParseQualifiedName(section.Find("table").value_or(""));
  if (!table) {
    refusal = fmt::format("line {}: table={} is no name of a table: {}", section.line,
                          section.Find("table").value_or(""), table.error().message);
    return {};
  }
  plan::Step step =
      plan::MakeBackfill(*table, section.Find("set").value_or(""),
                         section.Find("where").value_or(""), "Rows are changed in chunks.");
  step.id = fmt::format("{}-backfill", section.line);
  step.backfill->sync = SyncOf(section);
  return step;
}

// The planner's steps of each section between what the marks ask for. Behind a gate all is
// contract.
class Arranging {
 public:
  Arranging(const std::vector<Section>& sections, plan::Plan& plan)
      : sections_(sections), plan_(plan), steps_(std::move(plan.steps)) {}

  std::string Arrange();

 private:
  [[nodiscard]] std::size_t SectionAt(int line) const;
  void Push(plan::Step step);
  void PushGate(const Section& section);
  void PushStatements(std::size_t section);

  const std::vector<Section>& sections_;
  plan::Plan& plan_;
  std::vector<plan::Step> steps_;
  bool behind_gate_ = false;
};

std::size_t Arranging::SectionAt(int line) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < sections_.size(); ++i)
    if (sections_[i].line <= line) at = i;
  return at;
}

void Arranging::Push(plan::Step step) {
  if (behind_gate_) {
    step.phase = plan::Phase::kContract;
    step.backward_compatible = false;
  }
  plan_.steps.push_back(std::move(step));
}

void Arranging::PushGate(const Section& section) {
  std::string name =
      section.kind == SectionKind::kGate ? section.Find("").value_or("") : "contract";
  const auto taken = [&] {
    return std::ranges::any_of(
        plan_.steps, [&](const plan::Step& step) { return step.gate && step.gate->name == name; });
  };
  for (int n = 2; taken(); ++n)
    name = fmt::format("{}-{}", section.Find("").value_or("contract"), n);
  plan_.steps.push_back(GateOf(section, name));
  behind_gate_ = true;
}

void Arranging::PushStatements(std::size_t section) {
  for (plan::Step& step : steps_) {
    const int line = plan_.statements.at(static_cast<std::size_t>(step.statement)).line;
    if (SectionAt(line) != section) continue;
    // The author's gate in front of it asks the same.
    const bool again = step.gate && step.gate->soak_s == 0 && !plan_.steps.empty() &&
                       plan_.steps.back().kind == plan::StepKind::kGate;
    if (!again) Push(std::move(step));
  }
}

std::string Arranging::Arrange() {
  plan_.steps.clear();
  std::string refusal;
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const Section& section = sections_[i];
    const bool own_gate = i > 0 && sections_[i - 1].kind == SectionKind::kGate;
    if (section.kind == SectionKind::kGate || (section.kind == SectionKind::kContract && !own_gate))
      PushGate(section);
    if (section.kind == SectionKind::kBackfill) Push(BackfillOf(section, refusal));
    PushStatements(i);
  }
  return refusal;
}

bool HasMarks(const std::vector<Section>& sections) {
  return std::ranges::any_of(
      sections, [](const Section& section) { return section.kind != SectionKind::kUp; });
}

// Flyway fills them in everywhere, in the text of strings too, which nothing shows here.
std::optional<Composed> RefusePlaceholders(const Migration& migration, const Script& script) {
  if (migration.format != "flyway") return std::nullopt;
  for (const Piece& piece : sql::SplitScript(script.text)) {
    if (piece.kind == PieceKind::kComments) continue;
    for (std::size_t at = script.text.find("${", piece.span.begin);
         at != std::string::npos && at < piece.span.end; at = script.text.find("${", at + 2)) {
      const bool comment = std::ranges::any_of(piece.comments, [&](const sql::Comment& c) {
        return c.span.begin <= at && at < c.span.end;
      });
      if (comment) continue;
      Composed composed;
      composed.refusal = fmt::format("line {}: a placeholder of Flyway stands here: {}",
                                     sql::LineIndex(script.text).At(at).line,
                                     script.text.substr(at, script.text.find('}', at) - at + 1));
      composed.hint = "write what Flyway would put there";
      return composed;
    }
  }
  return std::nullopt;
}

}  // namespace

Composed ComposeUp(const Migration& migration, const catalog::Schema& schema,
                   const plan::PlanOptions& options, Manner manner) {
  if (auto refused = RefusePlaceholders(migration, migration.up)) return *std::move(refused);
  Composed composed = Compose(migration.up, schema, options, manner);
  if (!composed.refusal.empty()) return composed;
  if (HasMarks(migration.sections))
    composed.refusal = Arranging(migration.sections, composed.plan).Arrange();
  if (manner != Manner::kOnline) {
    LeaveOutGates(composed.plan);
    for (plan::Step& step : composed.plan.steps) step.phase = plan::Phase::kExpand;
  }
  return composed;
}

Composed ComposeDown(const Migration& migration, const catalog::Schema& schema,
                     const plan::PlanOptions& options) {
  if (auto refused = RefusePlaceholders(migration, *migration.down)) return *std::move(refused);
  Composed composed = Compose(*migration.down, schema, options, Manner::kOnline);
  LeaveOutGates(composed.plan);
  return composed;
}

catalog::Schema After(const std::string& statements, catalog::Schema schema) {
  for (const Piece& piece : sql::SplitScript(statements)) {
    if (piece.kind != PieceKind::kStatement) continue;
    if (const auto read = ast::ReadStatement(piece.sql)) schema.Apply(*read);
  }
  return schema;
}

}  // namespace pgalter::history
