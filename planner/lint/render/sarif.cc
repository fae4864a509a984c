// SARIF 2.1.0, as GitHub and others read it: OASIS Standard, March 2020. Columns count UTF-16 code
// units.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "planner/lint/render/format.h"
#include "planner/lint/render/lock_json.h"
#include "planner/lint/render/places.h"
#include "planner/lint/render/unicode.h"
#include "planner/lint/render/uri.h"

namespace pgalter::lint {

namespace json = boost::json;

namespace {

constexpr std::string_view kParseErrorId = "parse-error";

json::object Message(std::string_view text) { return {{"text", ValidUtf8(text)}}; }

json::object RuleJson(const Rule& rule) {
  const std::string help = fmt::format("{}\n\nInstead: {}", rule.effect, rule.remedy);
  const std::string markdown = fmt::format("{}\n\n**Instead:** {}", rule.effect, rule.remedy);
  json::object help_json = Message(help);
  help_json["markdown"] = ValidUtf8(markdown);
  return {{"id", rule.id},
          {"name", rule.id},
          {"shortDescription", Message(rule.title)},
          {"fullDescription", Message(rule.effect)},
          {"help", std::move(help_json)},
          {"defaultConfiguration",
           {{"level", Name(rule.severity)}, {"enabled", rule.by_default == Default::kOn}}},
          {"properties",
           {{"tags", json::array{"postgresql", Name(rule.category)}},
            {"precision", "high"},
            // GitHub's word for what SARIF calls a note.
            {"problem.severity",
             rule.severity == Severity::kNote ? "recommendation" : Name(rule.severity)}}}};
}

class SarifRenderer {
 public:
  explicit SarifRenderer(const Report& report) : report_(report), places_(report) {}

  std::string Render();

 private:
  [[nodiscard]] json::object Artifact(int file) const;
  [[nodiscard]] json::object RegionJson(int file, sql::Span span);
  [[nodiscard]] json::array Locations(const Finding& finding);
  [[nodiscard]] json::array Fixes(const Finding& finding);
  [[nodiscard]] json::array Suppressions(const Finding& finding) const;
  [[nodiscard]] json::object ResultJson(const Finding& finding);
  [[nodiscard]] json::object Run();

  const Report& report_;
  Places places_;
};

json::object SarifRenderer::Artifact(int file) const {
  const std::string& path = report_.files.at(static_cast<std::size_t>(file)).path;
  json::object artifact{{"uri", FileUri(path)}};
  if (!IsAbsolute(path)) artifact["uriBaseId"] = "%SRCROOT%";
  return artifact;
}

json::object SarifRenderer::RegionJson(int file, sql::Span span) {
  const Region region = places_.Of(file, span);
  return {{"startLine", region.begin.line},
          {"startColumn", region.begin.utf16_column},
          {"endLine", region.end.line},
          {"endColumn", region.end.utf16_column}};
}

json::array SarifRenderer::Locations(const Finding& finding) {
  const json::object place{{"artifactLocation", Artifact(finding.file)},
                           {"region", RegionJson(finding.file, finding.span)}};
  return {json::object{{"physicalLocation", place}}};
}

json::array SarifRenderer::Fixes(const Finding& finding) {
  json::array replacements;
  for (const Edit& edit : finding.fix)
    replacements.push_back(json::object{{"deletedRegion", RegionJson(finding.file, edit.span)},
                                        {"insertedContent", Message(edit.text)}});
  const json::object change{{"artifactLocation", Artifact(finding.file)},
                            {"replacements", std::move(replacements)}};
  return {json::object{{"description", Message(finding.remedy)},
                       {"artifactChanges", json::array{change}}}};
}

// An empty list says that nothing suppresses the result; a viewer takes a missing one for "not
// known" where other results of the run have one.
json::array SarifRenderer::Suppressions(const Finding& finding) const {
  switch (StandingOf(report_, finding)) {
    case Standing::kIgnored:
      return {json::object{{"kind", "inSource"}, {"justification", ValidUtf8(finding.suppressed)}}};
    case Standing::kInBaseline:
      return {json::object{{"kind", "external"}, {"justification", "in the baseline"}}};
    case Standing::kCounts:
      break;
  }
  return {};
}

json::object SarifRenderer::ResultJson(const Finding& finding) {
  json::object result{{"ruleId", ValidUtf8(finding.rule)}};
  for (std::size_t i = 0; i < report_.rules.size(); ++i)
    if (report_.rules[i]->id == finding.rule) result["ruleIndex"] = i;
  std::string text = finding.message;
  if (const std::string lock = LockSentence(finding); !lock.empty()) text += "\nLock: " + lock;
  if (!finding.remedy.empty()) text += "\nInstead: " + finding.remedy;
  result["level"] = Name(finding.severity);
  result["message"] = Message(text);
  result["locations"] = Locations(finding);
  // The form that GitHub computes itself where it is missing: a hash, and which of its kind.
  result["partialFingerprints"] = {{"primaryLocationLineHash", finding.fingerprint + ":1"}};
  if (!finding.fix.empty()) result["fixes"] = Fixes(finding);
  result["suppressions"] = Suppressions(finding);
  result["properties"] = {{"category", Name(finding.category)},
                          {"lock", LockJson(finding)},
                          {"tableRewrite", finding.table_rewrite},
                          {"tableScan", finding.table_scan}};
  return result;
}

json::object SarifRenderer::Run() {
  json::array rules;
  for (const Rule* rule : report_.rules) rules.push_back(RuleJson(*rule));
  json::array artifacts;
  for (std::size_t i = 0; i < report_.files.size(); ++i)
    if (report_.files[i].judged)
      artifacts.push_back(json::object{{"location", Artifact(static_cast<int>(i))}});
  json::array results;
  json::array notifications;
  for (const Finding& finding : report_.result.findings) {
    results.push_back(ResultJson(finding));
    if (finding.rule == kParseErrorId)
      notifications.push_back(json::object{{"level", Name(finding.severity)},
                                           {"message", Message(finding.message)},
                                           {"locations", Locations(finding)}});
  }
  const json::object driver{{"name", "pgalter"},
                            {"version", ValidUtf8(report_.program_version)},
                            {"rules", std::move(rules)}};
  const json::object invocation{{"executionSuccessful", true},
                                {"toolExecutionNotifications", std::move(notifications)}};
  return {{"tool", {{"driver", driver}}},
          {"columnKind", "utf16CodeUnits"},
          {"artifacts", std::move(artifacts)},
          {"results", std::move(results)},
          {"invocations", json::array{invocation}}};
}

std::string SarifRenderer::Render() {
  const json::object document{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                              {"version", "2.1.0"},
                              {"runs", json::array{Run()}}};
  return json::serialize(document) + "\n";
}

}  // namespace

std::string RenderSarif(const Report& report) { return SarifRenderer(report).Render(); }

}  // namespace pgalter::lint
