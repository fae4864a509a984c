// Any bytes as a script: split, read, recognised, masked. What has to hold whatever they are is
// checked; the rest is up to the sanitizers.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "planner/sql/ast/recover.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/newer_syntax.h"
#include "planner/sql/script.h"
#include "planner/sql/statement.h"

namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void ReadBody(const pgalter::sql::ast::Statement& statement) {
  using namespace pgalter::sql::ast;
  if (const auto* block = statement.As<DoBlock>()) (void)ReadPlpgsql(*block);
  if (const auto* function = statement.As<CreateFunction>()) (void)ReadPlpgsql(*function);
}

void ReadPiece(const std::string& sql) {
  namespace sql_room = pgalter::sql;
  (void)sql_room::NormaliseStatement(sql);
  if (const auto statement = sql_room::ast::ReadStatement(sql)) {
    ReadBody(*statement);
  } else if (const auto newer = sql_room::RecogniseNewer(sql)) {
    Require(newer->major >= 16, "a newer form has a version");
    if (newer->statement) ReadBody(*newer->statement);
  } else {
    std::size_t end = 0;
    for (const sql_room::Span& part : sql_room::ast::StatementsWithin(sql)) {
      Require(part.begin >= end && part.begin < part.end && part.end <= sql.size(),
              "what is read of broken text stands in it, in order");
      end = part.end;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using pgalter::sql::PieceKind;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t end = 0;
  for (const auto& piece : pgalter::sql::SplitScript(text)) {
    Require(piece.span.begin >= end, "pieces are disjoint and in order");
    Require(piece.span.end >= piece.span.begin, "a piece does not end before it begins");
    Require(piece.span.end <= size, "a piece is inside the text");
    end = piece.span.end;
    if (piece.kind != PieceKind::kStatement) continue;
    Require(piece.sql.size() == piece.span.end - piece.span.begin,
            "positions in what is read are positions in the text");
    ReadPiece(piece.sql);
  }
  return 0;
}
