#pragma once

// Reading parse trees whatever their shape. Private to planner/sql. What messages there are, and
// what is in each, is generated from the library's own definition (walk.awk): no list of node types
// here grows old with the grammar.

#include <pg_query_types.h>

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/grammar.h"
#include "planner/sql/result.h"

namespace pgalter::sql::tree {

// Some message of a tree, which has to outlive it.
class AnyMessage {
 public:
  using Base = google::protobuf::MessageLite;

  template <std::derived_from<Base> T>
  AnyMessage(const T& message) : type_(TypeOf<T>::value), message_(&message) {}
  AnyMessage(Type type, const Base& message) : type_(type), message_(&message) {}

  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] const Base& message() const { return *message_; }
  // As the definition calls its type.
  [[nodiscard]] std::string_view name() const {
    return kTypeNames[static_cast<std::size_t>(type_)];
  }
  // nullptr: it is of another type.
  template <class T>
  [[nodiscard]] const T* As() const {
    return type_ == TypeOf<T>::value ? static_cast<const T*>(message_) : nullptr;
  }

  bool operator==(const AnyMessage&) const = default;

 private:
  Type type_;
  const Base* message_;
};

// What the node is; none: nothing.
[[nodiscard]] std::optional<AnyMessage> Inside(const pg_query::Node& node);

// Visits every message in the order of the text, `root` first.
void Walk(AnyMessage root, const std::function<void(AnyMessage)>& visit);

// Calls `visit` for every message of one type.
template <class T, class Visit>
void ForEach(AnyMessage root, const Visit& visit) {
  Walk(root, [&](AnyMessage message) {
    if (const T* found = message.As<T>()) visit(*found);
  });
}

template <class T>
[[nodiscard]] bool Contains(AnyMessage root) {
  bool found = false;
  ForEach<T>(root, [&](const T&) { found = true; });
  return found;
}

// The tree as bytes, without where in the text its parts stand: equal for texts that mean the same.
[[nodiscard]] std::string Meaning(const pg_query::Node& root);

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
