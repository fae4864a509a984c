#include "planner/sql/identifier.h"

#include <algorithm>
#include <utility>

#include "planner/sql/keywords.h"
#include "planner/sql/text.h"

namespace pgalter::sql {
namespace {

constexpr std::size_t kMaxNameBytes = 63;  // NAMEDATALEN - 1
constexpr const char* kNameHint =
    "write name or schema.name; put double quotes around a part with capitals, spaces or dots, "
    "as in public.\"Order Items\"";

class NameReader {
 public:
  explicit NameReader(std::string_view text) : text_(text) {}

  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }

  bool TakeDot() {
    if (AtEnd() || text_[at_] != '.') return false;
    ++at_;
    return true;
  }

  Result<std::string> TakePart() {
    if (AtEnd()) return Fail("the name ends where a part of it is expected");
    const std::size_t start = at_;
    auto part = text_[at_] == '"' ? TakeQuoted() : TakePlain();
    if (part && part->size() > kMaxNameBytes) {
      at_ = start;
      return Fail("the name is longer than 63 bytes, which no PostgreSQL name is");
    }
    return part;
  }

  Error Fail(std::string message) const {
    return Error{std::move(message), CharacterAt(text_, at_), kNameHint};
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  Result<std::string> TakeQuoted() {
    const std::size_t start = at_++;
    std::string part;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c != '"') {
        part += c;
      } else if (at_ < text_.size() && text_[at_] == '"') {
        part += '"';
        ++at_;
      } else if (part.empty()) {
        at_ = start;
        return Fail("a quoted name is empty");
      } else {
        return part;
      }
    }
    at_ = start;
    return Fail("a quoted name has no closing quote");
  }

  Result<std::string> TakePlain() {
    if (!IsNameStart(text_[at_])) return Fail("a name cannot start here");
    std::string part;
    for (; at_ < text_.size() && IsNameByte(text_[at_]); ++at_) {
      const char c = text_[at_];
      part += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return part;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<QualifiedName> ParseQualifiedName(std::string_view text) {
  if (auto error = RefuseUnreadable(text)) return *std::move(error);
  NameReader reader(text);
  if (reader.AtEnd()) return Error{"the name is empty", 0, kNameHint};
  auto first = reader.TakePart();
  if (!first) return first.error();
  QualifiedName name{std::nullopt, *std::move(first)};
  if (reader.TakeDot()) {
    auto second = reader.TakePart();
    if (!second) return second.error();
    name = QualifiedName{std::move(name.name), *std::move(second)};
  }
  if (reader.TakeDot()) return reader.Fail("the name has more than two parts");
  if (!reader.AtEnd()) return reader.Fail("something follows the name");
  return name;
}

std::string ToString(const QualifiedName& name) {
  if (!name.schema) return QuoteIdentifier(name.name);
  return QuoteIdentifier(*name.schema) + "." + QuoteIdentifier(name.name);
}

std::string QuoteIdentifier(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool starts_plain = !name.empty() && !(name.front() >= '0' && name.front() <= '9');
  if (starts_plain && std::ranges::all_of(name, plain) && !NeedsQuotesAsKeyword(name)) {
    return std::string(name);
  }
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string QuoteLiteral(std::string_view value) {
  const bool escapes = value.find('\\') != std::string_view::npos;
  std::string quoted = escapes ? "E'" : "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace pgalter::sql
