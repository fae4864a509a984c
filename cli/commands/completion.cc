#include "cli/completion_script.h"
#include "cli/context.h"
#include "cli/rejected.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

Shell ParseShell(const std::string& name) {
  if (name == "bash") return Shell::kBash;
  if (name == "zsh") return Shell::kZsh;
  if (name == "fish") return Shell::kFish;
  throw Rejected(ExitCode::kUsage, "there is no completion for \"" + name + "\"",
                 "one of: bash, zsh, fish");
}

Task<ExitCode> Run(Context& context) {
  Print(CompletionScript(ParseShell(context.operands[0])));
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kCompletionCommand;
const CommandBody kCompletionCommand{.description =
                                         "Prints a script to be read by the shell, for instance: "
                                         "source <(pgalter completion bash).",
                                     .most_operands = 1,
                                     .least_operands = 1,
                                     .words = "bash zsh fish",
                                     .run = &Run};

}  // namespace pgalter::cli
