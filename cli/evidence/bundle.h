// The directory of a report: its files, and SHA256SUMS over them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/evidence/gather.h"

namespace pgalter::cli::evidence {

struct File {
  std::string name;
  std::string text;
};

// Every file, SHA256SUMS last; what can hold a secret is taken out. Pure.
std::vector<File> FilesOf(Gathered gathered);

// Throws Rejected (usage) where something is there already: a report is never mixed with another.
void RefuseUsed(const std::filesystem::path& directory);

// Makes the directory where it is not there. What it could not finish it removes. Throws Rejected.
void WriteFiles(const std::filesystem::path& directory, const std::vector<File>& files);

}  // namespace pgalter::cli::evidence
