#include "batcher/backfill/wish.h"
#include "batcher/throttle/settings.h"

#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/control.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

using Setting = std::pair<std::string, std::string>;

void AddOptions(po::options_description& options) {
  options.add_options()("set",
                        po::value<std::vector<std::string>>()->value_name("KEY=VALUE")->composing(),
                        "a ceiling (ratio=0.5, 0 stops, auto), workers=N, chunk-time=50ms, a "
                        "signal's limit (SIGNAL=10s, off, default), "
                        "expect-standbys=N, ignore-standbys=NAMES, query=SQL; may be given several "
                        "times");
}

// All are checked before one is written.
std::vector<Setting> Checked(const std::vector<std::string>& given) {
  throttle::Settings scratch;
  std::vector<Setting> settings;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Rejected(ExitCode::kUsage, fmt::format("--set takes KEY=VALUE: not \"{}\"", text),
                     "pgalter help throttle");
    settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    const auto& [key, value] = settings.back();
    const auto wish = backfill::ReadWish(key, value);
    if (wish && !wish->refusal.empty())
      throw Rejected(ExitCode::kUsage, wish->refusal, "pgalter help throttle");
    if (wish) continue;
    if (const auto problem = throttle::Change(scratch, key, value))
      throw Rejected(ExitCode::kUsage, *problem, "pgalter help throttle");
  }
  return settings;
}

void RefuseEnded(const state::Run& run) {
  if (state::IsActive(run.state) || run.state == state::RunState::kFailed) return;
  throw Rejected(ExitCode::kRefused,
                 fmt::format("run {} is {}: it has no pace", run.id, state::Name(run.state)),
                 "pgalter ps");
}

void Show(const Context& context, const std::string& run, const boost::json::object& settings) {
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"run", run}, {"throttle", settings}});
    return;
  }
  for (const auto& [key, value] : settings)
    Print(fmt::format("{}={}\n", std::string_view(key), std::string(value.as_string())));
}

Task<ExitCode> Run(Context& context) {
  std::vector<Setting> settings;
  if (context.Has("set")) settings = Checked(context.Get<std::vector<std::string>>("set"));
  guard::Session session = co_await OpenForChange(context);
  const state::Run run = co_await LoadRun(context, session);
  if (!settings.empty()) RefuseEnded(run);
  for (const auto& [key, value] : settings)
    co_await state::SetThrottle(session, run.id, key, value);
  const state::Control control = co_await state::ReadControl(session, run.id);
  Show(context, run.id, control.throttle);
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kThrottleCommand;
const CommandBody kThrottleCommand{
    .description =
        "Changes the pace of a run, from any machine that reaches the database; its "
        "runner follows within a second. Prints what was changed so far. RUN can be "
        "left out when one run is active.",
    .most_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
