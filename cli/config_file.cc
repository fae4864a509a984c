#include "cli/config_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "cli/nearest.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

[[noreturn]] void Reject(const std::string& text, const std::string& hint) {
  throw Rejected(run::ExitCode::kUsage, text, hint);
}

}  // namespace

std::vector<std::string> KeysOf(const toml::table& table) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : table) keys.emplace_back(key.str());
  return keys;
}

void CheckKeys(const toml::table& table, const std::string& file, const std::string& section,
               const std::vector<std::string>& known) {
  for (const std::string& key : KeysOf(table)) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string near = Nearest(key, known);
    Reject(fmt::format("{}: {}{}there is no setting \"{}\"", file, section,
                       section.empty() ? "" : ": ", key),
           near.empty() ? fmt::format("the settings are: {}", fmt::join(known, ", "))
                        : fmt::format("did you mean {}?", near));
  }
}

toml::table LoadConfigFile(const std::string& path) {
  if (!std::filesystem::exists(path))
    Reject(fmt::format("there is no configuration file {}", path),
           "name one with --config, or leave --config and --env out");
  try {
    toml::table table = toml::parse_file(path);
    CheckKeys(table, path, "",
              {"abort", "env", "hooks", "lint", "migrations", "signal", "webhook"});
    return table;
  } catch (const toml::parse_error& error) {
    Reject(fmt::format("{}:{}: {}", path, error.source().begin.line, error.description()), "");
  }
}

}  // namespace pgalter::cli
