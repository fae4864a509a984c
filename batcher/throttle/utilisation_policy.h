// UtilisationPolicy: readings in, pace out. Pure: time is given in, nothing is awaited.
//
// Utilisation is the highest value/limit of all readings. Below 0.4 the ratio grows, below 0.7 it
// holds, below 1 it shrinks, from 1 on everything stops. The ratio is the share of the time in
// which workers may work: 1 is full speed, 0 is a stop. A signal that cannot be read counts as 1
// once a grace has passed, and allows no growth before: it fails closed.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "engine/watch/reading.h"

namespace pgalter::throttle {

using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

enum class Action { kGrow, kHold, kShed, kStop };

struct UtilisationOptions {
  double hold_from = 0.4;
  double shed_from = 0.7;
  double stop_from = 1.0;
  double resume_below = 0.9;  // a stop ends only here, or it would flutter around 1
  double growth = 0.1;        // added each second
  double decay = 0.8;         // factor each second
  double floor = 0.05;        // the least ratio that is not a stop
  Duration grace = std::chrono::seconds(15);
  Duration cool_down = std::chrono::seconds(5);  // no growth so soon after it was shrunk
};

struct Verdict {
  Action action = Action::kStop;
  double ratio = 0;
  double utilisation = 1;
  std::string reason;  // the signal that decides; empty at full speed
};

class UtilisationPolicy {
 public:
  explicit UtilisationPolicy(UtilisationOptions options = {});

  // One round of readings. The first one sets the pace to start with.
  const Verdict& Step(std::span<const watch::Reading> readings, Time now);

  // The verdict as of now: the last one, or a stop when no round has come for the grace.
  Verdict At(Time now) const;

  // The operator's word: never more than this; 0 stops, nullopt leaves it to the signals.
  void SetCeiling(std::optional<double> ratio);
  std::optional<double> ceiling() const { return ceiling_; }

 private:
  struct Load {
    double utilisation = 0;
    std::string text;
  };
  Load Judge(const watch::Reading& reading, Time now);
  Load Highest(std::span<const watch::Reading> readings, Time now);
  Action ActionFor(double utilisation) const;
  void Move(Action action, Time now);
  double FirstRatio(Action action) const;
  void Publish(Action action, const Load& load);

  UtilisationOptions options_;
  std::optional<double> ceiling_;
  std::map<std::string, Time, std::less<>> unreadable_since_;
  std::map<std::string, double, std::less<>> last_known_;
  std::optional<Time> last_step_;
  std::optional<Time> last_decrease_;
  double ratio_ = 0;          // without the ceiling
  double before_stop_ = 0.5;  // where a re-probe takes its start from
  Load load_;
  Verdict verdict_;
};

std::string_view Name(Action action);  // "grow", "hold", "shed", "stop"

}  // namespace pgalter::throttle
