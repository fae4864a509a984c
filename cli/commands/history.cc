#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/table.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

std::string Payload(const std::string& json, const char* key) {
  const auto payload = boost::json::parse(json);
  const auto* value = payload.as_object().if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

std::string Who(const history::Event& event) {
  return event.os_user.empty() ? event.user : fmt::format("{} ({})", event.user, event.os_user);
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenSession(context);
  const auto events = co_await history::ReadEvents(session);
  boost::json::array all;
  Table table({"at", "who", "version", "what", "run", "reason"});
  for (const history::Event& event : events) {
    const std::string what = event.event.starts_with(history::kMigrationEvent)
                                 ? event.event.substr(history::kMigrationEvent.size())
                                 : event.event;
    all.push_back({{"at", event.at},
                   {"user", event.user},
                   {"os_user", event.os_user},
                   {"migration", event.version},
                   {"event", what},
                   {"about", boost::json::parse(event.payload)}});
    table.Add({event.at, Who(event), event.version, what, Payload(event.payload, "run"),
               Payload(event.payload, "reason")});
  }
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"events", all}});
  } else {
    Print(table.Text());
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kHistoryCommand;
const CommandBody kHistoryCommand{
    .description =
        "Shows what was done with migrations in this database, and by whom: begun, applied, "
        "verified, taken back, repaired, approved; the last at the end. Reads only.",
    .run = &Run};

}  // namespace pgalter::cli
