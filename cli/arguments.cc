#include "cli/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <cstdlib>

#include "cli/aliases.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/env_file.h"
#include "cli/nearest.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace po = boost::program_options;

namespace {

// Without guessing: an option that is added later must not change what an abbreviation means.
constexpr int kStyle = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

[[noreturn]] void RejectUsage(const std::string& text, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, text, hint);
}

std::string HelpHint(const Command& command) {
  return fmt::format("pgalter help {}", command.name);
}

const Command& CommandOf(const std::string& name) {
  if (const Command* found = FindCommand(name)) return *found;
  std::vector<std::string> names;
  for (const Command& command : AllCommands()) names.emplace_back(command.name);
  for (const Alias& alias : AllAliases()) names.emplace_back(alias.name);
  const std::string near = Nearest(name, names);
  if (name.starts_with("-"))
    RejectUsage(fmt::format("options stand after the command: \"{}\" is none", name),
                "pgalter help");
  RejectUsage(fmt::format("there is no command \"{}\"", name),
              near.empty() ? "pgalter help lists the commands"
                           : fmt::format("did you mean: pgalter {}?", near));
}

[[noreturn]] void RejectOption(const Command& command, const std::string& typed) {
  const std::string option = typed.substr(0, typed.find('='));
  const OptionAlias* alias = FindOptionAlias(command.name, option);
  const std::string near =
      alias != nullptr ? std::string(alias->option) : Nearest(option, OptionNames(command));
  RejectUsage(fmt::format("\"{}\" has no option {}", command.name, option),
              near.empty() ? HelpHint(command) : fmt::format("did you mean {}?", near));
}

po::parsed_options Parse(const Command& command, const po::options_description& known,
                         const std::vector<std::string>& arguments) {
  try {
    return po::command_line_parser(arguments).options(known).style(kStyle).run();
  } catch (const po::unknown_option& error) {
    RejectOption(command, error.get_option_name());
  } catch (const po::error& error) {
    RejectUsage(fmt::format("{}: {}", command.name, error.what()), HelpHint(command));
  }
}

void CheckOperands(const Context& context) {
  const Command& command = *context.command;
  const std::size_t given = context.operands.size();
  if (context.help) return;
  if (given < command.body->least_operands)
    RejectUsage(fmt::format("\"{}\" needs more", command.name),
                fmt::format("usage: pgalter {} {}", command.name, command.usage));
  if (given > command.body->most_operands)
    RejectUsage(fmt::format("\"{}\" does not take \"{}\"", command.name,
                            context.operands[command.body->most_operands]),
                fmt::format("usage: pgalter {} {}", command.name, command.usage));
}

Output ParseOutput(const Command& command, const std::string& text) {
  const std::vector<std::string> known = Words(command.body->outputs);
  if (std::ranges::find(known, text) == known.end())
    RejectUsage(fmt::format("--output is one of {}: not \"{}\"", fmt::join(known, ", "), text),
                HelpHint(command));
  return text == "json" ? Output::kJson : Output::kText;
}

// --env is an explicit wish, so it beats PGALTER_DSN, which is only the surroundings.
std::string SettleDsn(const Command& command, const po::variables_map& options) {
  const bool has_env = options.count("env") > 0;
  const bool has_dsn = options.count("dsn") > 0;
  if (has_env && has_dsn) RejectUsage("--dsn and --env name two connections", "give one of them");
  if (options.count("config") > 0 && !has_env && !command.body->reads_config)
    RejectUsage("--config alone changes nothing", "add --env NAME");
  if (has_dsn) return options["dsn"].as<std::string>();
  if (!has_env) {
    const std::string ours = FromEnvironment("PGALTER_DSN");
    // Of the surroundings alone it could be that of another program.
    return ours.empty() && options.count("env-file") > 0 ? DatabaseUrl() : ours;
  }
  const std::string path = options.count("config") ? options["config"].as<std::string>() : "";
  return DsnOfEnvironment(path, options["env"].as<std::string>());
}

// https://no-color.org: set and not empty.
Color SettleColor(bool forbidden, int descriptor) {
  if (forbidden || !FromEnvironment("NO_COLOR").empty()) return Color::kNo;
  if (FromEnvironment("TERM") == "dumb") return Color::kNo;
  return ::isatty(descriptor) != 0 ? Color::kYes : Color::kNo;
}

}  // namespace

po::options_description CommonOptions() {
  po::options_description options;
  options.add_options()  //
      ("dsn", po::value<std::string>()->value_name("CONNINFO"),
       "where to connect, as libpq has it (keywords or a URI); default: PGALTER_DSN, then PGHOST "
       "and the other PG* variables, service files and .pgpass. No password here: others on this "
       "machine see it")  //
      ("env", po::value<std::string>()->value_name("NAME"),
       "take the connection from [env.NAME] in the configuration file")  //
      ("env-file", po::value<std::string>()->value_name("FILE"),
       "NAME=VALUE a line, as in .env: what the environment does not have, DATABASE_URL too")  //
      ("config", po::value<std::string>()->value_name("FILE"),
       "the configuration file; default: pgalter.toml")  //
      ("output", po::value<std::string>()->value_name("FORMAT")->default_value("text"),
       "text or json; streams are one JSON value a line")  //
      ("log-file", po::value<std::string>()->value_name("FILE"),
       "append a log to this file")  //
      ("log-format", po::value<std::string>()->value_name("FORMAT")->default_value("text"),
       "of that file: text, or json, one object a line")   //
      ("no-color", "no colours; the same as NO_COLOR=1")   //
      ("yes,y", "do not ask before something is changed")  //
      ("help,h", "show the command's help");
  return options;
}

po::options_description OwnOptions(const Command& command) {
  po::options_description options;
  if (command.body->add_options) command.body->add_options(options);
  return options;
}

std::vector<std::string> OptionNames(const Command& command) {
  std::vector<std::string> names;
  for (const auto& options : {OwnOptions(command), CommonOptions()})
    for (const auto& option : options.options()) names.push_back("--" + option->long_name());
  return names;
}

Output WantedOutput(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--output=json") return Output::kJson;
    if (arguments[i] == "--output" && i + 1 < arguments.size() && arguments[i + 1] == "json")
      return Output::kJson;
  }
  return Output::kText;
}

Context ParseArguments(const std::vector<std::string>& arguments) {
  std::vector<std::string> rest = arguments;
  if (rest.empty() || rest[0] == "--help" || rest[0] == "-h") rest.assign({"help"});
  if (rest[0] == "--version" || rest[0] == "-V") rest.assign({"version"});
  Context context;
  if (rest.size() > 1 && FindAlias(rest[0] + " " + rest[1]) != nullptr) {
    rest[0] += " " + rest[1];
    rest.erase(rest.begin() + 1);
  }
  const Alias* alias = FindAlias(rest[0]);
  context.command = &CommandOf(alias != nullptr ? std::string(alias->command) : rest[0]);
  rest.erase(rest.begin());
  if (alias != nullptr && !alias->option.empty()) rest.emplace(rest.begin(), alias->option);

  po::options_description known = OwnOptions(*context.command);
  known.add(CommonOptions());
  const po::parsed_options parsed = Parse(*context.command, known, rest);
  for (const auto& option : parsed.options)
    if (option.string_key.empty())
      context.operands.insert(context.operands.end(), option.value.begin(), option.value.end());
  try {
    po::store(parsed, context.options);
  } catch (const po::error& error) {
    RejectUsage(fmt::format("{}: {}", context.command->name, error.what()),
                HelpHint(*context.command));
  }
  context.help = context.Has("help");
  CheckOperands(context);
  context.output = ParseOutput(*context.command, context.Get("output"));
  context.color = SettleColor(context.Has("no-color"), STDERR_FILENO);
  context.result_color = SettleColor(context.Has("no-color"), STDOUT_FILENO);
  context.yes = context.Has("yes");
  if (context.Has("log-file")) context.log_file = context.Get("log-file");
  if (context.Has("env-file") && !context.help) ReadEnvFile(context.Get("env-file"));
  context.dsn = SettleDsn(*context.command, context.options);
  return context;
}

}  // namespace pgalter::cli
