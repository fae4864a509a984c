#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

#include "planner/sql/ast/dynamic_text.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/grammar.h"
#include "planner/sql/script.h"

namespace pgalter::sql::ast {
namespace {

namespace json = boost::json;
using std::string_view_literals::operator""sv;

constexpr std::size_t kMaxDepth =
    2'000;  // blocks in blocks; the library's own recursion ends first

std::string_view TextOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

// The query of a PLpgSQL_expr that stands in `object` under `key`.
std::string_view QueryOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_object()) return {};
  const json::value* expression = value->get_object().if_contains("PLpgSQL_expr");
  if (expression == nullptr || !expression->is_object()) return {};
  return TextOf(expression->get_object(), "query");
}

bool IsLoop(std::string_view kind) {
  constexpr std::array kLoops{"PLpgSQL_stmt_loop"sv,   "PLpgSQL_stmt_while"sv,
                              "PLpgSQL_stmt_fori"sv,   "PLpgSQL_stmt_fors"sv,
                              "PLpgSQL_stmt_forc"sv,   "PLpgSQL_stmt_foreach_a"sv,
                              "PLpgSQL_stmt_dynfors"sv};
  return std::ranges::find(kLoops, kind) != kLoops.end();
}

// In the order of the tree, which is the order of the text.
class Reader {
 public:
  explicit Reader(Embedded& read) : read_(read) {}

  void Visit(const json::value& value) {
    if (value.is_array()) {
      for (const json::value& item : value.get_array()) Visit(item);
    } else if (value.is_object()) {
      for (const auto& [key, part] : value.get_object()) {
        if (part.is_object()) VisitStatement(key, part.get_object());
        const bool loop = IsLoop(key);
        loops_ += loop ? 1 : 0;
        Visit(part);
        loops_ -= loop ? 1 : 0;
      }
    }
  }

 private:
  void VisitStatement(std::string_view kind, const json::object& statement);
  void Add(std::string_view text);
  void AddDynamic(std::string_view expression);

  Embedded& read_;
  int line_ = 1;
  int loops_ = 0;  // around
};

void Reader::VisitStatement(std::string_view kind, const json::object& statement) {
  if (const json::value* line = statement.if_contains("lineno");
      line != nullptr && line->is_int64())
    line_ = static_cast<int>(line->get_int64());
  if (kind == "PLpgSQL_stmt_execsql") Add(QueryOf(statement, "sqlstmt"));
  if (kind == "PLpgSQL_stmt_perform" || kind == "PLpgSQL_stmt_call")
    Add(QueryOf(statement, "expr"));
  if (kind == "PLpgSQL_stmt_fors" || kind == "PLpgSQL_stmt_return_query" ||
      kind == "PLpgSQL_stmt_open")
    Add(QueryOf(statement, "query"));
  if (kind == "PLpgSQL_stmt_commit") Add("COMMIT");
  if (kind == "PLpgSQL_stmt_rollback") Add("ROLLBACK");
  if (kind == "PLpgSQL_stmt_dynexecute" || kind == "PLpgSQL_stmt_dynfors")
    AddDynamic(QueryOf(statement, "query"));
  if (kind == "PLpgSQL_stmt_return_query" || kind == "PLpgSQL_stmt_open")
    AddDynamic(QueryOf(statement, "dynquery"));
}

void Reader::Add(std::string_view text) {
  if (text.empty()) return;
  read_.statements.emplace_back(text);
  read_.lines.push_back(line_);
  read_.in_loop.push_back(loops_ > 0);
}

void Reader::AddDynamic(std::string_view expression) {
  if (expression.empty()) return;
  const auto text = DynamicText(expression);
  if (!text) {
    ++read_.dynamic;
    return;
  }
  for (const Piece& piece : SplitScript(*text))
    if (piece.kind == PieceKind::kStatement) Add(piece.sql);
}

Result<Embedded> Read(const std::string& statement, std::string_view body) {
  const auto tree = grammar::ParsePlpgsql(statement, body);
  if (!tree) return tree.error();
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code failed;
  const json::value value = json::parse(*tree, failed, {}, options);
  if (failed) return Error{"the body is nested too deeply", 0, ""};
  Embedded read;
  Reader(read).Visit(value);
  return read;
}

// A mark that the text does not hold.
std::string DollarQuoteFor(std::string_view text) {
  std::string mark = "$do$";
  for (int i = 0; text.find(mark) != std::string_view::npos; ++i)
    mark = "$do" + std::to_string(i) + "$";
  return mark;
}

}  // namespace

Result<Embedded> ReadPlpgsql(const DoBlock& block) {
  if (block.language != "plpgsql") return Embedded{};
  const std::string mark = DollarQuoteFor(block.body);
  return Read("DO " + mark + block.body + mark, block.body);
}

Result<Embedded> ReadPlpgsql(const CreateFunction& function) {
  if (function.language != "plpgsql") return Embedded{};
  return Read(function.text, function.body);
}

}  // namespace pgalter::sql::ast
