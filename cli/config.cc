#include "cli/config.h"

#include <fmt/format.h>

#include "cli/config_file.h"
#include "cli/nearest.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

[[noreturn]] void Reject(const std::string& text, const std::string& hint) {
  throw Rejected(run::ExitCode::kUsage, text, hint);
}

}  // namespace

std::string DsnOfEnvironment(const std::string& path, const std::string& environment) {
  const std::string file = path.empty() ? kDefaultConfig : path;
  const toml::table config = LoadConfigFile(file);
  const toml::table* all = config["env"].as_table();
  const toml::table* found = all ? (*all)[environment].as_table() : nullptr;
  if (!found) {
    const std::string near = all ? Nearest(environment, KeysOf(*all)) : "";
    Reject(fmt::format("{} has no [env.{}]", file, environment),
           near.empty() ? "" : fmt::format("did you mean --env {}?", near));
  }
  CheckKeys(*found, file, fmt::format("[env.{}]", environment), {"audit", "dsn", "policy"});
  const auto dsn = (*found)["dsn"].value<std::string>();
  if (!dsn) Reject(fmt::format("{}: [env.{}] has no dsn", file, environment), "");
  return *dsn;
}

}  // namespace pgalter::cli
