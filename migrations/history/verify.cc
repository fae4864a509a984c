#include "migrations/history/verify.h"

#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <optional>

#include "engine/guard/transaction.h"
#include "migrations/history/assertion.h"
#include "planner/sql/line_index.h"
#include "planner/sql/script.h"

namespace pgalter::history {

namespace {

constexpr std::string_view kInsufficientPrivilege = "42501";

std::string Judge(const pg::Result& rows) {
  if (rows.columns() == 0) return "it is no query";
  if (rows.empty()) return "it returns no row";
  for (int i = 0; i < rows.rows(); ++i)
    if (rows.IsNull(i, 0) || (rows.Bytes(i, 0) != "t" && rows.Bytes(i, 0) != "true"))
      return rows.rows() == 1 ? "it says no"
                              : fmt::format("row {} of {} says no", i + 1, rows.rows());
  return "";
}

// Of a query that says why in its second column.
std::string JudgeNamed(const Assertion& assertion, const pg::Result& rows) {
  if (rows.empty()) return assertion.otherwise;
  for (int i = 0; i < rows.rows(); ++i) {
    if (!rows.IsNull(i, 0) && rows.Bytes(i, 0) == "t") continue;
    return rows.columns() > 1 ? rows.Get<std::string>(i, 1) : assertion.otherwise;
  }
  return "";
}

// One question in its own transaction. It ends before the next is asked, whatever becomes of it.
class Asking {
 public:
  Asking(guard::Session& session, const guard::Settings& settings)
      : session_(session), settings_(settings) {}

  Task<std::string> Ask(std::string sql);
  Task<std::string> Ask(Assertion assertion);

 private:
  Task<std::string> AskNamed(const Assertion& assertion);
  Task<std::string> AskAsRole(const Assertion& assertion);
  Task<pg::Result> SendInner(const Assertion& assertion, std::string sql);
  // Why not, for what the server refuses.
  Task<std::string> InTransaction(std::function<Task<std::string>()> ask);

  guard::Session& session_;
  const guard::Settings& settings_;
  bool is_role_ = false;      // the role was taken
  bool was_refused_ = false;  // there is no answer
  bool was_denied_ = false;   // by 42501, once the role was taken
};

Task<std::string> Asking::InTransaction(std::function<Task<std::string>()> ask) {
  guard::TransactionOptions read_only;
  read_only.access = guard::Access::kReadOnly;
  std::string why;
  auto inside = [&]() -> Task<> {
    for (const auto& [name, value] : settings_)
      co_await session_.db().Query("SELECT pg_catalog.set_config($1, $2, true)", name, value);
    why = co_await ask();
  };
  try {
    co_await guard::RunInTransaction(session_, read_only, inside);
  } catch (const pg::PgError& error) {
    if (!session_.open()) throw;
    was_refused_ = true;
    was_denied_ = is_role_ && error.Is(kInsufficientPrivilege);
    why = fmt::format("{} (SQLSTATE {})", error.fields().message, error.sqlstate());
  }
  co_return why;
}

Task<std::string> Asking::Ask(std::string sql) {
  auto ask = [this, &sql]() -> Task<std::string> {
    const pg::Result rows = co_await session_.db().Query(sql);
    co_return Judge(rows);
  };
  co_return co_await InTransaction(ask);
}

// A server that logs statements logs what is bound to them, unless a superuser says otherwise.
constexpr const char* kQuiet =
    "SELECT pg_catalog.set_config('log_parameter_max_length', '0', true) FROM pg_catalog.pg_roles"
    " WHERE rolname = current_user AND rolsuper";

Task<pg::Result> Asking::SendInner(const Assertion& assertion, std::string sql) {
  if (assertion.secret.empty()) co_return co_await session_.db().Query(std::move(sql));
  co_await session_.db().Query(kQuiet);
  const char* secret = std::getenv(assertion.secret.c_str());
  const std::string bound = secret == nullptr ? "" : secret;
  co_return co_await session_.db().Query(std::move(sql), bound);
}

Task<std::string> Asking::AskNamed(const Assertion& assertion) {
  const pg::Result rows = co_await session_.db().Query(assertion.sql);
  if (!assertion.gives_sql || rows.empty()) co_return JudgeNamed(assertion, rows);
  for (int i = 0; i < rows.rows(); ++i) {
    const std::string sql = rows.Get<std::string>(i, 0);
    const pg::Result inner = co_await SendInner(assertion, sql);
    const std::string why = JudgeNamed(assertion, inner);
    if (!why.empty()) co_return why;
  }
  co_return "";
}

Task<std::string> Asking::AskAsRole(const Assertion& assertion) {
  // As its own programs do: policies that hide rows hide them here.
  co_await session_.db().Query("SELECT pg_catalog.set_config('row_security', 'on', true)");
  co_await session_.db().Query("SELECT pg_catalog.set_config('role', $1, true)", assertion.role);
  is_role_ = true;
  const pg::Result rows = co_await session_.db().Query(assertion.sql);
  if (assertion.is_denied) co_return fmt::format("{} may ask it", assertion.role);
  co_return Judge(rows);
}

Task<std::string> Asking::Ask(Assertion assertion) {
  if (!assertion.secret.empty()) {
    const char* secret = std::getenv(assertion.secret.c_str());
    if (secret == nullptr || *secret == '\0')
      co_return fmt::format("the environment has no variable {}", assertion.secret);
  }
  auto ask = [this, &assertion]() -> Task<std::string> {
    if (!assertion.role.empty()) co_return co_await AskAsRole(assertion);
    co_return co_await AskNamed(assertion);
  };
  std::string why = co_await InTransaction(ask);
  if (assertion.is_denied && was_denied_) co_return "";
  if (was_refused_ || !assertion.negated) co_return why;
  if (why.empty()) co_return "it holds, and should not";
  co_return "";
}

Task<std::string> Answer(guard::Session& session, const guard::Settings& settings,
                         std::string question) {
  Asking asking(session, settings);
  ReadAssertion read = ParseAssertion(question);
  if (read.problem) co_return read.problem->what;
  if (read.assertion) co_return co_await asking.Ask(*std::move(read.assertion));
  co_return co_await asking.Ask(std::move(question));
}

}  // namespace

Task<std::vector<Answered>> Verify(guard::Session& session, guard::Settings settings,
                                   std::string section) {
  std::vector<Answered> answers;
  const sql::LineIndex lines(section);
  const auto pieces = sql::SplitScript(section);
  for (const sql::Piece& piece : pieces) {
    if (piece.kind == sql::PieceKind::kComments) continue;
    Answered answer;
    answer.line = lines.At(piece.span.begin).line;
    answer.question = section.substr(piece.span.begin, piece.span.end - piece.span.begin);
    if (piece.kind != sql::PieceKind::kStatement) {
      answer.why = "this is not a whole statement";
    } else {
      const auto begin = std::chrono::steady_clock::now();
      answer.why = co_await Answer(session, settings, answer.question);
      answer.took = std::chrono::steady_clock::now() - begin;
    }
    answer.holds = answer.why.empty();
    answers.push_back(std::move(answer));
  }
  co_return answers;
}

}  // namespace pgalter::history
