// A reader of the OpenMetrics text format that knows its rules, independent of what writes it: what
// `promtool check metrics` and the specification ask for, as far as these metrics go.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace pgalter::test {

struct MetricFamily {
  std::string type;
  std::string unit;
  std::string help;
  std::map<std::string, double> samples;  // by name{labels} as they stand
};

struct Metrics {
  std::map<std::string, MetricFamily> families;
  std::vector<std::string> problems;  // "line 3: …"

  // The value of a sample as it stands; a problem's worth of exception where it is not there.
  [[nodiscard]] double At(const std::string& sample) const;
  [[nodiscard]] std::string Problems() const;
};

Metrics ReadOpenMetrics(const std::string& text);

}  // namespace pgalter::test
