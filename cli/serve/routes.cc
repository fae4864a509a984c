#include "cli/serve/routes.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

#include "cli/serve/assets.h"

namespace pgalter::cli::serve {

namespace {

struct Fixed {
  std::string_view path;
  std::string_view method;
  Place place;
};

constexpr std::array kFixed{
    Fixed{"/api/runs", "GET", Place::kRuns},
    Fixed{"/api/locks", "GET", Place::kLocks},
    Fixed{"/api/events", "GET", Place::kEvents},
    Fixed{"/api/login", "POST", Place::kLogin},
    Fixed{"/api/maintenance", "GET", Place::kMaintenance},
    Fixed{"/metrics", "GET", Place::kMetrics},
    Fixed{"/healthz", "GET", Place::kHealth},
};

constexpr std::string_view kRunPrefix = "/api/runs/";

struct Known {
  Route route;
  std::string_view method;
};

std::optional<Known> FindPath(const std::string& path) {
  for (const Fixed& fixed : kFixed)
    if (fixed.path == path) return Known{{fixed.place, "", "", ""}, fixed.method};
  if (path.starts_with(kRunPrefix)) {
    const std::string rest = path.substr(kRunPrefix.size());
    const std::size_t slash = rest.find('/');
    const std::string run = rest.substr(0, slash);
    if (run.empty()) return std::nullopt;
    if (slash == std::string::npos) return Known{{Place::kRun, run, "", ""}, "GET"};
    const std::string action = rest.substr(slash + 1);
    if (action.empty() || action.find('/') != std::string::npos) return std::nullopt;
    return Known{{Place::kControl, run, action, ""}, "POST"};
  }
  const std::string file = path == "/" ? "index.html" : path.substr(1);
  if (FindAsset(file) != nullptr) return Known{{Place::kFile, "", "", file}, "GET"};
  return std::nullopt;
}

}  // namespace

std::variant<Route, Response> FindRoute(const Request& request) {
  const auto known = FindPath(request.path);
  if (!known) return ErrorResponse(404, "there is nothing at this address");
  const bool fits =
      request.method == known->method || (known->method == "GET" && request.method == "HEAD");
  if (fits) return known->route;
  Response refused = ErrorResponse(405, fmt::format("this address takes {}", known->method));
  refused.headers.emplace_back("Allow", known->method == "GET" ? "GET, HEAD" : known->method);
  return refused;
}

}  // namespace pgalter::cli::serve
