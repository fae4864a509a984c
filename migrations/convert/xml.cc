#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "migrations/convert/node.h"

namespace pgalter::convert {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr int kDeepest = 200;

class Reading {
 public:
  explicit Reading(std::string_view text) : text_(text) {}

  Node Read() {
    SkipMisc();
    Node root = ReadElement(0);
    SkipMisc();
    if (at_ < text_.size()) Fail("something stands behind the last element");
    return root;
  }

 private:
  [[noreturn]] void Fail(std::string_view what) const {
    const auto read = text_.substr(0, std::min(at_, text_.size()));
    throw Unreadable(fmt::format("line {}: {}", 1 + std::ranges::count(read, '\n'), what));
  }
  [[nodiscard]] bool Is(std::string_view mark) const { return text_.substr(at_).starts_with(mark); }
  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size()); }
  // Up to `mark`, and past it.
  std::string_view Until(std::string_view mark, std::string_view what) {
    const std::size_t end = text_.find(mark, at_);
    if (end == std::string_view::npos) Fail(fmt::format("{} has no end", what));
    const auto inside = text_.substr(at_, end - at_);
    at_ = end + mark.size();
    return inside;
  }
  bool SkipComment() {
    if (!Is("<!--")) return false;
    at_ += 4;
    Until("-->", "a comment");
    return true;
  }
  void SkipMisc();
  std::string_view Name();
  void ReadAttributes(Node& node);
  Node ReadElement(int depth);
  void ReadContent(Node& node, int depth);
  std::string Decoded(std::string_view raw);
  std::string Entity(std::string_view name);

  std::string_view text_;
  std::size_t at_ = 0;
};

void Reading::SkipMisc() {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (at_ == 0 && Is(kByteOrderMark)) at_ += kByteOrderMark.size();
  for (;;) {
    SkipBlanks();
    if (SkipComment()) continue;
    if (Is("<?")) {
      Until("?>", "a declaration");
    } else if (Is("<!DOCTYPE")) {
      Fail("a DOCTYPE is not read");
    } else {
      return;
    }
  }
}

std::string_view Reading::Name() {
  const std::size_t end = text_.find_first_of(" \t\r\n=/><", at_);
  const auto name = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
  if (name.empty()) Fail("a name is missing");
  at_ += name.size();
  return name;
}

std::string Reading::Entity(std::string_view name) {
  if (name == "lt") return "<";
  if (name == "gt") return ">";
  if (name == "amp") return "&";
  if (name == "quot") return "\"";
  if (name == "apos") return "'";
  unsigned code = 0;
  if (name.starts_with("#")) {
    const bool hex = name.starts_with("#x");
    const auto digits = name.substr(hex ? 2 : 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    if (error != std::errc() || end != digits.data() + digits.size()) code = 0;
  }
  if (code == 0 || code > 0x7F) Fail(fmt::format("&{}; is not known", name));
  return {static_cast<char>(code)};
}

std::string Reading::Decoded(std::string_view raw) {
  std::string text;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '&') {
      text += raw[i];
      continue;
    }
    const std::size_t end = raw.find(';', i);
    if (end == std::string_view::npos) Fail("& without its ;");
    text += Entity(raw.substr(i + 1, end - i - 1));
    i = end;
  }
  return text;
}

void Reading::ReadAttributes(Node& node) {
  for (;;) {
    SkipBlanks();
    if (at_ >= text_.size()) Fail(fmt::format("<{} has no end", node.name));
    if (Is("/") || Is(">")) return;
    const std::string name(Name());
    SkipBlanks();
    if (!Is("=")) Fail(fmt::format("{} has no value", name));
    ++at_;
    SkipBlanks();
    if (!Is("\"") && !Is("'")) Fail(fmt::format("the value of {} has no quote", name));
    const std::string quote(1, text_[at_++]);
    node.attributes.emplace_back(name, Decoded(Until(quote, "a value")));
  }
}

void Reading::ReadContent(Node& node, int depth) {
  for (;;) {
    if (at_ >= text_.size()) Fail(fmt::format("<{}> has no end", node.name));
    if (SkipComment()) continue;
    if (Is("<![CDATA[")) {
      at_ += 9;
      node.text += Until("]]>", "CDATA");
    } else if (Is("</")) {
      at_ += 2;
      std::string_view name = Name();
      name.remove_prefix(name.rfind(':') + 1);
      if (name != node.name) Fail(fmt::format("</{}> ends <{}>", name, node.name));
      SkipBlanks();
      if (!Is(">")) Fail(fmt::format("</{} has no end", name));
      ++at_;
      return;
    } else if (Is("<?")) {
      Until("?>", "an instruction");
    } else if (Is("<")) {
      node.children.push_back(ReadElement(depth + 1));
    } else {
      const std::size_t end = std::min(text_.find('<', at_), text_.size());
      node.text += Decoded(text_.substr(at_, end - at_));
      at_ = end;
    }
  }
}

Node Reading::ReadElement(int depth) {
  if (depth > kDeepest) Fail("elements stand too deep in one another");
  if (!Is("<")) Fail("an element is missing");
  ++at_;
  Node node;
  const std::string_view name = Name();
  node.name = name.substr(name.rfind(':') + 1);  // without its namespace
  ReadAttributes(node);
  if (Is("/>")) {
    at_ += 2;
    return node;
  }
  if (!Is(">")) Fail(fmt::format("<{} has no end", node.name));
  ++at_;
  ReadContent(node, depth);
  return node;
}

}  // namespace

Node ReadXml(std::string_view text) { return Reading(text).Read(); }

std::string Node::Attribute(std::string_view key) const {
  const auto found = std::ranges::find(attributes, key,
                                       [](const auto& one) { return std::string_view(one.first); });
  return found == attributes.end() ? "" : found->second;
}

}  // namespace pgalter::convert
