#include "cli/main_loop.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>

#include "cli/arguments.h"
#include "cli/env_file.h"
#include "cli/help_text.h"
#include "cli/missing_right.h"
#include "cli/outside/config.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> RunExplained(Context& context) {
  std::exception_ptr failure;
  try {
    co_return co_await context.command->body->run(context);
  } catch (...) {
    failure = std::current_exception();
  }
  failure = co_await WithGrant(context, failure);
  std::rethrow_exception(failure);
}

ExitCode RunCommand(Context& context) {
  boost::asio::io_context loop(1);
  ExitCode code = ExitCode::kError;
  std::exception_ptr failure;
  boost::asio::co_spawn(loop, RunExplained(context),
                        [&](const std::exception_ptr& error, ExitCode result) {
                          failure = error;
                          code = result;
                        });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return code;
}

// Too late to hide it, in time to tell.
void WarnOfPassword(const Context& context) {
  if (context.Has("dsn") && context.Connect().conninfo.Get("password"))
    Say(context,
        "--dsn holds a password, which others on this machine can read; use .pgpass, PGPASSWORD or "
        "PGALTER_DSN");
}

void WarnOfOpenFile(const Context& context) {
  if (!context.Has("env-file") || !IsOpenToOthers(context.Get("env-file"))) return;
  Say(context, fmt::format("{0} can be read by others on this machine: chmod 600 {0}",
                           context.Get("env-file")));
}

ExitCode Dispatch(const std::vector<std::string>& arguments) {
  Context context = ParseArguments(arguments);
  if (context.help) {
    Print(HelpText(*context.command, context.operands.empty() ? "" : context.operands.front()));
    return ExitCode::kDone;
  }
  OpenLog(context);
  Log(fmt::format("pgalter {} begins", context.command->name));
  WarnOfPassword(context);
  WarnOfOpenFile(context);
  // Before a run is made that could not begin.
  if (outside::IsReadBy(*context.command)) static_cast<void>(outside::LoadConfig(context));
  const ExitCode code = RunCommand(context);
  Log(fmt::format("pgalter {} ends with exit code {}", context.command->name,
                  static_cast<int>(code)));
  return code;
}

}  // namespace

ExitCode Main(const std::vector<std::string>& arguments) {
  // A reader that has seen enough (pgalter watch | head) must not end a run.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return Dispatch(arguments);
  } catch (...) {
    return Report(Judge(std::current_exception()), WantedOutput(arguments));
  }
}

}  // namespace pgalter::cli
