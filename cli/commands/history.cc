#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/range/adaptor/reversed.hpp>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
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

// The change record of what was begun, else its ticket.
std::string Change(const std::string& json) {
  const auto payload = boost::json::parse(json);
  const auto* header = payload.as_object().if_contains("header");
  if (header == nullptr || !header->is_object()) return "";
  for (const char* key : {"change", "ticket"}) {
    const auto* value = header->as_object().if_contains(key);
    if (value != nullptr && value->is_string()) return std::string(value->as_string());
  }
  return "";
}

std::string Who(const history::Event& event) {
  return event.os_user.empty() ? event.user : fmt::format("{} ({})", event.user, event.os_user);
}

void AddOptions(boost::program_options::options_description& options) {
  options.add_options()("markdown",
                        "what is applied now, the newest first, as Markdown: for a change log");
}

// What stands in Markdown as it is: titles come from files.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : Printable(text)) {
    if (std::string_view("\\`*_[]<>#|").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

Task<ExitCode> PrintMarkdown(guard::Session& session) {
  const auto applied = co_await history::ReadApplied(session);
  std::string text = "# Changes of the schema\n";
  std::string day;
  for (const auto& row : boost::adaptors::reverse(applied)) {
    const std::string on = row.started_at.substr(0, 10);
    if (on != day) text += fmt::format("\n## {}\n\n", on);
    day = on;
    const auto header = boost::json::parse(row.header);
    text += fmt::format("- {} {}", Escaped(row.version), Escaped(row.title));
    for (const char* key : {"ticket", "change"}) {
      const auto* value = header.as_object().if_contains(key);
      if (value == nullptr || !value->is_string()) continue;
      text += fmt::format(" ({})", Escaped(std::string(value->as_string())));
      break;
    }
    text += row.state == history::State::kApplied
                ? fmt::format(", by {}\n", Escaped(row.applied_by))
                : fmt::format(", by {}: {}\n", Escaped(row.applied_by), history::Name(row.state));
  }
  Print(text);
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  if (context.Has("markdown") && context.output == Output::kJson)
    throw Rejected(ExitCode::kUsage, "--markdown is a text", "leave out --output json");
  guard::Session session = co_await OpenSession(context);
  if (context.Has("markdown")) co_return co_await PrintMarkdown(session);
  const auto events = co_await history::ReadEvents(session);
  boost::json::array all;
  Table table({"at", "who", "version", "what", "change", "run", "reason"});
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
    table.Add({event.at, Who(event), event.version, what, Change(event.payload),
               Payload(event.payload, "run"), Payload(event.payload, "reason")});
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
        "verified, taken back, repaired, approved, old tables released; the last at the end. Reads "
        "only.",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
