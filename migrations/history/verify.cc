#include "migrations/history/verify.h"

#include <fmt/format.h>

#include <optional>

#include "engine/guard/transaction.h"
#include "planner/sql/line_index.h"
#include "planner/sql/script.h"

namespace pgalter::history {

namespace {

std::string Judge(const pg::Result& rows) {
  if (rows.columns() == 0) return "it is no query";
  if (rows.empty()) return "it returns no row";
  for (int i = 0; i < rows.rows(); ++i)
    if (rows.IsNull(i, 0) || (rows.Bytes(i, 0) != "t" && rows.Bytes(i, 0) != "true"))
      return rows.rows() == 1 ? "it says no"
                              : fmt::format("row {} of {} says no", i + 1, rows.rows());
  return "";
}

Task<std::string> Ask(guard::Session& session, const guard::Settings& settings, std::string sql) {
  guard::TransactionOptions read_only;
  read_only.access = guard::Access::kReadOnly;
  std::string why;
  auto ask = [&]() -> Task<> {
    for (const auto& [name, value] : settings)
      co_await session.db().Query("SELECT pg_catalog.set_config($1, $2, true)", name, value);
    const pg::Result rows = co_await session.db().Query(sql);
    why = Judge(rows);
  };
  try {
    co_await guard::RunInTransaction(session, read_only, ask);
  } catch (const pg::PgError& error) {
    if (!session.open()) throw;
    why = fmt::format("{} (SQLSTATE {})", error.fields().message, error.sqlstate());
  }
  co_return why;
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
      answer.why = co_await Ask(session, settings, answer.question);
    }
    answer.holds = answer.why.empty();
    answers.push_back(std::move(answer));
  }
  co_return answers;
}

}  // namespace pgalter::history
