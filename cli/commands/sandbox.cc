#include "engine/sandbox/sandbox.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/algorithm/string/trim.hpp>
#include <boost/json/array.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cli/context.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/sandbox/postmaster.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("pg-bin", po::value<std::string>()->value_name("FOLDER"),
       "start: the folder with initdb and postgres; default: PGALTER_PG_BIN, pg_config, Debian's "
       "newest")  //
      ("user", po::value<std::string>()->value_name("NAME"),
       "start, by root only: whom the server runs as; default: postgres, else nobody")  //
      ("set", po::value<std::vector<std::string>>()->composing()->value_name("NAME=VALUE"),
       "start: a setting of the server")  //
      ("standby-of", po::value<std::string>()->value_name("ID"),
       "start: a standby that streams from that sandbox, as standby_ITSID");
}

// A value is quoted as postgresql.conf asks for it; one that is quoted already is as it is.
std::vector<std::string> SettingsOf(const Context& context) {
  std::vector<std::string> settings;
  if (!context.Has("set")) return settings;
  for (const std::string& text : context.Get<std::vector<std::string>>("set")) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Rejected(ExitCode::kUsage, fmt::format("--set takes NAME=VALUE: not \"{}\"", text),
                     "as --set work_mem=64MB");
    const std::string value = boost::trim_left_copy(text.substr(equals + 1));
    const bool quoted = value.size() > 1 && value.starts_with('\'') && value.ends_with('\'');
    settings.push_back(fmt::format("{} = {}", boost::trim_copy(text.substr(0, equals)),
                                   quoted ? value : sandbox::QuoteSetting(value)));
  }
  return settings;
}

sandbox::Sandbox FindSandbox(const std::string& id) {
  try {
    return sandbox::Sandbox::Find(id);
  } catch (const sandbox::SandboxError& error) {
    throw Rejected(ExitCode::kUsage, error.what(), "pgalter sandbox list");
  }
}

boost::json::object ToJson(const sandbox::Sandbox& server) {
  return {{"id", server.id()},
          {"server_version", server.server_version()},
          {"conninfo", server.conninfo()},
          {"tcp_conninfo", server.tcp_conninfo()}};
}

sandbox::Sandbox StartStandby(const Context& context) {
  for (const char* other : {"pg-bin", "user"})
    if (context.Has(other))
      throw Rejected(ExitCode::kUsage,
                     fmt::format("--standby-of and --{} do not go together", other),
                     "a standby is of the program, and the user, of its primary");
  sandbox::StandbyOptions options;
  options.keep = true;
  options.settings = SettingsOf(context);
  return FindSandbox(context.Get("standby-of")).MakeStandby(options);
}

sandbox::Sandbox StartServer(const Context& context) {
  sandbox::Options options;
  options.keep = true;
  if (context.Has("pg-bin")) options.pg_bin = context.Get("pg-bin");
  if (context.Has("user")) options.user = context.Get("user");
  options.settings = SettingsOf(context);
  return sandbox::Sandbox::Start(options);
}

ExitCode Start(const Context& context) {
  const sandbox::Sandbox server =
      context.Has("standby-of") ? StartStandby(context) : StartServer(context);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"sandbox", ToJson(server)}});
    return ExitCode::kDone;
  }
  Print(fmt::format("{}\n{}\n", server.id(), server.conninfo()));
  Say(context, fmt::format("PostgreSQL {} runs until: pgalter sandbox stop {}",
                           server.server_version(), server.id()));
  return ExitCode::kDone;
}

std::string IdOf(const Context& context) {
  if (context.operands.size() >= 2) return context.operands[1];
  const auto listed = sandbox::Sandbox::List();
  if (listed.size() == 1) return listed.front().marker.id;
  throw Rejected(ExitCode::kUsage, fmt::format("{} sandboxes are kept: name one", listed.size()),
                 "pgalter sandbox list");
}

sandbox::Sandbox Find(const Context& context) { return FindSandbox(IdOf(context)); }

ExitCode Stop(const Context& context) {
  sandbox::Sandbox server = Find(context);
  const std::string id = server.id();
  server.Stop();
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"stopped", id}});
  } else {
    Print(fmt::format("{} stopped and removed\n", id));
  }
  return ExitCode::kDone;
}

ExitCode List(const Context& context) {
  const auto listed = sandbox::Sandbox::List();
  if (context.output == Output::kJson) {
    boost::json::array sandboxes;
    for (const sandbox::Listed& entry : listed) {
      boost::json::object object = ToJson(sandbox::Sandbox::Find(entry.marker.id));
      object["running"] = entry.running;
      object["created_at"] = entry.marker.created_at;
      sandboxes.emplace_back(std::move(object));
    }
    PrintJson({{"version", 1}, {"sandboxes", std::move(sandboxes)}});
    return ExitCode::kDone;
  }
  if (listed.empty()) return ExitCode::kDone;
  Table table({"ID", "SERVER", "STATE", "STARTED", "CONNINFO"});
  for (const sandbox::Listed& entry : listed)
    table.Add({entry.marker.id, entry.marker.server_version, entry.running ? "running" : "stopped",
               entry.marker.created_at, sandbox::Sandbox::Find(entry.marker.id).conninfo()});
  Print(table.Text());
  return ExitCode::kDone;
}

ExitCode Psql(const Context& context) {
  const sandbox::Sandbox server = Find(context);
  const std::string beside = (server.bin_dir() / "psql").string();
  const std::string program = ::access(beside.c_str(), X_OK) == 0 ? beside : "psql";
  std::vector<std::string> arguments{"psql", "-d", server.conninfo()};
  if (context.operands.size() > 2)
    arguments.insert(arguments.end(), context.operands.begin() + 2, context.operands.end());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  ::execvp(program.c_str(), pointers.data());
  throw Rejected(ExitCode::kError, fmt::format("cannot run {}: {}", program, std::strerror(errno)),
                 "install it (Debian: postgresql-client)");
}

Task<ExitCode> Run(Context& context) {
  const std::string& verb = context.operands[0];
  const bool extra = context.operands.size() > (verb == "stop" ? 2U : 1U);
  if (extra && verb != "psql")
    throw Rejected(ExitCode::kUsage, fmt::format("\"sandbox {}\" takes no more", verb),
                   "pgalter help sandbox");
  if (verb == "start") co_return Start(context);
  if (verb == "stop") co_return Stop(context);
  if (verb == "list") co_return List(context);
  if (verb == "psql") co_return Psql(context);
  throw Rejected(ExitCode::kUsage, fmt::format("\"sandbox {}\" is nothing", verb),
                 "one of: start, stop, list, psql");
}

}  // namespace

extern const CommandBody kSandboxCommand;
const CommandBody kSandboxCommand{
    .description =
        "Throwaway PostgreSQL servers, to try things on: a cluster of its own in a temporary "
        "folder, a unix socket and a port on 127.0.0.1, trust for everybody on this machine.\n\n"
        "start prints the sandbox's id and its connection string; it runs until stop. ID can be "
        "left out when there is one. What follows -- goes to psql.\n\n"
        "start --standby-of ID adds a standby; --set recovery_min_apply_delay=5s, say, has it lag. "
        "It "
        "is a sandbox of its own, which stop ends, too.",
    .most_operands = kAnyNumber,
    .least_operands = 1,
    .words = "start stop list psql",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
