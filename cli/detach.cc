#include "cli/detach.h"

#include <fmt/format.h>

#include <vector>

#include "cli/connect.h"
#include "cli/govern/open_run.h"
#include "cli/json_output.h"
#include "cli/own_program.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

namespace {

constexpr async::Milliseconds kLook{100};
constexpr async::Milliseconds kStartLimit{20'000};

OwnProgram Spawn(const Context& context, const std::string& run) {
  std::vector<std::string> words{"resume", run};
  if (context.Has("take-over")) words.emplace_back("--take-over");
  return OwnProgram::Start(context, std::move(words), OwnProgram::Keep::kNothing);
}

void RejectEarlyEnd(const Context& context, const std::string& run, int ended) {
  constexpr int kKilled = 128;
  if (ended == 0) return;  // there was little to do
  const auto code = ended < kKilled ? static_cast<ExitCode>(ended) : ExitCode::kError;
  throw Rejected(code, fmt::format("the background runner of run {} ended at once", run),
                 context.log_file.empty() ? fmt::format("pgalter resume {} shows why", run)
                                          : fmt::format("{} says why", context.log_file));
}

}  // namespace

Task<int> StartRunner(const Context& context, std::string run) {
  guard::Session session = co_await OpenSession(context);
  OwnProgram program = Spawn(context, run);
  const int child = program.process();
  const auto give_up = async::Clock::now() + kStartLimit;
  for (;;) {
    if (const auto ended = program.Ended()) {
      RejectEarlyEnd(context, run, *ended);
      co_return child;
    }
    const auto runner = co_await state::LiveRunner(session, run);
    if (runner && runner->process == child) co_return child;
    if (async::Clock::now() >= give_up) {
      Say(context, "the background runner has not begun yet; see: pgalter status " + run);
      co_return child;
    }
    co_await async::SleepFor(kLook);
  }
}

Task<ExitCode> Detach(const Context& context, std::string run) {
  co_await OpenRun(context, run);
  const int child = co_await StartRunner(context, run);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"run", run}, {"process", child}});
  } else {
    Print(run + "\n");
    Say(context, fmt::format("goes on in the background; follow it with: pgalter watch {}", run));
  }
  co_return ExitCode::kDone;
}

}  // namespace pgalter::cli
