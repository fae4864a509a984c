#include "cli/serve/site.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <charconv>

#include "cli/lock_tree.h"
#include "cli/report.h"
#include "cli/serve/assets.h"
#include "cli/serve/metrics.h"
#include "cli/serve/openmetrics.h"
#include "cli/serve/routes.h"
#include "cli/serve/run_json.h"
#include "engine/lock/locks_view.h"

namespace pgalter::cli::serve {

namespace json = boost::json;

namespace {

constexpr async::Milliseconds kHeartbeat{15'000};
// Events of one moment go out together.
constexpr async::Milliseconds kGather{50};
constexpr std::chrono::seconds kFresh{1};
constexpr int kMostPoints = 1'500;
constexpr int kPoints = 600;
constexpr int kEpisodes = 20;

Response JsonResponse(const json::object& body) {
  Response response;
  response.body = json::serialize(body);
  return response;
}

json::object LinkJson(const Link& link) {
  json::object object{{"connected", link.connected}, {"as_of", link.as_of}};
  object["problem"] = link.problem.empty() ? json::value(nullptr) : json::value(link.problem);
  return object;
}

template <class T>
T NumberOr(const Request& request, const std::string& name, T fallback) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  T number{};
  const char* end = found->second.data() + found->second.size();
  const auto read = std::from_chars(found->second.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? number : fallback;
}

int StatusOf(run::ExitCode code) {
  switch (code) {
    case ExitCode::kUsage:
      return 400;
    case ExitCode::kRefused:
      return 409;
    case ExitCode::kConnection:
      return 503;
    case ExitCode::kUnsupported:
      return 403;
    default:
      return 500;
  }
}

bool ShowsRuns(Place place) {
  return place == Place::kRuns || place == Place::kRun || place == Place::kMetrics ||
         place == Place::kControl;
}

Response Failed(const std::exception_ptr& error) {
  const run::Verdict verdict = Judge(error);
  return ErrorResponse(StatusOf(verdict.code), verdict.text, verdict.hint);
}

json::object MaintenanceJson(const Maintenance& maintenance) {
  json::array tables;
  for (const Maintained& table : maintenance.tables()) tables.push_back(ToJson(table));
  const std::int64_t every =
      std::chrono::duration_cast<std::chrono::seconds>(maintenance.every()).count();
  json::object object{{"version", 1}, {"tables", std::move(tables)}};
  object["every_s"] = maintenance.asked() ? json::value(every) : json::value(nullptr);
  const std::string& problem = maintenance.problem();
  object["problem"] = problem.empty() ? json::value(nullptr) : json::value(problem);
  return object;
}

Response FileResponse(const std::string& name) {
  const Asset& asset = *FindAsset(name);
  Response response;
  response.type = asset.type;
  response.body = asset.text;
  return response;
}

std::string EventText(std::string_view name, std::int64_t id, std::string_view data) {
  return fmt::format("event: {}\nid: {}\ndata: {}\n\n", name, id, data);
}

}  // namespace

Task<Response> Site::Answer(Request request) {
  const auto found = FindRoute(request);
  if (const auto* refused = std::get_if<Response>(&found)) co_return *refused;
  const Route route = std::get<Route>(found);
  if (auto refused = Refuse(request, route, options_.access)) co_return *refused;
  std::exception_ptr failure;
  try {
    if (ShowsRuns(route.place)) co_await feed_.Freshen();
    co_return co_await AnswerRoute(request, route);
  } catch (const Unavailable& error) {
    co_return ErrorResponse(503, fmt::format("the database is not reached: {}", error.what()));
  } catch (...) {
    failure = std::current_exception();
  }
  if (async::IsCancellation(failure)) std::rethrow_exception(failure);
  co_return Failed(failure);
}

Task<Response> Site::AnswerRoute(const Request& request, const Route& route) {
  switch (route.place) {
    case Place::kFile:
      co_return FileResponse(route.file);
    case Place::kLogin:
      co_return Login(request, options_.access);
    case Place::kRuns:
      co_return Runs();
    case Place::kRun:
      co_return co_await Details(request, route);
    case Place::kLocks:
      co_return co_await Locks();
    case Place::kMaintenance:
      co_return JsonResponse(MaintenanceJson(maintenance_));
    case Place::kEvents:
      co_return Events();
    case Place::kControl:
      co_return co_await Obey(request, route);
    case Place::kMetrics:
      co_return co_await Metrics();
    case Place::kHealth:
      co_return Health();
  }
  co_return ErrorResponse(404, "there is nothing at this address");
}

Response Site::Runs() const {
  std::string runs;
  for (const ShownRun* shown : feed_.Runs()) runs += (runs.empty() ? "" : ",") + shown->json;
  Response response;
  response.body = fmt::format(R"({{"version":1,"link":{},"control":{},"runs":[{}]}})",
                              json::serialize(LinkJson(feed_.link())),
                              options_.access.control == Control::kAllowed, runs);
  return response;
}

Task<Response> Site::Details(const Request& request, const Route& route) {
  const ShownRun* shown = feed_.Find(route.run);
  if (shown == nullptr)
    co_return ErrorResponse(404, fmt::format("there is no run {} here", route.run),
                            "/api/runs lists them");
  const std::string id = shown->run.id;
  const int points = std::clamp(NumberOr(request, "points", kPoints), 1, kMostPoints);
  const double since = NumberOr(request, "since", 0.0);
  const std::string key = fmt::format("{} {} {}", id, points, since);
  const auto now = async::Clock::now();
  std::erase_if(kept_, [&](const auto& entry) { return now - entry.second.at > kFresh; });
  Response response;
  if (const auto kept = kept_.find(key); kept != kept_.end()) {
    response.body = kept->second.body;
    co_return response;
  }
  RunDetails details;
  auto read = [&](guard::Session& session) -> Task<bool> {
    details.steps = co_await state::ViewSteps(session, id);
    details.control = co_await state::ViewControl(session, id);
    details.samples = co_await state::ViewSamples(session, id, since, points);
    details.lock_episodes = co_await state::LockEpisodes(session, id, kEpisodes);
    co_return true;
  };
  co_await feed_.Ask(read);
  shown = feed_.Find(id);
  if (shown == nullptr) co_return ErrorResponse(404, fmt::format("run {} is forgotten", id));
  json::object body = DetailsJson(shown->run, shown->runner, details);
  body["version"] = 1;
  body["link"] = LinkJson(feed_.link());
  response = JsonResponse(body);
  kept_[key] = {async::Clock::now(), response.body};
  co_return response;
}

Task<Response> Site::Locks() {
  const std::string key = "locks";
  const auto now = async::Clock::now();
  Response response;
  if (const auto kept = kept_.find(key); kept != kept_.end() && now - kept->second.at < kFresh) {
    response.body = kept->second.body;
    co_return response;
  }
  auto read = [](guard::Session& session) -> Task<std::vector<lock::LockNode>> {
    co_return co_await lock::ReadLocks(session, std::nullopt);
  };
  const auto trees = co_await feed_.Ask(read);
  response = JsonResponse(LocksJson(trees));
  kept_[key] = {async::Clock::now(), response.body};
  co_return response;
}

Task<Response> Site::Metrics() {
  MetricsInput input;
  input.version = options_.version;
  auto read = [&](guard::Session& session) -> Task<bool> {
    input.blocked_seconds = co_await state::BlockedSeconds(session);
    input.log_ends = co_await state::LogEnds(session, "");
    input.lock_waiters = co_await state::CountLockWaiters(session);
    co_return true;
  };
  std::exception_ptr failure;
  try {
    co_await feed_.Ask(read);
  } catch (...) {
    failure = std::current_exception();
  }
  // A scrape of a dashboard whose database is away says just that.
  if (async::IsCancellation(failure)) std::rethrow_exception(failure);
  input.connected = feed_.link().connected && !failure;
  for (const ShownRun* shown : feed_.Runs()) input.runs.push_back({shown->run, shown->runner});
  for (const Maintained& table : maintenance_.tables())
    input.maintained.push_back(
        {table.table, table.succeeded, table.failures, table.failing, table.made});
  Response response;
  response.type = Exposition::kContentType;
  response.body = MetricsText(input);
  co_return response;
}

Task<Response> Site::Obey(const Request& request, const Route& route) {
  const ShownRun* shown = feed_.Find(route.run);
  if (shown == nullptr || shown->run.id != route.run)
    co_return ErrorResponse(404, "there is no such run here; to change one its whole id is needed");
  const std::string said = co_await controller_(route.run, route.action, request.body);
  co_return JsonResponse({{"version", 1}, {"run", route.run}, {"done", said}});
}

Response Site::Health() const {
  Response response = JsonResponse({{"version", 1}, {"link", LinkJson(feed_.link())}});
  if (!feed_.link().connected) response.status = 503;
  return response;
}

Response Site::Events() {
  Response response;
  response.type = "text/event-stream";
  response.events = [this](EventWriter& writer) { return SendEvents(writer); };
  return response;
}

std::string Site::LinkEvent() const {
  json::object link = LinkJson(feed_.link());
  link["version"] = 1;
  link["control"] = options_.access.control == Control::kAllowed;
  return EventText("link", feed_.revision(), json::serialize(link));
}

// All of them where some that were seen are gone; else those that changed since.
std::string Site::RunsEvent(std::int64_t seen) const {
  const bool all = seen < feed_.removal_revision() || seen < 0;
  std::string runs;
  for (const ShownRun* shown : feed_.Runs())
    if (all || shown->revision > seen) runs += (runs.empty() ? "" : ",") + shown->json;
  if (runs.empty() && !all) return "";
  return EventText("runs", feed_.revision(),
                   fmt::format(R"({{"version":1,"all":{},"as_of":"{}","runs":[{}]}})", all,
                               feed_.link().as_of, runs));
}

std::string Site::MaintenanceEvent() const {
  return EventText("maintenance", feed_.revision(), json::serialize(MaintenanceJson(maintenance_)));
}

Task<> Site::SendEvents(EventWriter& writer) {
  // What a browser that comes back has seen may be another process's: everybody is told all.
  std::int64_t seen = -1;
  std::int64_t maintained = -1;
  const Feed::Watching watching(feed_);
  co_await writer.Write("retry: 1000\n\n");
  for (;;) {
    std::string text;
    if (seen < feed_.link_revision()) text += LinkEvent();
    text += RunsEvent(seen);
    if (maintained != maintenance_.revision() && maintenance_.asked()) text += MaintenanceEvent();
    maintained = maintenance_.revision();
    seen = feed_.revision();
    if (text.empty()) text = ": still here\n\n";
    co_await writer.Write(std::move(text));
    co_await feed_.AwaitChange(seen, kHeartbeat);
    co_await async::SleepFor(kGather);
  }
}

}  // namespace pgalter::cli::serve
