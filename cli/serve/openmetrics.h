// The text format of OpenMetrics 1.0. Families are written whole and in order, so a document cannot
// break the rules of their order; names that break the others are errors of ours and abort. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgalter::cli::serve {

using Labels = std::vector<std::pair<std::string, std::string>>;

enum class MetricType { kGauge, kCounter, kInfo };

struct Family {
  std::string name;  // without _total or _info
  MetricType type = MetricType::kGauge;
  std::string unit;  // empty: none; else the name ends with it
  std::string help;
};

struct Sample {
  Labels labels;
  double value = 0;
};

class Exposition {
 public:
  // Nothing where there is no sample. Throws std::logic_error for a name that is no name, is there
  // already, or does not fit its type and unit.
  void Add(const Family& family, const std::vector<Sample>& samples);
  // The document with its end.
  [[nodiscard]] std::string Text() const;

  static constexpr std::string_view kContentType =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";

 private:
  std::set<std::string, std::less<>> names_;
  std::string text_;
};

}  // namespace pgalter::cli::serve
