// RulePolicy: when an abort rule of pgalter.toml has been broken. Pure: values and time are given
// in.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::cli::outside {

using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// A number; or one that follows from what was measured before the start: "baseline + 50 %",
// "baseline + 20", "baseline * 2"; or the same of what was measured during the canary of the run.
struct Threshold {
  bool relative = false;
  bool to_canary = false;
  double factor = 1;
  double plus = 0;

  [[nodiscard]] double From(double baseline) const {
    return relative ? baseline * factor + plus : plus;
  }
};

std::optional<Threshold> ParseThreshold(std::string_view text);

double Median(std::vector<double> values);  // of at least one

enum class Judgement { kKept, kBroken, kUnreadable };

class RulePolicy {
 public:
  // Broken when every value was above for as long as `hold`; unreadable when there was none for
  // `patience`, since nobody knows then.
  RulePolicy(double above, Duration hold, Duration patience)
      : above_(above), hold_(hold), patience_(patience) {}

  Judgement Step(std::optional<double> value, Time now);
  [[nodiscard]] double above() const { return above_; }

 private:
  double above_;
  Duration hold_;
  Duration patience_;
  std::optional<Time> above_since_;
  std::optional<Time> unreadable_since_;
};

}  // namespace pgalter::cli::outside
