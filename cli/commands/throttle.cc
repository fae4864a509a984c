#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/report.h"
#include "cli/wishes.h"
#include "engine/state/control.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()("set",
                        po::value<std::vector<std::string>>()->value_name("KEY=VALUE")->composing(),
                        "a ceiling (ratio=0.5, 0 stops, auto), workers=N, chunk-time=50ms, a "
                        "signal's limit (SIGNAL=10s, off, default), "
                        "expect-standbys=N, ignore-standbys=NAMES, query=SQL; may be given several "
                        "times");
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
  std::vector<PaceSetting> settings;
  if (context.Has("set")) settings = ReadPace(context.Get<std::vector<std::string>>("set"));
  guard::Session session = co_await OpenForChange(context);
  const state::Run run = co_await LoadRun(context, session);
  if (!settings.empty()) co_await SetPace(session, run, settings);
  const state::Control control = co_await state::ReadControl(session, run.id);
  Show(context, run.id, PaceInForce(run, control));
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kThrottleCommand;
const CommandBody kThrottleCommand{
    .description =
        "Changes the pace of a run, from any machine that reaches the database; its "
        "runner follows within a second. Prints what is in force: what the run was begun with, and "
        "what was set since. RUN can be left out when one run is active.",
    .most_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
