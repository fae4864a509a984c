// The options of the verbs that copy a table's rows, as those of `pgalter rebuild`.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batcher/rebuild/spec.h"
#include "cli/context.h"

namespace pgalter::cli {

// With blanks between. --revert-window is of those that keep a way back, which name it.
inline constexpr std::string_view kCopyOptions =
    "workers chunk-time max-lag replica throttle without-signal canary unattended log-limit";

// Those that were given, as they were: names without "--", and values; for a command that goes on.
std::vector<std::pair<std::string, std::string>> CopyOptionsOf(const Context& context);

// Throws Rejected (usage).
void ReadCopyOptions(const Context& context, rebuild::Spec& spec);

}  // namespace pgalter::cli
