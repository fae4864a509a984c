#include "cli/serve/control.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <optional>

#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/pick_run.h"
#include "cli/rebuild_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/wishes.h"
#include "engine/run/canary.h"
#include "engine/run/plan_spec.h"
#include "engine/state/cutover_wish.h"

namespace pgalter::cli::serve {

namespace json = boost::json;

namespace {

struct Wish {
  const Context& context;
  guard::Session& session;
  state::Run run;
  json::object body;
  std::vector<int>& runners;

  [[nodiscard]] std::string Text(std::string_view key) const {
    const json::value* value = body.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  }
};

json::object ReadBody(const std::string& text) {
  if (text.empty()) return {};
  boost::system::error_code code;
  const json::value value = json::parse(text, code);
  if (!code && value.is_object()) return value.get_object();
  throw Rejected(ExitCode::kUsage, "the body of the request is no JSON object", "");
}

// What cannot be taken back is said twice.
void NeedConfirmation(const Wish& wish) {
  if (wish.Text("confirm") == wish.run.target) return;
  throw Rejected(ExitCode::kUsage, "this has to be confirmed with the name of the table",
                 fmt::format("\"confirm\": \"{}\"", wish.run.target));
}

Task<std::string> Pause(Wish& wish) {
  co_await PauseRun(wish.session, wish.run);
  co_return "paused";
}

Task<std::string> Resume(Wish& wish) {
  if (wish.run.state == state::RunState::kDone)
    throw Rejected(ExitCode::kRefused, fmt::format("run {} is done", wish.run.id), "");
  co_await RefuseGoingOn(wish.session, wish.run, BesideRunner::kRefused);
  Further further;
  further.gate = wish.Text("gate");
  if (!further.gate.empty()) {
    if (!run::IsPlan(wish.run) && run::CanaryOf(wish.run) == 0)
      throw Rejected(ExitCode::kUsage, fmt::format("run {} has no gates", wish.run.id), "");
    co_await CheckGate(wish.session, wish.run, further.gate);
  }
  co_await LetGoOn(wish.session, wish.run.id, further);
  const int process = co_await StartRunner(wish.context, wish.run.id);
  wish.runners.push_back(process);
  co_return fmt::format("goes on, in process {} on the machine of this dashboard", process);
}

Task<std::string> Throttle(Wish& wish) {
  const json::value* given = wish.body.if_contains("set");
  if (given == nullptr || !given->is_array() || given->get_array().empty())
    throw Rejected(ExitCode::kUsage, "it takes what to set", R"("set": ["ratio=0.5"])");
  std::vector<std::string> settings;
  for (const json::value& entry : given->get_array()) {
    if (!entry.is_string())
      throw Rejected(ExitCode::kUsage, "what to set is KEY=VALUE each", R"("set": ["ratio=0.5"])");
    settings.emplace_back(entry.get_string());
  }
  const auto pace = ReadPace(settings);
  co_await SetPace(wish.session, wish.run, pace);
  co_return "set";
}

Task<std::string> Postpone(Wish& wish) {
  co_await RefuseWithoutCutover(wish.session, wish.run);
  co_await state::PostponeCutOver(wish.session, wish.run.id);
  co_return "goes on, and does not swap its tables before it is let";
}

Task<std::string> CutOver(Wish& wish) {
  co_await RefuseWithoutCutover(wish.session, wish.run);
  NeedConfirmation(wish);
  co_await state::LetCutOver(wish.session, wish.run.id, std::nullopt);
  co_return "swaps its tables once they are the same";
}

Task<std::string> Abort(Wish& wish) {
  if (!state::IsActive(wish.run.state) && wish.run.state != state::RunState::kFailed)
    throw Rejected(ExitCode::kRefused,
                   fmt::format("run {} is {}: there is nothing to abort", wish.run.id,
                               state::Name(wish.run.state)),
                   "");
  NeedConfirmation(wish);
  co_await AbortRun(wish.context, wish.session, wish.run);
  co_return "aborted; what it made is gone";
}

struct Action {
  std::string_view name;
  Task<std::string> (*perform)(Wish& wish);
};

constexpr std::array kActions{
    Action{"pause", &Pause},       Action{"resume", &Resume},   Action{"throttle", &Throttle},
    Action{"postpone", &Postpone}, Action{"cutover", &CutOver}, Action{"abort", &Abort},
};

const Action& FindAction(const std::string& name) {
  for (const Action& action : kActions)
    if (action.name == name) return action;
  throw Rejected(ExitCode::kUsage, fmt::format("there is no action \"{}\"", name),
                 "one of: pause, resume, throttle, postpone, cutover, abort");
}

}  // namespace

Task<std::string> Controls::Do(std::string run, std::string action, std::string body) {
  ReapRunners();
  const Action& found = FindAction(action);
  json::object read = ReadBody(body);
  guard::Session session = co_await OpenForChange(context_);
  const std::vector<state::Run> runs = co_await LoadRuns(session);
  Wish wish{context_, session, PickRun(runs, run), std::move(read), runners_};
  Log(fmt::format("the dashboard was asked for {} of run {}", action, run));
  co_return co_await found.perform(wish);
}

// A process that has ended stays in the system's table until somebody asks for its end.
void Controls::ReapRunners() {
  std::erase_if(runners_, [](int process) { return ::waitpid(process, nullptr, WNOHANG) != 0; });
}

}  // namespace pgalter::cli::serve
