#include "planner/lint/linter.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>

#include "planner/lint/doubt.h"
#include "planner/lint/routines.h"
#include "planner/lint/rules.h"
#include "planner/lint/suppression.h"
#include "planner/sql/ast/recover.h"
#include "planner/sql/newer_syntax.h"

namespace pgalter::lint {

namespace {

using sql::Piece;
using sql::PieceKind;
using sql::Span;
using sql::ast::Statement;

constexpr std::string_view kParseErrorId = "parse-error";
constexpr std::string_view kNewerSyntaxId = "newer-syntax";
constexpr std::string_view kInTransactionId = "concurrently-in-transaction";
constexpr std::string_view kUnusedIgnoreId = "unused-ignore";
constexpr std::string_view kReasonlessIgnoreId = "ignore-without-reason";

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Blanks count once, so that indenting a statement anew leaves its fingerprint alone.
std::uint64_t HashOf(std::string_view text, std::uint64_t hash) {
  constexpr std::uint64_t kPrime = 0x100000001b3;  // FNV-1a
  bool blank = false;
  for (const char c : text) {
    const bool space = IsBlank(c);
    if (space && blank) continue;
    blank = space;
    hash = (hash ^ static_cast<unsigned char>(space ? ' ' : c)) * kPrime;
  }
  return hash;
}

// One file on its way through the rules.
class FileLinter {
 public:
  FileLinter(const File& file, int index, const Options& options, catalog::Schema& schema,
             Timeline& timeline, Routines& routines, Result& result)
      : file_(file),
        index_(index),
        options_(options),
        schema_(schema),
        timeline_(timeline),
        routines_(routines),
        result_(result) {}

  // All files are read before the first is judged.
  void Read() {
    if (file_.parts.empty()) {
      ReadPart({{0, file_.text.size()}, Sending::kOneByOne});
    } else {
      for (const Part& part : file_.parts) ReadPart(part);
    }
  }
  // `before`: whose session goes on here.
  void Judge(const FileLinter* before, bool goes_on) {
    goes_on_ = goes_on;
    shows_history_ = schema_.ShowsHistory();
    if (before != nullptr) {
      transaction_ = before->transaction_;
      session_ = before->session_;
    }
    for (const Script& script : scripts_) JudgeScript(script);
    if (file_.judged) Suppress();
    scripts_.clear();
  }

 private:
  struct Script {
    Sending sending = Sending::kOneByOne;
    std::vector<ScriptStatement> statements;
    std::ptrdiff_t count = 0;  // with those that were not understood
    bool last_understood = true;
  };
  enum class Place { kScript, kEmbedded, kOwnTransaction };

  void ReadPart(const Part& part);
  void ReadPiece(const Piece& piece, Span span, Script& script);
  void ReadBroken(const Piece& piece, Span span, const std::string& why, Script& script);
  void AddStatement(Statement statement, Span span, Script& script);
  void JudgeScript(const Script& script);
  void JudgeInside(const ScriptStatement& outer, Transaction& transaction, Place outside,
                   int depth);
  void JudgeOne(std::span<const ScriptStatement> all, std::size_t at, Transaction& transaction,
                Place place, bool last);
  void Say(const Rule& rule, const ScriptStatement& read, Remark remark);
  void SayAt(std::string_view rule_id, Span span, std::string message);
  void Suppress();
  [[nodiscard]] bool Wanted(const Rule& rule) const;

  const File& file_;
  int index_;
  const Options& options_;
  catalog::Schema& schema_;
  Timeline& timeline_;
  Routines& routines_;
  Result& result_;
  std::vector<Script> scripts_;
  std::vector<Suppression> suppressions_;
  std::vector<Span> statements_;
  std::map<std::uint64_t, int> occurrences_;
  int inside_ = 0;        // statements of bodies that were judged
  bool guarded_ = false;  // the body that is looked at, or one that calls it
  bool goes_on_ = false;  // with the file after it
  bool shows_history_ = false;
  Transaction transaction_{TransactionKind::kNone};
  SessionSettings session_{options_.assumed_lock_timeout, options_.assumed_statement_timeout};
};

bool FileLinter::Wanted(const Rule& rule) const {
  if (options_.off.contains(rule.id)) return false;
  return rule.by_default == Default::kOn || options_.on.contains(rule.id);
}

void FileLinter::Say(const Rule& rule, const ScriptStatement& read, Remark remark) {
  Finding finding;
  finding.rule = rule.id;
  finding.category = rule.category;
  finding.severity = remark.severity.value_or(rule.severity);
  if (const auto given = options_.severities.find(rule.id); given != options_.severities.end())
    finding.severity = given->second;
  finding.file = index_;
  finding.span = remark.span.value_or(read.span);
  finding.message = remark.message.empty() ? std::string(rule.title) : std::move(remark.message);
  finding.remedy = remark.remedy.empty() ? std::string(rule.remedy) : std::move(remark.remedy);
  finding.lock = std::move(remark.lock);
  finding.table_rewrite = remark.table_rewrite;
  finding.table_scan = remark.table_scan;
  finding.fix = std::move(remark.fix);
  constexpr std::uint64_t kBasis = 0xcbf29ce484222325;
  const std::uint64_t hash =
      HashOf(read.text, HashOf(finding.rule, HashOf(file_.name, kBasis) ^ 1) ^ 2);
  finding.fingerprint = fmt::format("{:016x}{:04x}", hash, occurrences_[hash]++);
  result_.findings.push_back(std::move(finding));
}

void FileLinter::SayAt(std::string_view rule_id, Span span, std::string message) {
  if (!file_.judged) return;
  const Rule* rule = FindRule(rule_id);
  if (rule == nullptr || !Wanted(*rule)) return;
  Remark remark;
  remark.message = std::move(message);
  const std::string_view text =
      std::string_view(file_.text).substr(span.begin, span.end - span.begin);
  Say(*rule, {Statement{}, text, span, false}, std::move(remark));
}

void FileLinter::JudgeOne(std::span<const ScriptStatement> all, std::size_t at,
                          Transaction& transaction, Place place, bool last) {
  const ScriptStatement& read = all[at];
  const bool of_nothing = shows_history_ && IsOfNothingKnown(read.statement, schema_);
  const locks::Effects effects =
      of_nothing ? locks::Effects()
                 : locks::EffectsOf(read.statement, schema_, options_.server_version);
  const bool kept_back = guarded_ && place != Place::kScript && IsKeptBack(effects);
  if (file_.judged) {
    ++result_.statements;
    const Context context{read.statement,
                          read.text,
                          read.span,
                          schema_,
                          effects,
                          transaction,
                          session_,
                          options_,
                          all.first(at),
                          all.subspan(at + 1),
                          timeline_,
                          {index_, read.span.begin},
                          place != Place::kScript,
                          read.in_loop,
                          place == Place::kOwnTransaction,
                          last};
    // A column that is missed may have been added where nobody could read it.
    const bool may_be_there = routines_.ran_dynamic() && IsOnlyUnknown(effects);
    for (const Rule* rule : AllRules()) {
      if (rule->check == nullptr || !Wanted(*rule)) continue;
      const bool doubtful = may_be_there && rule == &kRefusedStatement;
      rule->check(context, [&](Remark remark) {
        if (of_nothing || kept_back || doubtful) remark.severity = Severity::kNote;
        Say(*rule, read, std::move(remark));
      });
    }
  }
  // The server refuses it: the transaction around is not the body's.
  if (place == Place::kEmbedded && read.statement.As<sql::ast::Transaction>() != nullptr) return;
  session_.Step(read.statement, transaction.kind());
  const bool was_open = transaction.open();
  transaction.Step(read.statement, effects, schema_, read.span);
  if (was_open && !transaction.open()) session_.EndTransaction();
  schema_.Apply(read.statement);
  routines_.Learn(read.statement);
}

// What a DO block, or a routine that the statement calls, runs in its turn: in one transaction,
// whatever is around it.
void FileLinter::JudgeInside(const ScriptStatement& outer, Transaction& transaction, Place outside,
                             int depth) {
  constexpr int kMostCalls = 4;  // of each other
  // Of a file: bodies may call one another again and again.
  constexpr int kMostStatements = 10'000;
  if (depth > kMostCalls || inside_ > kMostStatements) return;
  if (outside == Place::kScript)
    guarded_ = outer.statement.As<sql::ast::DoBlock>() == nullptr || HasGuards(outer.text);
  for (const sql::ast::Embedded& body : routines_.Inside(outer.statement)) {
    if (body.dynamic > 0 || std::ranges::any_of(body.statements, HasComputedName))
      routines_.RanDynamic();
    Transaction own(TransactionKind::kImplied, Transaction::AfterCommit::kAgain);
    const bool begins = !transaction.open();
    const bool own_before = outside == Place::kOwnTransaction;
    const Place place = begins || own_before ? Place::kOwnTransaction : Place::kEmbedded;
    Transaction& around = begins ? own : transaction;
    std::vector<ScriptStatement> statements;
    for (std::size_t i = 0; i < body.statements.size(); ++i) {
      auto statement = sql::ast::ReadStatement(body.statements[i]);
      if (statement)
        statements.push_back(
            {std::move(*statement), body.statements[i], outer.span, body.in_loop[i]});
    }
    for (std::size_t i = 0; i < statements.size(); ++i) {
      ++inside_;
      JudgeOne(statements, i, around, place, false);
      JudgeInside(statements[i], around, place, depth + 1);
    }
    if (begins) session_.EndTransaction();
  }
}

void FileLinter::AddStatement(Statement statement, Span span, Script& script) {
  timeline_.Add(statement, {index_, span.begin});
  const std::string_view written =
      std::string_view(file_.text).substr(span.begin, span.end - span.begin);
  script.statements.push_back({std::move(statement), written, span, false});
}

// A semicolon may be missing: what is broken hides no statement after it.
void FileLinter::ReadBroken(const Piece& piece, Span span, const std::string& why, Script& script) {
  const std::vector<Span> within = sql::ast::StatementsWithin(piece.sql);
  const auto next = std::ranges::find_if(within, [](const Span& part) { return part.begin > 0; });
  Span broken = span;
  if (next != within.end()) broken.end = span.begin + next->begin;
  while (broken.end > broken.begin + 1 && IsBlank(file_.text[broken.end - 1])) --broken.end;
  statements_.push_back(broken);
  SayAt(kParseErrorId, broken, fmt::format("this is not read as SQL: {}", why));
  for (const Span& part : within) {
    const Span whole{span.begin + part.begin, span.begin + part.end};
    auto statement = sql::ast::ReadStatement(
        std::string_view(piece.sql).substr(part.begin, part.end - part.begin));
    if (!statement) continue;
    if (part.begin > 0) statements_.push_back(whole);
    ++script.count;
    AddStatement(std::move(*statement), whole, script);
  }
}

void FileLinter::ReadPiece(const Piece& piece, Span span, Script& script) {
  if (auto statement = sql::ast::ReadStatement(piece.sql)) {
    statements_.push_back(span);
    script.last_understood = true;
    return AddStatement(std::move(*statement), span, script);
  } else if (auto newer = sql::RecogniseNewer(piece.sql)) {
    statements_.push_back(span);
    SayAt(kNewerSyntaxId, span,
          fmt::format("{} needs PostgreSQL {}; it was read by pattern", newer->what, newer->major));
    script.last_understood = newer->statement.has_value();
    if (newer->statement) AddStatement(std::move(*newer->statement), span, script);
  } else {
    script.last_understood = false;
    ReadBroken(piece, span, statement.error().message, script);
  }
}

void FileLinter::ReadPart(const Part& part) {
  const std::string_view text =
      std::string_view(file_.text).substr(part.span.begin, part.span.end - part.span.begin);
  Script& script = scripts_.emplace_back();
  script.sending = part.sending;
  if (!part.refusal.empty()) SayAt(kInTransactionId, part.refused_at, part.refusal);
  for (const Piece& piece : sql::SplitScript(text)) {
    const Span span{part.span.begin + piece.span.begin, part.span.begin + piece.span.end};
    for (const sql::Comment& comment : piece.comments) {
      auto suppression = ReadSuppression(comment);
      if (!suppression) continue;
      suppression->span.begin += part.span.begin;
      suppression->span.end += part.span.begin;
      suppressions_.push_back(std::move(*suppression));
    }
    if (piece.kind == PieceKind::kUnclosed)
      SayAt(kParseErrorId, span, "a string, comment or quoted body has no end");
    if (piece.kind == PieceKind::kWide)
      SayAt(kParseErrorId, span,
            "the text is UTF-16 or UTF-32: save it as UTF-8, as psql reads it");
    if (piece.kind != PieceKind::kStatement) continue;
    ++script.count;
    ReadPiece(piece, span, script);
  }
}

void FileLinter::JudgeScript(const Script& script) {
  const bool implied = script.sending == Sending::kTransaction ||
                       (script.sending == Sending::kOneQuery && script.count > 1);
  if (implied || !transaction_.open()) {
    transaction_ =
        Transaction(implied ? TransactionKind::kImplied : TransactionKind::kNone,
                    script.sending == Sending::kOneQuery ? Transaction::AfterCommit::kAgain
                                                         : Transaction::AfterCommit::kNothing);
  }
  for (std::size_t i = 0; i < script.statements.size(); ++i) {
    const bool last = script.last_understood && !goes_on_ && i + 1 == script.statements.size();
    JudgeOne(script.statements, i, transaction_, Place::kScript, last);
    JudgeInside(script.statements[i], transaction_, Place::kScript, 0);
  }
  if (implied) {
    session_.EndTransaction();
    transaction_ = Transaction(TransactionKind::kNone);
  }
}

// An ignore comment covers the statement it stands in, on whose last line it stands, or that
// follows.
void FileLinter::Suppress() {
  if (suppressions_.empty()) return;
  const std::string_view text = file_.text;
  const auto covered = [&](const Suppression& suppression, const Finding& finding) {
    if (!suppression.Covers(finding.rule)) return false;
    if (suppression.whole_file) return true;
    const Span& span = finding.span;
    if (suppression.span.begin >= span.begin && suppression.span.begin < span.end) return true;
    if (suppression.span.begin >= span.end) {
      const auto between = text.substr(span.end, suppression.span.begin - span.end);
      return between.find('\n') == std::string_view::npos && between.size() < 200;
    }
    const auto next = std::ranges::find_if(
        statements_, [&](const Span& s) { return s.begin >= suppression.span.end; });
    return next != statements_.end() && span.begin >= next->begin && span.begin < next->end;
  };
  for (Finding& finding : result_.findings) {
    if (finding.file != index_) continue;
    for (Suppression& suppression : suppressions_) {
      if (!covered(suppression, finding)) continue;
      suppression.used = true;
      if (!suppression.reason.empty() || suppression.foreign)
        finding.suppressed =
            suppression.reason.empty() ? "ignored by a comment" : suppression.reason;
    }
  }
  for (const Suppression& suppression : suppressions_) {
    if (!suppression.foreign && suppression.reason.empty())
      SayAt(kReasonlessIgnoreId, suppression.span,
            "an ignore comment without a reason has no effect");
    else if (!suppression.used && !suppression.foreign)
      SayAt(kUnusedIgnoreId, suppression.span, "this ignore comment silences nothing");
  }
}

}  // namespace

Result Lint(const std::vector<File>& files, const Options& options, catalog::Schema schema) {
  Result result;
  Timeline timeline;
  Routines routines;
  std::deque<FileLinter> linters;  // they stay where they are
  for (std::size_t i = 0; i < files.size(); ++i)
    linters.emplace_back(files[i], static_cast<int>(i), options, schema, timeline, routines, result)
        .Read();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool continues = files[i].continues && i > 0;
    if (!files[i].with_previous && !continues) schema.BeginRun();
    const bool goes_on = i + 1 < files.size() && files[i + 1].continues;
    linters[i].Judge(continues ? &linters[i - 1] : nullptr, goes_on);
  }
  std::ranges::stable_sort(result.findings, [](const Finding& a, const Finding& b) {
    return std::pair(a.file, a.span.begin) < std::pair(b.file, b.span.begin);
  });
  return result;
}

}  // namespace pgalter::lint
