#include "cli/serve/message.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <optional>

namespace pgalter::cli::serve {

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace

bool ReadTarget(std::string_view target, Request& request) {
  const std::size_t question = target.find('?');
  const auto path = Decode(target.substr(0, question));
  if (!path || !path->starts_with("/")) return false;
  request.path = *path;
  std::string_view rest =
      question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = Decode(pair.substr(0, equals));
    const auto value = Decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return false;
    request.query[*name] = *value;
  }
  return true;
}

Response ErrorResponse(int status, std::string_view what, std::string_view hint) {
  boost::json::object error{{"what", what}};
  error["hint"] = hint.empty() ? boost::json::value(nullptr) : boost::json::value(hint);
  Response response;
  response.status = status;
  response.body =
      boost::json::serialize(boost::json::object{{"version", 1}, {"error", std::move(error)}});
  return response;
}

}  // namespace pgalter::cli::serve
