#include "engine/run/canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "engine/async/fail_point.h"
#include "engine/run/gate_step.h"

namespace pgalter::run {

namespace {

constexpr const char* kGateKey = "canary_gate";
constexpr std::array<std::string_view, 3> kMovesRows{"backfill", "copy", "split-copy"};

const boost::json::object* ObjectIn(const boost::json::object& spec, const char* name) {
  const auto* found = spec.if_contains(name);
  return found != nullptr && found->is_object() ? &found->get_object() : nullptr;
}

std::string GateOf(const state::Run& run) {
  const auto* gate = run.spec.if_contains(kGateKey);
  return gate == nullptr ? kCanaryGate : std::string(std::string_view(gate->as_string()));
}

}  // namespace

double CanaryOf(const state::Run& run) {
  const auto* throttle = ObjectIn(run.spec, "throttle");
  const auto* pace = ObjectIn(run.spec, "pace");  // where a plan keeps it
  if (throttle == nullptr && pace != nullptr) throttle = ObjectIn(*pace, "throttle");
  if (throttle == nullptr) return 0;
  const auto* share = throttle->if_contains(kCanaryKey);
  if (share == nullptr || !share->is_string()) return 0;
  return std::strtod(share->get_string().c_str(), nullptr);
}

bool IsCanaryGate(std::string_view gate) {
  return gate == kCanaryGate || gate.starts_with(fmt::format("{}-", kCanaryGate));
}

std::string CanaryGateOf(const state::Step& step) {
  const bool moves = std::find(kMovesRows.begin(), kMovesRows.end(), step.kind) != kMovesRows.end();
  return moves ? fmt::format("{}-{}", kCanaryGate, step.id) : "";
}

void NameCanaryGate(state::Run& own, const state::Step& step) {
  own.spec[kGateKey] = CanaryGateOf(step);
}

bool InCanary(const state::Run& run, const state::Control& control) {
  return CanaryOf(run) > 0 && std::find(control.passed.begin(), control.passed.end(),
                                        GateOf(run)) == control.passed.end();
}

std::int64_t CanaryBlocks(double share, std::int64_t total) {
  const auto blocks = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total)));
  return std::max<std::int64_t>(blocks, 1);
}

void RestAtCanary(const Environment& env) {
  async::FailPoint("at-canary");
  const std::string gate = GateOf(env.run);
  throw GateClosed(
      gate,
      fmt::format("gate {}: {:.3g} % of the table was the first part, {} rows of it are done; "
                  "look at them and at the load. To go on: pgalter resume {} --gate {}",
                  gate, CanaryOf(env.run) * 100, env.progress.done_rows, env.run.id, gate));
}

}  // namespace pgalter::run
