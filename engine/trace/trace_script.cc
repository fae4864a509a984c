#include "engine/trace/trace_script.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "planner/sql/newer_syntax.h"

namespace pgalter::trace {

namespace {

using sql::Piece;
using sql::PieceKind;

constexpr const char* kActiveTransaction = "25001";
constexpr int kVersionOfMajor = 10000;

std::optional<sql::ast::Statement> Read(const std::string& text) {
  auto statement = sql::ast::ReadStatement(text);
  if (statement) return std::move(statement).value();
  auto newer = sql::RecogniseNewer(text);
  if (newer) return std::move(newer->statement);
  return std::nullopt;
}

std::string FirstTable(const locks::Effects& said, const catalog::Schema& schema) {
  for (const locks::Lock& lock : said.locks)
    if (!lock.index && schema.FindTable(lock.relation) != nullptr)
      return sql::ToString(schema.Resolve(lock.relation));
  return {};
}

class Tracer {
 public:
  Tracer(TraceSessions sessions, Script script, catalog::Schema schema)
      : db_(sessions.script),
        watchers_(sessions.watchers),
        script_(std::move(script)),
        schema_(std::move(schema)) {}

  Task<> Run() {
    const std::vector<Piece> pieces = sql::SplitScript(script_.text);
    for (const ScriptPart& part : script_.parts) co_await RunPart(part, pieces);
    if (db_.open() && db_.in_transaction()) co_await db_.Execute("ROLLBACK");
  }

  std::vector<Traced> traced() && { return std::move(traced_); }

 private:
  Task<> RunPart(ScriptPart part, const std::vector<Piece>& pieces) {
    if (part.transaction && !failed_) co_await db_.Execute("BEGIN");
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Piece& piece = pieces[i];
      if (piece.span.begin < part.span.begin || piece.span.end > part.span.end) continue;
      if (piece.kind == PieceKind::kComments || piece.kind == PieceKind::kCopyData) continue;
      std::string_view data;
      if (i + 1 < pieces.size() && pieces[i + 1].kind == PieceKind::kCopyData)
        data = TextOf(pieces[i + 1]);
      co_await RunPiece(piece, data);
    }
    if (part.transaction && !failed_) co_await CommitPart(part);
  }

  // What is deferred fails only here.
  Task<> CommitPart(ScriptPart part) {
    Traced commit;
    commit.span = {part.span.end, part.span.end};
    commit.sql = "COMMIT";
    commit.place = Place::kScriptTransaction;
    co_await Send(commit);
    if (commit.end == End::kFailed) traced_.push_back(std::move(commit));
  }

  [[nodiscard]] std::string_view TextOf(const Piece& piece) const {
    return script_.text.substr(piece.span.begin, piece.span.end - piece.span.begin);
  }

  Task<> RunPiece(const Piece& piece, std::string_view data) {
    Traced traced;
    traced.span = piece.span;
    traced.sql = piece.sql;
    if (piece.kind != PieceKind::kStatement) {
      traced.sql = TextOf(piece);
      traced.why = piece.kind == PieceKind::kMeta ? "a psql command is not run"
                                                  : "it has no end, or cannot be read";
    } else if (failed_) {
      traced.why = "a statement before it failed";
    } else if (!data.empty()) {
      traced.place = WhereNow();
      co_await CopyIn(traced, data);
    } else {
      co_await RunStatement(traced);
    }
    failed_ = failed_ || traced.end == End::kFailed;
    traced_.push_back(std::move(traced));
  }

  [[nodiscard]] Place WhereNow() const {
    return db_.in_transaction() ? Place::kScriptTransaction : Place::kOwnTransaction;
  }

  Task<> RunStatement(Traced& traced) {
    const auto statement = Read(traced.sql);
    traced.place = WhereNow();
    if (statement) {
      traced.said = locks::EffectsOf(*statement, schema_, db_.server_version() / kVersionOfMajor);
      if (traced.said->outside_transaction && traced.place == Place::kOwnTransaction)
        traced.place = Place::kOutside;
    }
    const bool is_verb = statement && statement->As<sql::ast::Transaction>() != nullptr;
    if (is_verb) {
      co_await Send(traced);
    } else if (traced.place == Place::kOutside) {
      co_await RunAlone(traced);
    } else if (traced.place == Place::kScriptTransaction) {
      co_await RunInside(traced);
    } else {
      co_await RunInOwn(traced);
    }
    if (traced.end == End::kDone && traced.said && !is_verb)
      traced.differences = Differences(*traced.said, traced.seen, schema_, Strictness::kHarm);
    if (traced.end == End::kDone && statement) schema_.Apply(*statement);
  }

  Task<> Send(Traced& traced) {
    const auto begun = async::Clock::now();
    try {
      co_await db_.Query(traced.sql);
    } catch (const pg::PgError& error) {
      traced.seen.sqlstate = error.sqlstate();
      traced.seen.message = error.fields().message;
    }
    Ended(traced, Since(begun));
  }

  Task<> RunInside(Traced& traced) {
    traced.seen = co_await ObserveInside(db_, traced.sql);
    Ended(traced, traced.seen.seconds);
  }

  Task<> RunInOwn(Traced& traced) {
    co_await db_.Execute("BEGIN");
    traced.seen = co_await ObserveInside(db_, traced.sql);
    double seconds = traced.seen.seconds;
    if (db_.open() && traced.seen.sqlstate.empty()) {
      Traced commit;
      commit.sql = "COMMIT";
      co_await Send(commit);
      seconds += commit.seconds;
      traced.seen.sqlstate = commit.seen.sqlstate;
      traced.seen.message = commit.seen.message;
    }
    Ended(traced, seconds);
    if (db_.open() && db_.in_transaction()) co_await db_.Execute("ROLLBACK");
    if (traced.seen.sqlstate == kActiveTransaction) {
      traced.place = Place::kOutside;
      co_await RunAlone(traced);
    }
  }

  Task<> RunAlone(Traced& traced) {
    std::string table;
    if (traced.said) table = FirstTable(*traced.said, schema_);
    traced.seen = co_await ObserveAlone(db_, traced.sql, std::move(table), watchers_);
    Ended(traced, traced.seen.seconds);
  }

  // The rows that stand in the script after COPY ... FROM stdin.
  Task<> CopyIn(Traced& traced, std::string_view data) {
    const auto end = data.rfind("\\.");
    bool given = false;
    auto source = [&]() -> std::optional<std::string> {
      if (std::exchange(given, true)) return std::nullopt;
      return std::string(data.substr(0, end));
    };
    const auto begun = async::Clock::now();
    try {
      co_await db_.CopyIn(traced.sql, source);
    } catch (const pg::PgError& error) {
      traced.seen.sqlstate = error.sqlstate();
      traced.seen.message = error.fields().message;
    }
    Ended(traced, Since(begun));
  }

  static double Since(async::Clock::time_point begun) {
    return std::chrono::duration<double>(async::Clock::now() - begun).count();
  }
  static void Ended(Traced& traced, double seconds) {
    traced.seconds = seconds;
    traced.end = traced.seen.sqlstate.empty() ? End::kDone : End::kFailed;
  }

  pg::Connection& db_;
  Watchers watchers_;
  Script script_;
  catalog::Schema schema_;
  std::vector<Traced> traced_;
  bool failed_ = false;
};

}  // namespace

Task<std::vector<Traced>> TraceScript(TraceSessions sessions, Script script,
                                      catalog::Schema schema) {
  Tracer tracer(sessions, std::move(script), std::move(schema));
  co_await tracer.Run();
  co_return std::move(tracer).traced();
}

}  // namespace pgalter::trace
