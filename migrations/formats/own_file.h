#pragma once

// Our own format, read strictly: docs/format.md has the grammar. Pure; nothing here throws, what is
// wrong is a problem with its line.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planner/sql/script.h"

namespace pgalter::formats {

enum class SectionKind { kUp, kBackfill, kGate, kContract, kVerify, kDown, kDownVerify };

struct Argument {
  std::string key;  // empty: a word alone
  std::string value;
};

struct Section {
  SectionKind kind = SectionKind::kUp;
  int line = 1;    // of its mark; 1 for what stands before the first
  sql::Span body;  // up to the next mark
  std::vector<Argument> arguments;

  [[nodiscard]] std::optional<std::string> Find(std::string_view key) const;
};

struct HeaderKey {
  std::string key;
  std::string value;
  int line = 1;
};

struct OwnProblem {
  int line = 1;
  std::string what;
  // What was typed, and what could have been meant; empty where that says nothing.
  std::string typed;
  std::vector<std::string> known;
};

struct OwnFile {
  std::vector<HeaderKey> header;
  std::vector<Section> sections;  // in the order of the file
  std::vector<OwnProblem> problems;

  [[nodiscard]] std::string Header(std::string_view key) const;  // empty: not there
};

[[nodiscard]] OwnFile ReadOwnFile(std::string_view text);

// Whether the file says that it is of this format: "-- pgalter: 1", of whatever
// version, or a section.
[[nodiscard]] bool IsOwnFile(std::string_view text);

// "7d", "24h", "30min", "90s" in seconds.
[[nodiscard]] std::optional<long> ParseSoak(std::string_view text);

[[nodiscard]] std::string_view NameOf(SectionKind kind);

// The section that a line begins: nothing where it begins none. The name may be one that there is
// not.
[[nodiscard]] std::optional<std::string_view> SectionMark(std::string_view line);
[[nodiscard]] std::optional<SectionKind> FindSection(std::string_view name);

}  // namespace pgalter::formats
