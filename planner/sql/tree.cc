#include "planner/sql/tree.h"

#include <pg_query_walk.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "planner/sql/text.h"

namespace pgalter::sql::tree {
namespace {

constexpr std::string_view kSelect = "SELECT ";

// Not by recursion, nor is Walk: the switch over all types of messages has a large frame, and
// expressions are a thousand levels deep where a program wrote them.
template <class Change>
void ChangeLocations(pg_query::Node& root, const Change& change) {
  std::vector<std::pair<Type, google::protobuf::MessageLite*>> open{{Type::kNode, &root}};
  while (!open.empty()) {
    const auto [type, message] = open.back();
    open.pop_back();
    ChangeParts(type, *message, change, [&](Type part_type, google::protobuf::MessageLite& part) {
      open.emplace_back(part_type, &part);
    });
  }
}

// The value of `SELECT <value>`, null if the statement is anything more.
const pg_query::Node* OnlyValue(const pg_query::ParseResult& parsed) {
  if (parsed.stmts_size() != 1 || !parsed.stmts(0).stmt().has_select_stmt()) return nullptr;
  const auto& select = parsed.stmts(0).stmt().select_stmt();
  if (select.target_list_size() != 1) return nullptr;
  const auto& target = select.target_list(0).res_target();
  return target.has_val() && target.name().empty() ? &target.val() : nullptr;
}

Error NotOneExpression(int position) {
  return Error{"this is not one expression", position,
               "write a single SQL expression, such as lower(email)"};
}

}  // namespace

std::optional<AnyMessage> Inside(const pg_query::Node& node) {
  std::optional<AnyMessage> inside;
  VisitParts(Type::kNode, node, [&](Type type, const google::protobuf::MessageLite& part) {
    inside = AnyMessage(type, part);
  });
  return inside;
}

void Walk(AnyMessage root, const std::function<void(AnyMessage)>& visit) {
  std::vector<AnyMessage> open{root};
  while (!open.empty()) {
    const AnyMessage message = open.back();
    open.pop_back();
    visit(message);
    const auto parts = static_cast<std::ptrdiff_t>(open.size());
    VisitParts(message.type(), message.message(),
               [&](Type type, const google::protobuf::MessageLite& part) {
                 open.emplace_back(type, part);
               });
    std::reverse(open.begin() + parts, open.end());  // the first is visited first
  }
}

std::string Meaning(const pg_query::Node& root) {
  pg_query::Node copy = root;
  ChangeLocations(copy, [](int) { return 0; });
  return copy.SerializeAsString();
}

Error WithoutPrefix(Error error, std::size_t prefix_size, std::string_view text) {
  if (error.position == 0) return error;
  error.position =
      std::clamp(error.position - static_cast<int>(prefix_size), 1, CharacterAt(text, text.size()));
  return error;
}

Result<std::vector<grammar::Token>> ScanFragment(std::string_view text) {
  auto tokens = grammar::Scan(text);
  if (!tokens) return WithoutPrefix(tokens.error(), 0, text);
  for (const auto& token : *tokens) {
    const bool is_comment = token.IsComment();
    if (!is_comment && token.kind != pg_query::ASCII_59) continue;
    return Error{is_comment ? "a comment cannot stand here"
                            : "a semicolon cannot stand here: this is a part of one statement",
                 CharacterAt(text, token.begin), "leave it out"};
  }
  return tokens;
}

Result<Expression> ReadExpression(std::string_view text) {
  auto tokens = ScanFragment(text);
  if (!tokens) return tokens.error();
  if (tokens->empty()) return Error{"the expression is empty", 0, ""};
  auto bare = grammar::Parse(std::string(kSelect).append(text));
  if (!bare) return WithoutPrefix(bare.error(), kSelect.size(), text);
  const pg_query::Node* value = OnlyValue(*bare);
  if (value == nullptr) return NotOneExpression(0);
  // SELECT takes more than an expression (FROM, INTO, DISTINCT, a label); brackets take less than
  // SELECT. What both read alike is an expression and nothing else.
  const std::string bracketed_prefix = std::string(kSelect) + "(";
  const auto bracketed = grammar::Parse(std::string(bracketed_prefix).append(text) + ")");
  if (!bracketed) {
    const int position = WithoutPrefix(bracketed.error(), bracketed_prefix.size(), text).position;
    return NotOneExpression(position);
  }
  const pg_query::Node* bracketed_value = OnlyValue(*bracketed);
  if (bracketed_value == nullptr || Meaning(*value) != Meaning(*bracketed_value))
    return NotOneExpression(0);
  if (Contains<pg_query::SetToDefault>(*value)) {
    return Error{"DEFAULT is not an expression", 0, "write the default's own expression"};
  }
  Expression expression{std::string(text), *std::move(tokens), *value};
  ChangeLocations(expression.root, [](int location) {
    return location > 0 ? location - static_cast<int>(kSelect.size()) : location;
  });
  return expression;
}

}  // namespace pgalter::sql::tree
