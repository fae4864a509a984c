#include "cli/lint/rule_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/nearest.h"
#include "cli/rejected.h"
#include "cli/table.h"
#include "docs/embedded_rules.h"
#include "planner/lint/rules.h"

namespace pgalter::cli {

namespace json = boost::json;

namespace {

bool IsOn(const lint::Rule& rule, const lint::Options& options) {
  if (options.off.contains(rule.id)) return false;
  return rule.by_default == lint::Default::kOn || options.on.contains(rule.id);
}

lint::Severity SeverityOf(const lint::Rule& rule, const lint::Options& options) {
  const auto given = options.severities.find(rule.id);
  return given == options.severities.end() ? rule.severity : given->second;
}

}  // namespace

std::string RuleListText(const lint::Options& options) {
  Table table({"rule", "severity", "category", "what it finds"});
  for (const lint::Rule* rule : lint::AllRules()) {
    const std::string_view severity =
        IsOn(*rule, options) ? lint::Name(SeverityOf(*rule, options)) : "off";
    table.Add({std::string(rule->id), std::string(severity), std::string(Name(rule->category)),
               std::string(rule->title)});
  }
  return table.Text();
}

json::object RuleListJson(const lint::Options& options) {
  json::array rules;
  for (const lint::Rule* rule : lint::AllRules())
    rules.push_back(json::object{{"rule", rule->id},
                                 {"title", rule->title},
                                 {"severity", Name(SeverityOf(*rule, options))},
                                 {"category", Name(rule->category)},
                                 {"on", IsOn(*rule, options)},
                                 {"effect", rule->effect},
                                 {"remedy", rule->remedy}});
  return {{"version", 1}, {"rules", std::move(rules)}};
}

std::string RulePage(const lint::Rule& rule) {
  const auto page = std::ranges::find(docs::kRulePages, rule.id, &docs::RulePage::id);
  if (page != docs::kRulePages.end()) return std::string(page->text);
  return fmt::format("# {}\n\n{}\n\n**What happens.** {}\n\n**What to do.** {}\n", rule.id,
                     rule.title, rule.effect, rule.remedy);
}

const lint::Rule& RuleNamed(const std::string& id) {
  const lint::Rule* rule = lint::FindRule(id);
  if (rule != nullptr) return *rule;
  std::vector<std::string> ids;
  for (const lint::Rule* each : lint::AllRules()) ids.emplace_back(each->id);
  const std::string near = Nearest(id, ids);
  throw Rejected(run::ExitCode::kUsage, fmt::format("there is no rule \"{}\"", id),
                 near.empty() ? "pgalter lint --list-rules lists them"
                              : fmt::format("did you mean: pgalter explain {}?", near));
}

}  // namespace pgalter::cli
