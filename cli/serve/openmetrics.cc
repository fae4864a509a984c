#include "cli/serve/openmetrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <stdexcept>

namespace pgalter::cli::serve {

namespace {

std::string_view Name(MetricType type) {
  switch (type) {
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kCounter:
      return "counter";
    case MetricType::kInfo:
      return "info";
  }
  return "";
}

std::string_view Suffix(MetricType type) {
  switch (type) {
    case MetricType::kGauge:
      return "";
    case MetricType::kCounter:
      return "_total";
    case MetricType::kInfo:
      return "_info";
  }
  return "";
}

bool IsName(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c < 128 && (std::isalnum(c) != 0 || c == '_'); });
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n')
      escaped += "\\n";
    else
      escaped += c;
  }
  return escaped;
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string LabelText(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!IsName(name)) throw std::logic_error("no name of a label: " + name);
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, Escaped(value));
  }
  return text.empty() ? "" : "{" + text + "}";
}

void Check(const Family& family) {
  const bool taken = !Suffix(family.type).empty() && family.name.ends_with(Suffix(family.type));
  const bool fits = family.unit.empty() || family.name.ends_with("_" + family.unit);
  if (!IsName(family.name) || taken || !fits)
    throw std::logic_error("no name of a metric: " + family.name);
}

}  // namespace

void Exposition::Add(const Family& family, const std::vector<Sample>& samples) {
  Check(family);
  if (!names_.insert(family.name).second) throw std::logic_error("a metric twice: " + family.name);
  if (samples.empty()) return;
  text_ += fmt::format("# TYPE {} {}\n", family.name, Name(family.type));
  if (!family.unit.empty()) text_ += fmt::format("# UNIT {} {}\n", family.name, family.unit);
  text_ += fmt::format("# HELP {} {}\n", family.name, Escaped(family.help));
  std::set<std::string> seen;
  for (const Sample& sample : samples) {
    const std::string labels = LabelText(sample.labels);
    if (!seen.insert(labels).second)
      throw std::logic_error("a sample twice: " + family.name + labels);
    text_ +=
        fmt::format("{}{}{} {}\n", family.name, Suffix(family.type), labels, Number(sample.value));
  }
}

std::string Exposition::Text() const { return text_ + "# EOF\n"; }

}  // namespace pgalter::cli::serve
