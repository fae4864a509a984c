#include "cli/pick_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/rejected.h"
#include "engine/state/schema.h"

namespace pgalter::cli {

namespace {

constexpr const char* kSeePs = "pgalter ps";

[[noreturn]] void Reject(const std::string& text, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, text, hint);
}

template <class Which>
std::vector<state::Run> Matching(const std::vector<state::Run>& runs, Which which) {
  std::vector<state::Run> found;
  for (const state::Run& run : runs)
    if (which(run)) found.push_back(run);
  return found;
}

std::string Ids(const std::vector<state::Run>& runs) {
  std::vector<std::string> ids;
  for (const state::Run& run : runs) ids.push_back(run.id);
  return fmt::format("{}", fmt::join(ids, ", "));
}

}  // namespace

state::Run PickRun(const std::vector<state::Run>& runs, const std::string& wanted) {
  if (wanted.empty()) {
    auto active = Matching(runs, [](const state::Run& run) { return state::IsActive(run.state); });
    if (active.size() == 1) return std::move(active.front());
    if (active.empty()) Reject("no run is active in this database: name the one you mean", kSeePs);
    Reject(fmt::format("{} runs are active: name the one you mean", active.size()),
           "one of " + Ids(active));
  }
  auto found = Matching(runs, [&](const state::Run& run) { return run.id.starts_with(wanted); });
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) Reject(fmt::format("there is no run {} in this database", wanted), kSeePs);
  Reject(fmt::format("{} runs begin with {}", found.size(), wanted), "one of " + Ids(found));
}

Task<std::vector<state::Run>> LoadRuns(guard::Session& session) {
  std::vector<state::Run> runs;
  const int version = co_await state::InstalledVersion(session);
  if (version > 0) runs = co_await state::ListRuns(session);
  co_return runs;
}

Task<state::Run> LoadRun(const Context& context, guard::Session& session) {
  const std::vector<state::Run> runs = co_await LoadRuns(session);
  co_return PickRun(runs, context.Operand(0));
}

}  // namespace pgalter::cli
