#include "cli/serve/access_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "engine/state/sha256.h"

namespace pgalter::cli::serve {

namespace {

constexpr std::string_view kCookieName = "pgalter";
constexpr std::string_view kBearer = "Bearer ";

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// "[::1]:8080" -> "[::1]", "localhost:8080" -> "localhost".
std::string NameOf(const std::string& host) {
  const std::size_t from = host.starts_with("[") ? std::min(host.find(']'), host.size()) : 0;
  return Lower(host.substr(0, host.find(':', from)));
}

bool KnownHost(const std::string& host, const Access& access) {
  const std::string name = NameOf(host);
  if (name == "localhost" || name == "127.0.0.1" || name == "[::1]") return true;
  return std::any_of(access.hosts.begin(), access.hosts.end(),
                     [&](const std::string& known) { return Lower(known) == name; });
}

// The same time whatever they have in common.
bool SameSecret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

bool BearsToken(const Request& request, const std::string& token) {
  const std::string sent = request.Header("authorization");
  return sent.starts_with(kBearer) && SameSecret(sent.substr(kBearer.size()), token);
}

bool HasCookie(const Request& request, const std::string& token) {
  const std::string cookies = request.Header("cookie");
  const std::string start = fmt::format("{}=", kCookieName);
  for (std::size_t from = 0; from < cookies.size();) {
    const std::size_t end = std::min(cookies.find(';', from), cookies.size());
    std::string_view pair = std::string_view(cookies).substr(from, end - from);
    while (pair.starts_with(" ")) pair.remove_prefix(1);
    if (pair.starts_with(start) && SameSecret(pair.substr(start.size()), CookieOf(token)))
      return true;
    from = end + 1;
  }
  return false;
}

std::optional<Response> RefuseWithoutToken(const Request& request, const Route& route,
                                           const Access& access) {
  // The page itself shows nothing, and asks for the token.
  const bool open = route.place == Place::kFile || route.place == Place::kHealth;
  if (access.token.empty() || open || BearsToken(request, access.token)) return std::nullopt;
  // A cookie is no proof that its owner meant to log in.
  if (route.place != Place::kLogin && HasCookie(request, access.token)) return std::nullopt;
  Response refused = ErrorResponse(
      401, "a token is needed",
      "open the address that `pgalter serve` printed, or send Authorization: Bearer TOKEN");
  refused.headers.emplace_back("WWW-Authenticate", "Bearer");
  return refused;
}

// A browser always says where a POST comes from; programs say nothing, and need no such guard. The
// header is one that another site's form cannot send.
std::optional<Response> RefuseForeignPost(const Request& request) {
  if (request.Header("x-pgalter").empty())
    return ErrorResponse(403, "a POST needs the header X-Pgalter",
                         "curl -H 'X-Pgalter: 1' …, or the buttons of the page");
  const std::string origin = Lower(request.Header("origin"));
  const std::string here = Lower(request.Header("host"));
  if (origin.empty() || origin == "http://" + here || origin == "https://" + here)
    return std::nullopt;
  return ErrorResponse(403, "the request comes from another site");
}

}  // namespace

std::string CookieOf(const std::string& token) {
  state::Sha256 sum;
  sum.Take("pgalter serve\n");
  sum.Take(token);
  return sum.Hex();
}

std::optional<Response> Refuse(const Request& request, const Route& route, const Access& access) {
  if (!KnownHost(request.Header("host"), access))
    return ErrorResponse(421, "it is not known by this name here",
                         "call it by 127.0.0.1 or localhost; other names are given with --host");
  const std::string site = request.Header("sec-fetch-site");
  const bool foreign = site == "cross-site" || site == "same-site";
  if (foreign && route.place != Place::kFile)
    return ErrorResponse(403, "the request comes from another site");
  const bool post = route.place == Place::kControl || route.place == Place::kLogin;
  if (post)
    if (auto refused = RefuseForeignPost(request)) return refused;
  if (auto refused = RefuseWithoutToken(request, route, access)) return refused;
  if (route.place == Place::kControl && access.control == Control::kReadOnly)
    return ErrorResponse(403, "this dashboard only shows",
                         "start it with: pgalter serve --allow-control");
  return std::nullopt;
}

Response Login(const Request& request, const Access& access) {
  Response response;
  response.status = 204;
  if (access.token.empty()) return response;
  const bool secure = request.Header("origin").starts_with("https://");
  response.headers.emplace_back(
      "Set-Cookie", fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/{}", kCookieName,
                                CookieOf(access.token), secure ? "; Secure" : ""));
  return response;
}

std::vector<std::pair<std::string, std::string>> SecurityHeaders() {
  return {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src "
       "'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-store"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
  };
}

}  // namespace pgalter::cli::serve
