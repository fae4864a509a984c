#include "cli/lint/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <regex>

#include "cli/config_file.h"
#include "cli/nearest.h"
#include "cli/rejected.h"
#include "migrations/formats/reader.h"
#include "planner/lint/rules.h"
#include "planner/lint/session.h"

namespace pgalter::cli {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void Reject(const std::string& text, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, text, hint);
}

// One section while it is read.
class Section {
 public:
  Section(const toml::table& table, std::string file) : table_(table), file_(std::move(file)) {}

  [[nodiscard]] std::string Where(const std::string& key) const {
    return fmt::format("{}: [lint] {}", file_, key);
  }
  template <class T>
  [[nodiscard]] std::optional<T> Value(const std::string& key, const char* kind) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return std::nullopt;
    const auto value = node->value_exact<T>();
    if (!value) Reject(fmt::format("{} is {}", Where(key), kind), "");
    return value;
  }
  [[nodiscard]] std::optional<std::string> Text(const std::string& key) const {
    return Value<std::string>(key, "a text in quotes");
  }
  [[nodiscard]] std::optional<std::int64_t> Number(const std::string& key) const {
    return Value<std::int64_t>(key, "a whole number");
  }
  [[nodiscard]] std::vector<std::string> Texts(const std::string& key) const {
    std::vector<std::string> texts;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return texts;
    const toml::array* array = node->as_array();
    if (array == nullptr) Reject(Where(key) + " is a list of texts", "write [\"...\"]");
    for (const toml::node& element : *array) {
      const auto text = element.value_exact<std::string>();
      if (!text) Reject(Where(key) + " is a list of texts", "write [\"...\"]");
      texts.push_back(*text);
    }
    return texts;
  }
  // Its keys with their texts.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> Pairs(
      const std::string& key) const {
    std::vector<std::pair<std::string, std::string>> pairs;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return pairs;
    const toml::table* inner = node->as_table();
    if (inner == nullptr) Reject(fmt::format("{} is a section: [lint.{}]", Where(key), key), "");
    for (const auto& [name, value] : *inner) {
      const auto text = value.value_exact<std::string>();
      if (!text)
        Reject(fmt::format("{}: [lint.{}] {} is a text in quotes", file_, key, name.str()), "");
      pairs.emplace_back(name.str(), *text);
    }
    return pairs;
  }

 private:
  const toml::table& table_;
  std::string file_;
};

void CheckRegex(const std::string& where, const std::string& pattern) {
  try {
    [[maybe_unused]] const std::regex compiled(pattern);
  } catch (const std::regex_error& error) {
    Reject(fmt::format("{}: \"{}\" is no regular expression: {}", where, pattern, error.what()),
           "");
  }
}

void ReadJudging(const Section& section, LintSettings& settings) {
  if (const auto version = section.Number("server_version"))
    SetServerVersion(settings, section.Where("server_version"), *version);
  if (const auto text = section.Text("transaction"))
    SetRunner(settings, section.Where("transaction"), *text);
  if (const auto text = section.Text("fail_on"))
    SetFailOn(settings, section.Where("fail_on"), *text);
  if (const auto text = section.Text("assume_lock_timeout"))
    settings.options.assumed_lock_timeout =
        ReadTimeout(section.Where("assume_lock_timeout"), *text);
  if (const auto text = section.Text("assume_statement_timeout"))
    settings.options.assumed_statement_timeout =
        ReadTimeout(section.Where("assume_statement_timeout"), *text);
  if (const auto rows = section.Number("small_rows")) settings.options.small_rows = *rows;
  for (const std::string& column : section.Texts("required_columns"))
    settings.options.required_columns.insert(column);
  for (const auto& [rule, level] : section.Pairs("rules"))
    SetRule(settings, section.Where("rules"), rule, level);
  for (const auto& [kind, pattern] : section.Pairs("naming")) {
    CheckRegex(section.Where("naming"), pattern);
    settings.options.naming[kind] = pattern;
  }
}

}  // namespace

void SetServerVersion(LintSettings& settings, const std::string& where, std::int64_t version) {
  if (version < kOldestJudged || version > kNewestJudged)
    Reject(fmt::format("{} is a major version of PostgreSQL from {} to {}: not {}", where,
                       kOldestJudged, kNewestJudged, version),
           "give the one that production runs, such as 15");
  settings.options.server_version = static_cast<int>(version);
  settings.has_server_version = true;
}

void SetFormat(LintSettings& settings, const std::string& where, const std::string& name) {
  std::vector<std::string> known;
  for (const std::string_view format : formats::FormatNames()) known.emplace_back(format);
  if (std::ranges::find(known, name) == known.end())
    Reject(fmt::format("{}: there is no format \"{}\"", where, name),
           fmt::format("the formats are: {}", fmt::join(known, ", ")));
  settings.format = name;
}

void SetFailOn(LintSettings& settings, const std::string& where, const std::string& text) {
  settings.fail_on = lint::SeverityFromName(text);
  if (!settings.fail_on && text != "never")
    Reject(fmt::format("{} is error, warning, note or never: not \"{}\"", where, text), "");
}

void SetRunner(LintSettings& settings, const std::string& where, const std::string& text) {
  if (text == "by-format") {
    settings.options.runner = lint::Runner::kByFormat;
  } else if (text == "always") {
    settings.options.runner = lint::Runner::kTransaction;
  } else if (text == "never") {
    settings.options.runner = lint::Runner::kAutocommit;
  } else {
    Reject(fmt::format("{} is by-format, always or never: not \"{}\"", where, text),
           "whether the tool that runs the files puts each into a transaction");
  }
}

void SetRule(LintSettings& settings, const std::string& where, const std::string& rule,
             const std::string& level) {
  if (rule == "all" && (level == "on" || level == "off")) {
    for (const lint::Rule* each : lint::AllRules())
      SetRule(settings, where, std::string(each->id), level);
    return;
  }
  const lint::Rule* known = lint::FindRule(rule);
  if (known == nullptr) {
    std::vector<std::string> ids;
    for (const lint::Rule* each : lint::AllRules()) ids.emplace_back(each->id);
    const std::string near = Nearest(rule, ids);
    Reject(fmt::format("{}: there is no rule \"{}\"", where, rule),
           near.empty() ? "pgalter lint --list-rules lists them"
                        : fmt::format("did you mean {}?", near));
  }
  lint::Options& options = settings.options;
  if (level == "off") {
    options.off.insert(rule);
    options.on.erase(rule);
    return;
  }
  const auto severity = lint::SeverityFromName(level);
  if (!severity && level != "on")
    Reject(fmt::format("{}: {} is on, off, error, warning or note: not \"{}\"", where, rule, level),
           "");
  options.off.erase(rule);
  options.on.insert(rule);
  if (severity) options.severities[rule] = *severity;
}

std::chrono::milliseconds ReadTimeout(const std::string& where, const std::string& text) {
  const auto timeout = lint::ParseTimeout(text);
  if (!timeout || timeout->count() <= 0)
    Reject(fmt::format("{} is a time, such as 2s or 500ms: not \"{}\"", where, text), "");
  return *timeout;
}

void ReadLintConfig(const std::string& file, LintSettings& settings) {
  const toml::table config = LoadConfigFile(file);
  const toml::node* node = config.get("lint");
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) Reject(file + ": lint is a section: [lint]", "");
  CheckKeys(*table, file, "[lint]",
            {"paths", "ignore", "format", "server_version", "transaction", "assume_lock_timeout",
             "assume_statement_timeout", "fail_on", "baseline", "small_rows", "required_columns",
             "rules", "naming"});
  const Section section(*table, file);
  const fs::path beside = fs::path(file).parent_path();
  for (const std::string& path : section.Texts("paths")) settings.paths.push_back(beside / path);
  settings.ignore = section.Texts("ignore");
  if (const auto name = section.Text("format")) SetFormat(settings, section.Where("format"), *name);
  if (const auto path = section.Text("baseline")) settings.baseline = beside / *path;
  ReadJudging(section, settings);
}

}  // namespace pgalter::cli
