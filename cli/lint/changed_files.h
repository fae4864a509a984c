// What git says of the files of a directory.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace pgalter::cli {

// The root of the repository that the path is in; empty: it is in none.
std::filesystem::path RepositoryOf(const std::filesystem::path& path);

// Files that differ from where HEAD left `ref`, as absolute paths: committed since, changed in the
// working tree, or new and not ignored. Deleted ones are not among them. Throws Rejected when git
// cannot tell.
std::set<std::filesystem::path> ChangedFiles(const std::filesystem::path& repository,
                                             const std::string& ref);

}  // namespace pgalter::cli
