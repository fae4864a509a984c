#pragma once

// Reading parse trees whatever their shape. Private to planner/sql. Works by reflection: no list of
// node types here grows old with the grammar.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/grammar.h"
#include "planner/sql/result.h"

namespace pgalter::sql::tree {

// Visits every message in the order of the text, `root` first.
void Walk(const google::protobuf::Message& root,
          const std::function<void(const google::protobuf::Message&)>& visit);

// Calls `visit` for every message of one type.
template <class T, class Visit>
void ForEach(const google::protobuf::Message& root, const Visit& visit) {
  const auto* type = T::descriptor();
  Walk(root, [&](const google::protobuf::Message& message) {
    if (message.GetDescriptor() == type) visit(static_cast<const T&>(message));
  });
}

template <class T>
[[nodiscard]] bool Contains(const google::protobuf::Message& root) {
  bool found = false;
  ForEach<T>(root, [&](const T&) { found = true; });
  return found;
}

// The tree as bytes, without where in the text its parts stand: equal for texts that mean the same.
[[nodiscard]] std::string Meaning(const google::protobuf::Message& root);

// One expression and nothing else. `text` is what was read: it may be put between brackets into any
// statement, since comments and semicolons are refused and brackets are known to pair up inside it.
struct Expression {
  std::string text;
  std::vector<grammar::Token> tokens;
  pg_query::Node root;  // locations are byte offsets into `text`
};
[[nodiscard]] Result<Expression> ReadExpression(std::string_view text);

// The error of a text that stood after `prefix_size` ASCII characters of ours, as an error of
// `text` alone.
[[nodiscard]] Error WithoutPrefix(Error error, std::size_t prefix_size, std::string_view text);

// Refuses comments (one could swallow what follows once the text is put into a statement) and
// semicolons.
[[nodiscard]] Result<std::vector<grammar::Token>> ScanFragment(std::string_view text);

}  // namespace pgalter::sql::tree
