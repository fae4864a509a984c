// The files that lint judges: found below what the user named, read, and set in order.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/lint/settings.h"
#include "planner/lint/linter.h"
#include "planner/lint/render/report.h"

namespace pgalter::cli {

struct Origin {
  std::string name;             // as the user gave it; below a directory, with it
  std::filesystem::path place;  // empty: stdin
  bool rewritten = false;       // its text is not the file's, byte by byte: not to be written back
};

struct LintInput {
  // Their names are paths from the root of the repository, so that a fingerprint does not depend on
  // where pgalter was started.
  std::vector<lint::File> files;
  std::vector<Origin> origins;        // of each file
  std::vector<std::string> notes;     // files that were left out, and why
  std::vector<std::string> problems;  // what could not be read, and why
};

// Throws Rejected: nothing is named, or what is named is not there or has no migrations.
LintInput ReadInput(const LintSettings& settings);

// For the renderers. The input has to outlive it.
std::vector<lint::Source> SourcesOf(const LintInput& input);

// Whether a path, as given or from the root of the repository, is among the patterns. A pattern is
// a directory, a file, or has * and ? in it.
bool Matches(const std::vector<std::string>& patterns, const std::string& name);

}  // namespace pgalter::cli
