#include "migrations/history/compose.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "migrations/formats/text.h"
#include "migrations/history/arrange.h"
#include "migrations/history/ending.h"
#include "migrations/history/release.h"
#include "migrations/history/settings.h"
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
  std::vector<std::string> statements = AsOneTransaction(text);
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
    if (plan::HasSteps(statement.answer)) continue;
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
    const bool refused = statement.answer == plan::Answer::kRefused;
    const bool online = refused || statement.answer == plan::Answer::kRewritten ||
                        statement.answer == plan::Answer::kLeastBad;
    if (online && !NeedsNoTransaction(statement.sql, schema, plan.server_version)) {
      plan::Step step = plan::Ddl(plan::Phase::kExpand, {statement.sql}, {}, "As it is written.");
      step.id = fmt::format("{}.1-ddl", i + 1);
      step.statement = static_cast<int>(i);
      step.point_of_no_return = true;
      for (const plan::Step& from : own) AddLocks(from, step);
      own = {std::move(step)};
      statement.answer = plan::Answer::kAsIs;
      statement.recipe.clear();
      if (refused) statement.remarks.clear();
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

std::vector<Ending> EndingsOf(Script script, const std::string& text) {
  script.text = text;
  return FindEndings(script);
}

std::string_view HowToBeAlone(const Script& script) {
  if (script.together)
    return "its file has to say, in its tool's way, that it is in no transaction (goose: NO "
           "TRANSACTION; Flyway: executeInTransaction=false; Liquibase: runInTransaction:false; "
           "Atlas: txmode none)";
  return "put it into a migration of pgalter's own format, without BEGIN, whose header is: "
         "\"-- pgalter: 1\" and, below it, \"-- transaction: none\"";
}

// Statements that end transactions are carried out alone; the plan has found that they need no
// other steps.
void LetAlone(const std::vector<Ending>& endings, plan::Plan& plan) {
  for (plan::Step& step : plan.steps) {
    const int line = plan.statements.at(static_cast<std::size_t>(step.statement)).line;
    if (std::ranges::find(endings, line, &Ending::line) == endings.end()) continue;
    step.kind = plan::StepKind::kAutocommit;
    step.transaction = plan::Transaction::kNone;
    step.explain = "It ends transactions itself, so it is in none. After a crash it runs again.";
  }
}

Composed Compose(const Script& script, const catalog::Schema& schema, plan::PlanOptions options,
                 Manner manner) {
  Composed composed;
  if (script.rebuild_matviews) options.matviews = plan::Matviews::kMadeAnew;
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
  const std::vector<Ending> endings = EndingsOf(script, statements.text);
  if (!endings.empty() && (script.as_written || together || !script.may_be_alone)) {
    composed.refusal = fmt::format("line {}: {} ends transactions, and would be in one",
                                   endings.front().line, endings.front().what);
    composed.hint = HowToBeAlone(script);
    return composed;
  }
  if (script.as_written || (together && IsPlain(composed.plan))) {
    MakeOne(composed.plan, statements.text);
    return composed;
  }
  const WithoutSettings without = LeaveOutSettings(statements.text);
  composed.remarks = without.remarks;
  if (!without.refusal.empty()) {
    composed.refusal = without.refusal;
    composed.hint =
        "write names with their schema, or ALTER ROLE … SET for the role that migrates; a "
        "migration of pgalter's own format with \"-- transaction: single\" in its header runs as "
        "it is written, and settings hold in it";
    return composed;
  }
  if (without.text != statements.text) {
    composed.plan = plan::MakePlan(without.text, schema, options);
    plan_plainly();
  }
  LetAlone(endings, composed.plan);
  if (together) {
    composed.remarks.emplace_back(
        AnyOnline(composed.plan)
            ? "its statements do not share a transaction here: some are carried out in steps, so "
              "that nobody waits for them"
            : "its statements do not share a transaction here: some cannot be in one");
  }
  return composed;
}

plan::PlanOptions Preferring(const Migration& migration, plan::PlanOptions options) {
  const auto said = std::ranges::find(migration.header, "prefer", &formats::HeaderKey::key);
  if (said != migration.header.end() && said->value == "rebuild")
    options.prefer = plan::Preference::kRebuild;
  const auto triggers =
      std::ranges::find(migration.header, "fire_triggers", &formats::HeaderKey::key);
  if (triggers != migration.header.end() && triggers->value == "yes")
    options.firing.accepted = true;
  return options;
}

// The planner advises options of `plan` and `run`, which no command for migrations has, or which
// the file says better.
void AdviseTheHeader(const Migration& migration, plan::Plan& plan) {
  const bool own = migration.format == "pgalter";
  const auto advise = [](std::string& remark, std::string_view option, std::string_view instead) {
    if (const auto at = remark.find(option); at != std::string::npos)
      remark.replace(at, option.size(), instead);
  };
  for (plan::Statement& statement : plan.statements)
    for (std::string& remark : statement.remarks) {
      advise(remark, "--prefer rebuild",
             own ? "\"-- prefer: rebuild\" in the header" : "pgalter run --prefer rebuild");
      if (own) advise(remark, "--fire-triggers", "\"-- fire_triggers: yes\" in the header");
    }
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
  Composed composed = Compose(migration.up, schema, Preferring(migration, options), manner);
  AdviseTheHeader(migration, composed.plan);
  if (!composed.refusal.empty()) return composed;
  if (HasMarks(migration.sections))
    composed.refusal = ArrangeSections(migration.sections, composed.plan);
  ReleaseAtEnd(composed.plan);
  if (manner != Manner::kOnline) {
    LeaveOutGates(composed.plan);
    for (plan::Step& step : composed.plan.steps) step.phase = plan::Phase::kExpand;
  }
  return composed;
}

Composed ComposeDown(const Migration& migration, const catalog::Schema& schema,
                     const plan::PlanOptions& options) {
  if (auto refused = RefusePlaceholders(migration, *migration.down)) return *std::move(refused);
  Composed composed =
      Compose(*migration.down, schema, Preferring(migration, options), Manner::kOnline);
  AdviseTheHeader(migration, composed.plan);
  ReleaseAtEnd(composed.plan);
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
