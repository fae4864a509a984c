#include "cli/detach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "cli/connect.h"
#include "cli/govern/open_run.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

namespace {

constexpr async::Milliseconds kLook{100};
constexpr async::Milliseconds kStartLimit{20'000};

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const Context& context) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("PGALTER_DSN=")) variables.emplace_back(*entry);
  if (!context.dsn.empty()) variables.push_back("PGALTER_DSN=" + context.dsn);
  return variables;
}

std::vector<std::string> Arguments(const Context& context, const std::string& run) {
  std::vector<std::string> arguments{"pgalter", "resume", run, "--no-color"};
  if (context.Has("take-over")) arguments.emplace_back("--take-over");
  if (context.Has("config"))
    arguments.insert(arguments.end(),
                     {"--config", std::filesystem::absolute(context.Get("config")).string()});
  if (!context.log_file.empty())
    arguments.insert(arguments.end(),
                     {"--log-file", std::filesystem::absolute(context.log_file).string(),
                      "--log-format", context.Get("log-format")});
  return arguments;
}

// Only what is safe between fork and exec.
[[noreturn]] void BecomeRunner(char* const* arguments, char* const* environment) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, standard);
  ::close_range(3, ~0U, 0);
  ::execve("/proc/self/exe", arguments, environment);
  ::_exit(127);
}

pid_t Spawn(const Context& context, const std::string& run) {
  std::vector<std::string> arguments = Arguments(context, run);
  std::vector<std::string> environment = Environment(context);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  const pid_t child = ::fork();
  if (child < 0)
    throw Rejected(ExitCode::kError,
                   fmt::format("cannot start a background runner: fork: {}", std::strerror(errno)),
                   fmt::format("pgalter resume {}", run));
  if (child == 0) BecomeRunner(argv.data(), envp.data());
  return child;
}

void RejectEarlyEnd(const Context& context, const std::string& run, int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;  // there was little to do
  const auto code =
      WIFEXITED(status) ? static_cast<ExitCode>(WEXITSTATUS(status)) : ExitCode::kError;
  throw Rejected(code, fmt::format("the background runner of run {} ended at once", run),
                 context.log_file.empty() ? fmt::format("pgalter resume {} shows why", run)
                                          : fmt::format("{} says why", context.log_file));
}

}  // namespace

Task<int> StartRunner(const Context& context, std::string run) {
  guard::Session session = co_await OpenSession(context);
  const pid_t child = Spawn(context, run);
  const auto give_up = async::Clock::now() + kStartLimit;
  for (;;) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      RejectEarlyEnd(context, run, status);
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
