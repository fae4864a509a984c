// Completion for shells, made from the table of commands. Pure.
#pragma once

#include <string>

namespace pgalter::cli {

enum class Shell { kBash, kZsh, kFish };

std::string CompletionScript(Shell shell);

}  // namespace pgalter::cli
