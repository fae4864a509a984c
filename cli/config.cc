#include "cli/config.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <filesystem>
#include <vector>

#include "cli/nearest.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

[[noreturn]] void Reject(const std::string& text, const std::string& hint) {
  throw Rejected(run::ExitCode::kUsage, text, hint);
}

toml::table Load(const std::string& path) {
  if (!std::filesystem::exists(path))
    Reject(fmt::format("there is no configuration file {}", path),
           "name one with --config, or connect with --dsn, PGALTER_DSN or PGHOST...");
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    Reject(fmt::format("{}:{}: {}", path, error.source().begin.line, error.description()), "");
  }
}

std::vector<std::string> Keys(const toml::table& table) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : table) keys.emplace_back(key.str());
  return keys;
}

}  // namespace

std::string DsnOfEnvironment(const std::string& path, const std::string& environment) {
  const std::string file = path.empty() ? kDefaultConfig : path;
  const toml::table config = Load(file);
  for (const std::string& key : Keys(config))
    if (key != "env") Reject(fmt::format("{}: there is no setting \"{}\"", file, key), "");
  const toml::table* all = config["env"].as_table();
  const toml::table* found = all ? (*all)[environment].as_table() : nullptr;
  if (!found) {
    const std::string near = all ? Nearest(environment, Keys(*all)) : "";
    Reject(fmt::format("{} has no [env.{}]", file, environment),
           near.empty() ? "" : fmt::format("did you mean --env {}?", near));
  }
  for (const std::string& key : Keys(*found))
    if (key != "dsn")
      Reject(fmt::format("{}: [env.{}] has no setting \"{}\"", file, environment, key),
             "the settings are: dsn");
  const auto dsn = (*found)["dsn"].value<std::string>();
  if (!dsn) Reject(fmt::format("{}: [env.{}] has no dsn", file, environment), "");
  return *dsn;
}

}  // namespace pgalter::cli
