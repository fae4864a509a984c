#include "cli/policy_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <sstream>

#include "cli/config.h"
#include "cli/config_file.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

struct Setting {
  const char* key;
  toml::node_type type;
  const char* like;
};

constexpr std::array kSettings{
    Setting{"quorum", toml::node_type::table, "{ technical = \"dba\" }"},
    Setting{"distinct", toml::node_type::boolean, "true"},
    Setting{"expires", toml::node_type::string, "\"7 days\""},
    Setting{"headers", toml::node_type::array, "[\"ticket\"]"},
    Setting{"require_down", toml::node_type::boolean, "true"},
    Setting{"evidence", toml::node_type::table, "{ backup = \"24 hours\" }"},
    Setting{"windows", toml::node_type::array,
            "[{ days = [\"Sun\"], from = \"02:00\", to = \"04:00\", tz = \"Europe/Berlin\" }]"},
    Setting{"blackouts", toml::node_type::array,
            "[{ days = [\"Fri\"], from = \"12:00\", to = \"23:59\", tz = \"Europe/Berlin\" }]"},
    Setting{"require_tls", toml::node_type::boolean, "true"},
    Setting{"break_glass", toml::node_type::string, "\"oncall\""},
    Setting{"routine", toml::node_type::string, "\"maintenance\""},
    Setting{"windows_over", toml::node_type::string, "\"1 minute\""},
    Setting{"retention", toml::node_type::string, "\"10 years\""},
};

[[noreturn]] void Reject(const std::string& text, const std::string& hint) {
  throw Rejected(run::ExitCode::kUsage, text, hint);
}

void CheckWindow(const toml::node& node, const std::string& where) {
  const std::string like = fmt::format("write it as {}", kSettings[6].like);
  const toml::table* window = node.as_table();
  if (window == nullptr) Reject(fmt::format("{} holds something that is no window", where), like);
  for (const std::string& key : KeysOf(*window))
    if (key != "days" && key != "from" && key != "to" && key != "tz")
      Reject(fmt::format("{}: a window has no \"{}\"", where, key), like);
  for (const char* key : {"from", "to", "tz"})
    if (!(*window)[key].is_string()) Reject(fmt::format("{}: a window needs {}", where, key), like);
  const toml::node_view days = (*window)["days"];
  if (!days) return;
  if (!days.is_array()) Reject(fmt::format("{}: days is a list", where), like);
  for (const toml::node& day : *days.as_array()) {
    constexpr std::array kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const auto name = day.value<std::string>();
    if (!name || std::ranges::find(kDays, *name) == kDays.end())
      Reject(fmt::format("{}: \"{}\" is no day", where, name.value_or("")),
             "one of: Mon, Tue, Wed, Thu, Fri, Sat, Sun");
  }
}

}  // namespace

std::string PolicyOfEnvironment(const std::string& path, const std::string& environment) {
  const std::string file = path.empty() ? kDefaultConfig : path;
  const std::string section = fmt::format("[env.{}.policy]", environment);
  const toml::table config = LoadConfigFile(file);
  const toml::table* policy = config["env"][environment]["policy"].as_table();
  if (policy == nullptr)
    Reject(fmt::format("{} has no {}", file, section), "docs/approvals.md has all its keys");
  std::vector<std::string> known;
  for (const Setting& setting : kSettings) known.emplace_back(setting.key);
  CheckKeys(*policy, file, section, known);
  for (const Setting& setting : kSettings) {
    const toml::node* node = policy->get(setting.key);
    if (node == nullptr) continue;
    const std::string where = fmt::format("{}: {}: {}", file, section, setting.key);
    if (node->type() != setting.type)
      Reject(fmt::format("{} is not of its kind", where),
             fmt::format("write it as {}", setting.like));
    if (std::string_view(setting.key) != "windows" && std::string_view(setting.key) != "blackouts")
      continue;
    for (const toml::node& window : *node->as_array()) CheckWindow(window, where);
  }
  std::ostringstream json;
  json << toml::json_formatter{*policy};
  return json.str();
}

std::vector<std::string> HeadersOfPolicy(const std::string& path, const std::string& environment) {
  const auto policy = boost::json::parse(PolicyOfEnvironment(path, environment));
  std::vector<std::string> headers;
  const auto* keys = policy.as_object().if_contains("headers");
  if (keys == nullptr) return headers;
  for (const boost::json::value& key : keys->as_array())
    if (key.is_string()) headers.emplace_back(key.get_string());
  return headers;
}

}  // namespace pgalter::cli
