#include "cli/outside/rule_policy.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace pgalter::cli::outside {

namespace {

void SkipBlanks(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

bool Eat(std::string_view& text, std::string_view word) {
  SkipBlanks(text);
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<double> EatNumber(std::string_view& text) {
  SkipBlanks(text);
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str() || !std::isfinite(number)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - copy.c_str()));
  return number;
}

bool AtEnd(std::string_view text) {
  SkipBlanks(text);
  return text.empty();
}

}  // namespace

std::optional<Threshold> ParseThreshold(std::string_view text) {
  Threshold threshold;
  threshold.to_canary = Eat(text, "canary");
  if (!threshold.to_canary && !Eat(text, "baseline")) {
    const auto number = EatNumber(text);
    if (!number || !AtEnd(text)) return std::nullopt;
    threshold.plus = *number;
    return threshold;
  }
  threshold.relative = true;
  if (AtEnd(text)) return threshold;
  const bool times = Eat(text, "*");
  if (!times && !Eat(text, "+")) return std::nullopt;
  const auto number = EatNumber(text);
  if (!number || *number < 0) return std::nullopt;
  if (times) {
    threshold.factor = *number;
  } else if (Eat(text, "%")) {
    threshold.factor = 1 + *number / 100;
  } else {
    threshold.plus = *number;
  }
  if (!AtEnd(text)) return std::nullopt;
  return threshold;
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Judgement RulePolicy::Step(std::optional<double> value, Time now) {
  if (!value) {
    if (!unreadable_since_) unreadable_since_ = now;
    return now - *unreadable_since_ >= patience_ ? Judgement::kUnreadable : Judgement::kKept;
  }
  unreadable_since_.reset();
  if (*value <= above_) {
    above_since_.reset();
    return Judgement::kKept;
  }
  if (!above_since_) above_since_ = now;
  return now - *above_since_ >= hold_ ? Judgement::kBroken : Judgement::kKept;
}

}  // namespace pgalter::cli::outside
