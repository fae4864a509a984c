// The baseline: findings that were there when lint was introduced, and do not count. A file of
// JSON, sorted, so that it merges and its changes can be reviewed. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "planner/lint/render/report.h"

namespace pgalter::cli {

using Baseline = std::map<std::string, std::string, std::less<>>;  // fingerprint to file

// Throws Rejected (usage): `file` names it in the message.
Baseline ParseBaseline(const std::string& file, std::string_view text);

// Every finding that no comment silences.
std::string BaselineText(const lint::Report& report);

// Entries about judged files that no finding has any more.
int StaleEntries(const Baseline& baseline, const lint::Report& report);

}  // namespace pgalter::cli
