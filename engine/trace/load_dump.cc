#include "engine/trace/load_dump.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "planner/sql/identifier.h"
#include "planner/sql/script.h"
#include "planner/sql/statement.h"

namespace pgalter::trace {

namespace {

using async::Task;

constexpr const char* kUndefinedObject = "42704";

// A sandbox speaks English: the name stands between the quotes.
std::optional<std::string> MissingRole(const pg::PgError& error) {
  const std::string& message = error.fields().message;
  constexpr std::string_view kBegin = "role \"";
  constexpr std::string_view kEnd = "\" does not exist";
  if (!error.Is(kUndefinedObject) || !message.starts_with(kBegin) || !message.ends_with(kEnd))
    return std::nullopt;
  return message.substr(kBegin.size(), message.size() - kBegin.size() - kEnd.size());
}

class Loader {
 public:
  Loader(pg::Connection& db, std::string_view text) : db_(db), text_(text) {}

  Task<> Run() {
    const std::vector<sql::Piece> pieces = sql::SplitScript(text_);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (pieces[i].kind != sql::PieceKind::kStatement) continue;
      const bool has_data =
          i + 1 < pieces.size() && pieces[i + 1].kind == sql::PieceKind::kCopyData;
      std::string_view data;
      if (has_data) data = TextOf(pieces[i + 1]);
      co_await RunOne(pieces[i].sql, data);
    }
  }

  Loaded loaded() && { return std::move(loaded_); }

 private:
  [[nodiscard]] std::string_view TextOf(const sql::Piece& piece) const {
    return text_.substr(piece.span.begin, piece.span.end - piece.span.begin);
  }

  Task<> RunOne(const std::string& statement, std::string_view data) {
    for (;;) {
      const auto refused = co_await Send(statement, data);
      if (!refused) {
        ++loaded_.statements;
        co_return;
      }
      if (!db_.open()) throw *refused;
      const auto role = MissingRole(*refused);
      if (!role) {
        loaded_.failures.push_back(fmt::format("{} ({}): {}", refused->fields().message,
                                               refused->sqlstate(),
                                               sql::NormaliseStatement(statement)));
        co_return;
      }
      co_await db_.Query(fmt::format("CREATE ROLE {}", sql::QuoteIdentifier(*role)));
      loaded_.roles.push_back(*role);
    }
  }

  Task<std::optional<pg::PgError>> Send(const std::string& statement, std::string_view data) {
    std::optional<pg::PgError> refused;
    bool given = false;
    auto source = [&]() -> std::optional<std::string> {
      if (std::exchange(given, true)) return std::nullopt;
      return std::string(data.substr(0, data.rfind("\\.")));
    };
    try {
      if (data.empty()) {
        co_await db_.Query(statement);
      } else {
        co_await db_.CopyIn(statement, source);
      }
    } catch (const pg::PgError& error) {
      refused = error;
    }
    co_return refused;
  }

  pg::Connection& db_;
  std::string_view text_;
  Loaded loaded_;
};

}  // namespace

Task<Loaded> LoadDump(pg::Connection& db, std::string_view text) {
  Loader loader(db, text);
  co_await loader.Run();
  co_return std::move(loader).loaded();
}

}  // namespace pgalter::trace
