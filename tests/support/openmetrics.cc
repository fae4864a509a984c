#include "tests/support/openmetrics.h"

#include <fmt/format.h>

#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

namespace pgalter::test {

namespace {

class Reader {
 public:
  Metrics Read(const std::string& text) {
    if (text.empty() || text.back() != '\n') Problem("the last line has no end");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      ++line_;
      if (ended_) Problem("something after # EOF");
      if (line == "# EOF")
        ended_ = true;
      else if (line.starts_with("#"))
        Descriptor(line);
      else
        Sample(line);
    }
    if (!ended_) Problem("no # EOF at the end");
    for (const auto& [name, family] : metrics_.families) CheckFamily(name, family);
    return std::move(metrics_);
  }

 private:
  void Problem(const std::string& what) {
    metrics_.problems.push_back(fmt::format("line {}: {}", line_, what));
  }

  void Descriptor(const std::string& line) {
    static const std::regex form("# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*)(?: (.*))?");
    std::smatch match;
    if (!std::regex_match(line, match, form)) {
      Problem("a comment that is no TYPE, UNIT or HELP");
      return;
    }
    const std::string what = match[1];
    if (match[2] != current_) Begin(match[2]);
    MetricFamily& family = metrics_.families[current_];
    if (!family.samples.empty()) Problem("a descriptor behind samples of " + current_);
    std::string& field = what == "TYPE" ? family.type : what == "UNIT" ? family.unit : family.help;
    if (!field.empty()) Problem(what + " twice for " + current_);
    field = match[3];
    if (field.empty()) Problem(what + " says nothing");
  }

  void Begin(const std::string& name) {
    current_ = name;
    if (metrics_.families.count(name) > 0) Problem(name + " is in two places");
  }

  void Sample(const std::string& line) {
    static const std::regex form(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+))re");
    std::smatch match;
    if (!std::regex_match(line, match, form)) {
      Problem("no sample: " + line);
      return;
    }
    MetricFamily& family = metrics_.families[current_];
    const std::string suffix = family.type == "counter" ? "_total"
                               : family.type == "info"  ? "_info"
                                                        : "";
    if (match[1] != current_ + suffix)
      Problem(fmt::format("{} under {}", match[1].str(), current_));
    double value = 0;
    try {
      value = std::stod(match[3]);
    } catch (const std::exception&) {
      Problem("no number: " + match[3].str());
    }
    if (family.type == "counter" && !(value >= 0)) Problem("a counter below zero");
    if (family.type == "info" && value != 1) Problem("an info that is not 1");
    Labels(match[2]);
    if (!family.samples.emplace(match[1].str() + match[2].str(), value).second)
      Problem("a sample twice: " + line);
  }

  void Labels(const std::string& labels) {
    static const std::regex label(R"re(([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*")re");
    std::set<std::string> names;
    for (auto it = std::sregex_iterator(labels.begin(), labels.end(), label);
         it != std::sregex_iterator(); ++it)
      if (!names.insert((*it)[1]).second) Problem("a label twice: " + labels);
    if (labels.ends_with(",}")) Problem("a comma behind the last label");
  }

  // Rules of promtool as well: what every metric has, and what its name says.
  void CheckFamily(const std::string& name, const MetricFamily& family) {
    if (family.type.empty()) Problem(name + " has no TYPE");
    if (family.help.empty()) Problem(name + " has no HELP");
    if (family.samples.empty()) Problem(name + " has no sample");
    if (!family.unit.empty() && !name.ends_with("_" + family.unit))
      Problem(name + " does not end with its unit");
    if (name.ends_with("_total") || name.ends_with("_info")) Problem(name + " ends as a sample");
    for (const char* unit : {"_seconds", "_ratio", "_bytes"})
      if (name.ends_with(unit) && family.unit.empty()) Problem(name + " has no UNIT");
    for (const char* wrong : {"_milliseconds", "_ms", "_minutes", "_percent", "_kilobytes"})
      if (name.ends_with(wrong)) Problem(name + " is not in a base unit");
    for (const auto& [sample, value] : family.samples)
      if (family.unit == "ratio" && (value < 0 || value > 1)) Problem(sample + " is no ratio");
  }

  Metrics metrics_;
  std::string current_;
  int line_ = 0;
  bool ended_ = false;
};

}  // namespace

double Metrics::At(const std::string& sample) const {
  for (const auto& [name, family] : families)
    if (const auto found = family.samples.find(sample); found != family.samples.end())
      return found->second;
  throw std::runtime_error("no sample " + sample);
}

std::string Metrics::Problems() const {
  std::string text;
  for (const std::string& problem : problems) text += problem + "\n";
  return text;
}

Metrics ReadOpenMetrics(const std::string& text) { return Reader().Read(text); }

}  // namespace pgalter::test
