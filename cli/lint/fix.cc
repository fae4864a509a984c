#include "cli/lint/fix.h"

#include <algorithm>
#include <set>

namespace pgalter::cli {

namespace {

using lint::Edit;
using lint::File;
using lint::Finding;

constexpr int kMostRounds = 8;

bool Overlap(const Edit& a, const Edit& b) {
  // Two insertions at one place: which comes first would be chance.
  return a.span.begin == b.span.begin || (a.span.begin < b.span.end && b.span.begin < a.span.end);
}

bool InOrder(const std::vector<Edit>& edits, std::size_t size) {
  return std::ranges::all_of(edits, [&](const Edit& edit) {
    return edit.span.begin <= edit.span.end && edit.span.end <= size;
  });
}

struct Chosen {
  std::vector<Edit> edits;
  int fixes = 0;
};

// Those of one file that can be made together.
Chosen Choose(const lint::Result& result, int file, std::size_t size,
              const std::set<std::string, std::less<>>& baseline) {
  Chosen chosen;
  for (const Finding& finding : result.findings) {
    if (finding.file != file || finding.fix.empty() || !finding.suppressed.empty()) continue;
    if (baseline.contains(finding.fingerprint) || !InOrder(finding.fix, size)) continue;
    const bool free = std::ranges::none_of(finding.fix, [&](const Edit& edit) {
      return std::ranges::any_of(chosen.edits,
                                 [&](const Edit& other) { return Overlap(edit, other); });
    });
    if (!free) continue;
    chosen.edits.insert(chosen.edits.end(), finding.fix.begin(), finding.fix.end());
    ++chosen.fixes;
  }
  return chosen;
}

std::ptrdiff_t Unread(const lint::Result& result, int file) {
  return std::ranges::count_if(result.findings, [&](const Finding& finding) {
    return finding.file == file && finding.rule == "parse-error";
  });
}

// Where an edge of a part is after the edits. What is inserted there belongs before it or behind
// it.
enum class Insertion { kBefore, kBehind };

std::size_t Moved(std::size_t edge, Insertion insertion, const std::vector<Edit>& edits) {
  auto moved = static_cast<std::ptrdiff_t>(edge);
  for (const Edit& edit : edits) {
    const bool inserted_here = edit.span.begin == edge && edit.span.end == edge;
    if (edit.span.end > edge || (inserted_here && insertion == Insertion::kBehind)) continue;
    moved += static_cast<std::ptrdiff_t>(edit.text.size()) -
             static_cast<std::ptrdiff_t>(edit.span.end - edit.span.begin);
  }
  return static_cast<std::size_t>(moved);
}

// A part takes what is inserted at its edges, but not what its predecessor has taken.
void MoveParts(File& file, const std::vector<Edit>& edits) {
  std::size_t end_before = std::string::npos;
  for (lint::Part& part : file.parts) {
    const Insertion at_begin =
        part.span.begin == end_before ? Insertion::kBefore : Insertion::kBehind;
    end_before = part.span.end;
    part.span = {Moved(part.span.begin, at_begin, edits),
                 Moved(part.span.end, Insertion::kBefore, edits)};
  }
}

}  // namespace

std::string ApplyEdits(std::string_view text, std::vector<Edit> edits) {
  std::ranges::stable_sort(edits, {}, [](const Edit& edit) { return edit.span.begin; });
  std::string changed;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    changed += text.substr(at, edit.span.begin - at);
    changed += edit.text;
    at = edit.span.end;
  }
  changed += text.substr(at);
  return changed;
}

Fixed FixAll(std::vector<File> files, const lint::Options& options, const catalog::Schema& schema,
             const lint::Report& report, const std::set<int>& untouchable) {
  Fixed fixed{std::move(files), report.result, 0, {}};
  const std::vector<File> originals = fixed.files;
  std::vector<int> fixes(fixed.files.size());
  std::set<int> given_up;
  for (int round = 0; round < kMostRounds; ++round) {
    bool changed = false;
    for (std::size_t i = 0; i < fixed.files.size(); ++i) {
      File& file = fixed.files[i];
      const int index = static_cast<int>(i);
      if (!file.judged || given_up.contains(index) || untouchable.contains(index)) continue;
      const Chosen chosen = Choose(fixed.result, index, file.text.size(), report.baseline);
      if (chosen.edits.empty()) continue;
      file.text = ApplyEdits(file.text, chosen.edits);
      MoveParts(file, chosen.edits);
      fixes[i] += chosen.fixes;
      changed = true;
    }
    if (!changed) break;
    fixed.result = lint::Lint(fixed.files, options, schema);
    for (std::size_t i = 0; i < fixed.files.size(); ++i) {
      const int index = static_cast<int>(i);
      if (Unread(fixed.result, index) <= Unread(report.result, index)) continue;
      fixed.files[i] = originals[i];
      fixes[i] = 0;
      given_up.insert(index);
    }
    if (!given_up.empty()) fixed.result = lint::Lint(fixed.files, options, schema);
  }
  for (const int count : fixes) fixed.fixes += count;
  fixed.given_up.assign(given_up.begin(), given_up.end());
  return fixed;
}

}  // namespace pgalter::cli
