#include "cli/confirm.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/rejected.h"

namespace pgalter::cli {

void Confirm(const Context& context, const std::string& question) {
  if (context.yes) return;
  if (::isatty(STDIN_FILENO) == 0 || context.output == Output::kJson)
    throw Rejected(ExitCode::kUsage,
                   fmt::format("nobody is here to be asked: {} Nothing was changed", question),
                   "add --yes");
  fmt::print(stderr, "pgalter: {} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return;
  throw Rejected(ExitCode::kUsage, "not confirmed; nothing was changed", "");
}

}  // namespace pgalter::cli
