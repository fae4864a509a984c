#include "planner/lint/render/uri.h"

#include <fmt/format.h>

#include "planner/lint/render/unicode.h"

namespace pgalter::lint {

namespace {

// RFC 3986: what a path segment may hold as it stands, and the slash. Not the colon: at the front
// it would make a scheme of the name.
bool IsPlain(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool digit = c >= '0' && c <= '9';
  return letter || digit || std::string_view("-._~!$&'()*+,;=@/").find(c) != std::string_view::npos;
}

std::string_view WithoutDot(std::string_view path) {
  while (path.starts_with("./")) {
    path.remove_prefix(2);
    while (path.starts_with('/')) path.remove_prefix(1);
  }
  return path;
}

}  // namespace

std::string HostPath(std::string_view path) { return ValidUtf8(WithoutDot(path)); }

std::string FileUri(std::string_view path) {
  std::string uri = IsAbsolute(path) ? "file://" : "";
  for (const char c : WithoutDot(path)) {
    if (IsPlain(c)) {
      uri += c;
    } else {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

}  // namespace pgalter::lint
