#include "cli/lint/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <tuple>
#include <vector>

#include "cli/rejected.h"
#include "planner/lint/render/unicode.h"

namespace pgalter::cli {

namespace json = boost::json;

namespace {

[[noreturn]] void RejectBaseline(const std::string& file, const std::string& why) {
  throw Rejected(run::ExitCode::kUsage, fmt::format("{} is no baseline: {}", file, why),
                 "write it anew with --write-baseline");
}

}  // namespace

Baseline ParseBaseline(const std::string& file, std::string_view text) {
  json::error_code error;
  const json::value document = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) RejectBaseline(file, error.message());
  const json::object* top = document.if_object();
  const json::value* version = top == nullptr ? nullptr : top->if_contains("version");
  const json::value* list = top == nullptr ? nullptr : top->if_contains("findings");
  if (version == nullptr || *version != 1) RejectBaseline(file, "its version is not 1");
  if (list == nullptr || !list->is_array()) RejectBaseline(file, "it has no list of findings");
  Baseline baseline;
  for (const json::value& entry : list->get_array()) {
    const json::object* finding = entry.if_object();
    const json::value* fingerprint =
        finding == nullptr ? nullptr : finding->if_contains("fingerprint");
    const json::value* path = finding == nullptr ? nullptr : finding->if_contains("file");
    if (fingerprint == nullptr || !fingerprint->is_string() || path == nullptr ||
        !path->is_string())
      RejectBaseline(file, "a finding has no file or no fingerprint");
    baseline.emplace(fingerprint->get_string().c_str(), path->get_string().c_str());
  }
  return baseline;
}

std::string BaselineText(const lint::Report& report) {
  using Entry = std::tuple<std::string, std::string, std::string>;
  std::vector<Entry> entries;
  for (const lint::Finding& finding : report.result.findings) {
    if (!finding.suppressed.empty()) continue;
    const auto& file = report.files.at(static_cast<std::size_t>(finding.file));
    entries.emplace_back(lint::ValidUtf8(file.path), lint::ValidUtf8(finding.rule),
                         finding.fingerprint);
  }
  std::ranges::sort(entries);
  std::string lines;
  for (const auto& [file, rule, fingerprint] : entries) {
    const json::object entry{{"file", file}, {"rule", rule}, {"fingerprint", fingerprint}};
    lines += fmt::format("{}\n    {}", lines.empty() ? "" : ",", json::serialize(entry));
  }
  return fmt::format("{{\n  \"version\": 1,\n  \"findings\": [{}\n  ]\n}}\n", lines);
}

int StaleEntries(const Baseline& baseline, const lint::Report& report) {
  std::set<std::string> found;
  for (const lint::Finding& finding : report.result.findings) found.insert(finding.fingerprint);
  std::set<std::string> judged;
  for (const lint::Source& file : report.files)
    if (file.judged) judged.insert(lint::ValidUtf8(file.path));
  return static_cast<int>(std::ranges::count_if(baseline, [&](const auto& entry) {
    return judged.contains(entry.second) && !found.contains(entry.first);
  }));
}

}  // namespace pgalter::cli
