// The files of migrations as they were run: of a directory, and only those whose checksum is the
// one that the history has.
#pragma once

#include <filesystem>

#include "cli/evidence/gather.h"

namespace pgalter::cli::evidence {

// Adds `texts` to the report, one a migration of it, and what is to be copied to `gathered.copies`.
// A file that can hold a password or a connection string is not copied.
void AddTexts(Gathered& gathered, const std::filesystem::path& directory);

}  // namespace pgalter::cli::evidence
