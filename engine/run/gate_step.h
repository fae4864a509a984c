// Steps of kind "gate": the run rests in front of it until somebody opens it. A run without a wish
// to go on costs nothing: its runner ends, its state is "waiting".
//
// Lock: none. Blocks: nobody. On crash: nothing was done. Undo: nothing to take back.
#pragma once

#include <stdexcept>
#include <string>

#include "engine/run/step_handler.h"

namespace pgalter::run {

inline constexpr const char* kGateKind = "gate";

// The run rests at `gate`: a gate's name, or a phase that was not asked for.
class GateClosed : public std::runtime_error {
 public:
  GateClosed(std::string gate, const std::string& text)
      : std::runtime_error(text), gate_(std::move(gate)) {}
  [[nodiscard]] const std::string& gate() const { return gate_; }

 private:
  std::string gate_;
};

class GateStep : public StepHandler {
 public:
  Task<bool> Done(Environment& env, const state::Step& step) override;
  Task<> Do(Environment& env, const state::Step& step) override;
  Task<> Undo(Environment& env, const state::Step& step) override;
  [[nodiscard]] bool UndoesNothing(const state::Step&) const override { return true; }
};

// Throws GateClosed where the step's phase was not asked for. Behind a gate that was opened all
// phases were.
void ThrowIfBeyond(const Environment& env, const state::Step& step);

}  // namespace pgalter::run
