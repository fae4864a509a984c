// Who may ask for what. The dashboard listens on the loopback interface alone, but every page that
// the operator's browser has open can send requests there, and every user of the machine: names
// that lead here by somebody else's DNS, requests that other sites start, and where a token is
// asked for, everybody without it, are refused. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/serve/message.h"
#include "cli/serve/routes.h"

namespace pgalter::cli::serve {

enum class Control { kReadOnly, kAllowed };

struct Access {
  std::vector<std::string> hosts;  // by which it may be called besides the loopback's names
  std::string token;               // empty: none is asked for
  Control control = Control::kReadOnly;
};

// What a browser keeps instead of the token; the same after a restart.
std::string CookieOf(const std::string& token);

// Nothing: go on. What is refused says why, and never what the token is.
std::optional<Response> Refuse(const Request& request, const Route& route, const Access& access);

// Once Refuse has let the token through: the cookie, for Set-Cookie.
Response Login(const Request& request, const Access& access);

// On every answer.
std::vector<std::pair<std::string, std::string>> SecurityHeaders();

}  // namespace pgalter::cli::serve
