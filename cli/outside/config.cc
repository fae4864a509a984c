#include "cli/outside/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "cli/config.h"
#include "cli/config_file.h"
#include "cli/rejected.h"
#include "engine/watch/signals.h"
#include "engine/watch/unit.h"

namespace pgalter::cli::outside {

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

const Names kProbeKeys{"name", "sql", "http", "command", "json", "every", "timeout"};

const Names kTold{"started", "step",   "throttled", "unthrottled", "waiting", "after-cutover",
                  "done",    "paused", "aborted",   "reverted",    "failed"};

// One table of the file, and how an error names it.
class Section {
 public:
  Section(const toml::table& table, std::string file, std::string name)
      : table_(table), file_(std::move(file)), name_(std::move(name)) {}

  [[noreturn]] void Reject(const std::string& what, const std::string& hint) const {
    throw Rejected(ExitCode::kUsage, fmt::format("{}: {}: {}", file_, name_, what), hint);
  }
  void Check(const Names& known) const { CheckKeys(table_, file_, name_, known); }
  [[nodiscard]] bool Has(const char* key) const { return table_.contains(key); }

  [[nodiscard]] std::string Text(const char* key) const {
    if (!Has(key)) return "";
    const auto text = table_[key].value_exact<std::string>();
    if (!text) Reject(fmt::format("{} is no text", key), fmt::format("{} = \"…\"", key));
    return *text;
  }
  [[nodiscard]] Names Texts(const char* key) const {
    if (!Has(key)) return {};
    const toml::array* array = table_[key].as_array();
    Names texts;
    if (array != nullptr)
      for (const toml::node& node : *array)
        if (const auto text = node.value_exact<std::string>()) texts.push_back(*text);
    if (array == nullptr || texts.empty() || texts.size() != array->size())
      Reject(fmt::format("{} is no list of texts", key), fmt::format("{} = [\"…\"]", key));
    return texts;
  }
  [[nodiscard]] Milliseconds Time(const char* key, Milliseconds otherwise,
                                  Milliseconds least) const {
    if (!Has(key)) return otherwise;
    const auto seconds = watch::Parse(Text(key), watch::Unit::kSeconds);
    const auto time = seconds && *seconds < 86'400
                          ? Milliseconds(static_cast<std::int64_t>(*seconds * 1000))
                          : Milliseconds(-1);
    if (time < least)
      Reject(fmt::format("{} is no time of at least {} ms and less than a day", key, least.count()),
             fmt::format("{} = \"10s\"", key));
    return time;
  }
  [[nodiscard]] double Number(const char* key) const {
    const auto number = table_[key].value<double>();
    if (!number || !std::isfinite(*number))
      Reject(fmt::format("it needs {}, a number", key), fmt::format("{} = 100", key));
    return *number;
  }
  // The text itself, or what the environment has by that name.
  [[nodiscard]] std::string Secret(const char* key) const {
    std::string text = Text(key);
    if (!text.starts_with("env:")) return text;
    const char* value = std::getenv(text.c_str() + 4);
    if (value == nullptr || *value == '\0')
      Reject(fmt::format("the variable {} is not set", text.substr(4)),
             fmt::format("export {}=…", text.substr(4)));
    return value;
  }
  [[nodiscard]] const toml::table& table() const { return table_; }

 private:
  const toml::table& table_;
  std::string file_;
  std::string name_;
};

void CheckUrl(const Section& section, const char* key, const std::string& url) {
  const bool known = url.starts_with("http://") || url.starts_with("https://");
  const bool plain =
      std::ranges::none_of(url, [](unsigned char c) { return c <= ' ' || c == 127; });
  if (!known || !plain)
    section.Reject(fmt::format("{} is no address of http or https", key),
                   fmt::format("{} = \"https://…\"", key));
}

Probe ReadProbe(const Section& section) {
  Probe probe;
  probe.name = section.Text("name");
  if (probe.name.empty()) section.Reject("it has no name", "name = \"…\"");
  probe.sql = section.Text("sql");
  probe.http = section.Text("http");
  probe.command = section.Texts("command");
  probe.json = section.Text("json");
  const int ways = static_cast<int>(!probe.sql.empty()) + static_cast<int>(!probe.http.empty()) +
                   static_cast<int>(!probe.command.empty());
  if (ways != 1) section.Reject("it is read in none or several ways", "one of: sql, http, command");
  if (!probe.http.empty()) CheckUrl(section, "http", probe.http);
  if (!probe.json.empty() && (!probe.sql.empty() || probe.json.front() != '/'))
    section.Reject("json says where the number is in an answer of http or command",
                   "json = \"/data/value\"");
  probe.every = section.Time("every", probe.every, Milliseconds(100));
  probe.timeout = section.Time("timeout", probe.timeout, Milliseconds(100));
  return probe;
}

Names And(Names names, const Names& more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

UserSignal ReadSignal(const Section& section) {
  section.Check(And(kProbeKeys, {"limit"}));
  UserSignal signal{ReadProbe(section), section.Number("limit")};
  if (watch::FindSignal(signal.probe.name) != nullptr || signal.probe.name == "window")
    section.Reject(fmt::format("\"{}\" is a signal of pgalter's own", signal.probe.name),
                   "another name");
  if (signal.limit <= 0) section.Reject("limit is not above 0", "limit = 100");
  return signal;
}

AbortRule ReadRule(const Section& section) {
  section.Check(And(kProbeKeys, {"above", "baseline", "for", "action"}));
  AbortRule rule;
  rule.probe = ReadProbe(section);
  const auto text = section.table()["above"].value_exact<std::string>();
  const auto above = text ? ParseThreshold(*text) : std::nullopt;
  if (above) {
    rule.above = *above;
  } else if (text) {
    section.Reject(fmt::format("above = \"{}\" is not understood", *text),
                   "above = 250, or \"baseline + 50 %\", \"baseline + 20\", \"baseline * 2\", "
                   "\"canary + 50 %\"");
  } else {
    rule.above.plus = section.Number("above");
  }
  rule.baseline = section.Time("baseline", Milliseconds(0), Milliseconds(0));
  const bool measured_before = rule.above.relative && !rule.above.to_canary;
  if (measured_before != (rule.baseline > Milliseconds(0)))
    section.Reject("a threshold that is relative to the baseline needs baseline, and no other does",
                   "baseline = \"30s\"");
  rule.hold = section.Time("for", Milliseconds(0), Milliseconds(0));
  const std::string action = section.Text("action");
  constexpr std::array kActions{std::pair{"pause", Reaction::kPause},
                                std::pair{"abort", Reaction::kAbort},
                                std::pair{"revert", Reaction::kRevert}};
  const auto* known = std::ranges::find(
      kActions, action, [](const auto& one) { return std::string_view(one.first); });
  if (known == kActions.end())
    section.Reject(fmt::format("action = \"{}\" is not known", action),
                   "one of: pause, abort, revert");
  rule.action = known->second;
  return rule;
}

Webhook ReadWebhook(const Section& section) {
  section.Check({"url", "secret", "template", "events", "timeout"});
  Webhook webhook;
  webhook.url = section.Secret("url");
  CheckUrl(section, "url", webhook.url);
  webhook.secret = section.Secret("secret");
  const std::string shape = section.Text("template");
  if (!shape.empty() && shape != "slack" && shape != "generic")
    section.Reject(fmt::format("template = \"{}\" is not known", shape), "one of: slack, generic");
  webhook.slack = shape == "slack";
  for (std::string& event : section.Texts("events")) {
    if (std::ranges::find(kTold, event) == kTold.end())
      section.Reject(fmt::format("there is no event \"{}\" that a webhook is told", event),
                     fmt::format("of: {}; a hook is asked before-step and before-cutover",
                                 fmt::join(kTold, ", ")));
    webhook.events.insert(std::move(event));
  }
  webhook.timeout = section.Time("timeout", webhook.timeout, Milliseconds(100));
  return webhook;
}

Hooks ReadHooks(const Section& section, const fs::path& file) {
  section.Check({"directory", "timeout"});
  Hooks hooks;
  const std::string directory = section.Text("directory");
  if (directory.empty()) section.Reject("it has no directory", "directory = \"hooks\"");
  hooks.directory = (fs::absolute(file).parent_path() / directory).lexically_normal().string();
  if (!fs::is_directory(hooks.directory))
    section.Reject(fmt::format("there is no directory {}", hooks.directory), "");
  hooks.timeout = section.Time("timeout", hooks.timeout, Milliseconds(100));
  return hooks;
}

template <class Read>
auto ReadAll(const toml::table& config, const std::string& file, const char* key, Read read) {
  std::vector<decltype(read(std::declval<const Section&>()))> all;
  const toml::node* node = config.get(key);
  if (node == nullptr) return all;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_array_of_tables())
    throw Rejected(ExitCode::kUsage, fmt::format("{}: {} is no list of tables", file, key),
                   fmt::format("write it as [[{}]]", key));
  std::set<std::string> names;
  for (const toml::node& one : *array) {
    const Section section(*one.as_table(), file, fmt::format("[[{}]]", key));
    all.push_back(read(section));
    const std::string name = section.Has("name") ? section.Text("name") : "";
    if (!name.empty() && !names.insert(name).second)
      section.Reject(fmt::format("there are two by the name \"{}\"", name), "");
  }
  return all;
}

}  // namespace

Config LoadConfig(const Context& context) {
  Config config;
  const std::string file = context.Has("config") ? context.Get("config") : kDefaultConfig;
  if (!context.Has("config") && !fs::exists(file)) return config;
  const toml::table table = LoadConfigFile(file);
  config.signals = ReadAll(table, file, "signal", ReadSignal);
  config.rules = ReadAll(table, file, "abort", ReadRule);
  config.webhooks = ReadAll(table, file, "webhook", ReadWebhook);
  if (const toml::node* node = table.get("hooks")) {
    const toml::table* hooks = node->as_table();
    if (hooks == nullptr)
      throw Rejected(ExitCode::kUsage, fmt::format("{}: hooks is no table", file),
                     "write it as [hooks]");
    config.hooks = ReadHooks(Section(*hooks, file, "[hooks]"), file);
  }
  return config;
}

bool IsReadBy(const Command& command) {
  constexpr std::array<std::string_view, 7> kCarriers{"backfill", "down", "partition", "rebuild",
                                                      "resume",   "run",  "up"};
  return std::ranges::find(kCarriers, command.name) != kCarriers.end();
}

}  // namespace pgalter::cli::outside
