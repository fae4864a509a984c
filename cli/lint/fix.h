// Rewrites what has one safe form, as the findings propose it. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "planner/lint/linter.h"
#include "planner/lint/render/report.h"

namespace pgalter::cli {

struct Fixed {
  std::vector<lint::File> files;
  lint::Result result;  // of the files as they are now
  int fixes = 0;
  std::vector<int> given_up;  // files whose rewriting was not read as SQL any more: left alone
};

// Findings that a comment or the baseline silences are not touched. Of two fixes that touch the
// same bytes the first is made, and the second looked at again afterwards; so files are judged
// again until nothing is left to fix. Files that are `untouchable` stay as they are.
Fixed FixAll(std::vector<lint::File> files, const lint::Options& options,
             const catalog::Schema& schema, const lint::Report& report,
             const std::set<int>& untouchable);

// Edits at one place keep their order. Those that overlap, or reach past the end, are a mistake of
// the caller.
std::string ApplyEdits(std::string_view text, std::vector<lint::Edit> edits);

}  // namespace pgalter::cli
