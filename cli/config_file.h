// pgalter.toml as a table, for the readers of its sections.
#pragma once

#include <toml++/toml.h>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::cli {

// Throws Rejected (usage): no such file, no TOML, a section that nobody reads.
toml::table LoadConfigFile(const std::string& path);

// Throws Rejected (usage), naming the nearest, unless every key of the table is among `known`.
// `section` as it stands in the file: "[lint]".
void CheckKeys(const toml::table& table, const std::string& file, const std::string& section,
               const std::vector<std::string>& known);

std::vector<std::string> KeysOf(const toml::table& table);

}  // namespace pgalter::cli
