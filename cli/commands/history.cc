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

constexpr std::string_view kRunEvent = "run.";              // of a run, by its id
constexpr std::string_view kPartitionEvent = "partition.";  // of a partition, by its name

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

// What the entry is about, for people: of a run, whose number has a place of its own, its table.
std::string Subject(const history::Event& event) {
  if (!event.event.starts_with(kRunEvent)) return event.version;
  for (const char* key : {"table", "target", "migration"})
    if (std::string named = Payload(event.payload, key); !named.empty()) return named;
  return "";
}

std::string RunOf(const history::Event& event) {
  return event.event.starts_with(kRunEvent) ? event.version : Payload(event.payload, "run");
}

// The reason that somebody gave; of a run the command, of an export the file.
std::string About(const history::Event& event) {
  std::string about = Payload(event.payload, "reason");
  if (event.event.starts_with(kRunEvent)) about = Payload(event.payload, "command");
  const std::string file = Payload(event.payload, "file");
  if (event.event.starts_with(kPartitionEvent) && !file.empty())
    about = fmt::format("{}, SHA-256 {}", file, Payload(event.payload, "sha256"));
  return about;
}

bool IsOfMigrations(const history::Event& event) {
  return !event.event.starts_with(kRunEvent) && !event.event.starts_with(kPartitionEvent);
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
  Table table({"at", "who", "of", "what", "change", "run", "about"});
  for (const history::Event& event : events) {
    const std::string what = event.event.starts_with(history::kMigrationEvent)
                                 ? event.event.substr(history::kMigrationEvent.size())
                                 : event.event;
    all.push_back({{"at", event.at},
                   {"user", event.user},
                   {"os_user", event.os_user},
                   {"migration", IsOfMigrations(event) ? event.version : std::string()},
                   {"subject", event.version},
                   {"event", what},
                   {"about", boost::json::parse(event.payload)}});
    table.Add({event.at, Who(event), Subject(event), what, Change(event.payload), RunOf(event),
               About(event)});
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
        "Shows what was done in this database, and by whom: migrations begun, applied, verified, "
        "taken back, repaired, approved, old tables released; runs begun, done, taken back, "
        "finished; partitions held, released, detached, exported, dropped. The last at the end. "
        "Reads only.",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
