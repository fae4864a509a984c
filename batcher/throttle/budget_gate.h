// BudgetGate: says by what workers have written since the budget was last read that it may be
// spent. Pure.
//
// A reading comes once in about a second, in which a whole table may be copied. So workers say what
// they have written, and the gate is shut as soon as that and the last reading come to the limit;
// the next reading opens it, or stops all. What was written while a reading was under way counts
// twice until the next: the gate is shut sooner then, never later.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "engine/watch/reading.h"

namespace pgalter::throttle {

class BudgetGate {
 public:
  // A round of readings begins.
  void Begin() { begun_ = spent_; }
  // It has ended. Rounds in which the budget is not read repeat what was read last; read again it
  // is another value, as whatever is written is in it.
  void Note(std::span<const watch::Reading> readings);

  void Spend(double bytes) { spent_ += bytes; }

  // In bytes, of new rows and WAL together; nullopt: there is no limit.
  [[nodiscard]] std::optional<double> left() const;
  // Why nobody is admitted now; nullopt: the gate is open.
  [[nodiscard]] std::optional<std::string> WhyShut() const;

 private:
  double spent_ = 0;    // all that was said
  double begun_ = 0;    // up to where, when the last round began
  double counted_ = 0;  // up to where the last reading has it
  double value_ = 0;
  double limit_ = 0;  // 0: none
};

}  // namespace pgalter::throttle
