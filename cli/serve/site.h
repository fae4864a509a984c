// Site: what each address of the dashboard answers. All that it shows comes from the database.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "cli/serve/access_policy.h"
#include "cli/serve/feed.h"
#include "cli/serve/maintenance.h"
#include "cli/serve/message.h"

namespace pgalter::cli::serve {

struct SiteOptions {
  Access access;
  std::string version;
};

// Does what `action` says with the run, and says in a sentence what was done.
using Controller =
    std::function<Task<std::string>(std::string run, std::string action, std::string body)>;

class Site {
 public:
  Site(Feed& feed, const Maintenance& maintenance, SiteOptions options, Controller controller)
      : feed_(feed),
        maintenance_(maintenance),
        options_(std::move(options)),
        controller_(std::move(controller)) {}

  // Never throws but for being cancelled: what fails is an answer too.
  Task<Response> Answer(Request request);

 private:
  struct Kept {
    async::Clock::time_point at;
    std::string body;
  };

  Task<Response> AnswerRoute(const Request& request, const Route& route);
  Response Runs() const;
  Task<Response> Details(const Request& request, const Route& route);
  Task<Response> Locks();
  Task<Response> Metrics();
  Task<Response> Obey(const Request& request, const Route& route);
  Response Health() const;
  Response Events();
  Task<> SendEvents(EventWriter& writer);
  std::string RunsEvent(std::int64_t seen) const;
  std::string LinkEvent() const;
  std::string MaintenanceEvent() const;

  Feed& feed_;
  const Maintenance& maintenance_;
  SiteOptions options_;
  Controller controller_;
  std::map<std::string, Kept> kept_;  // answers that are good for a second, by their address
};

}  // namespace pgalter::cli::serve
