// Files of a directory of migrations that is pgalter's own: new ones, and new names of old ones.
#pragma once

#include <filesystem>
#include <string>

#include "cli/migrate/source.h"

namespace pgalter::cli {

// What is there; the directory is made where it is missing. Throws Rejected.
history::Collection ExistingMigrations(const MigrationSettings& settings);
// Throws Rejected (usage) where another tool makes the names of the files.
void RefuseForeignTool(const history::Collection& existing);
// Behind every other, whatever the clock says.
std::string NextVersionOf(const history::Collection& existing);
// Only where there is none of that name. Throws Rejected.
void WriteNewFile(const std::filesystem::path& path, const std::string& text);

}  // namespace pgalter::cli
