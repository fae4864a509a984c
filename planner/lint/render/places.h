#pragma once

// Where findings and edits stand, in lines and columns. Reads a file's lines once, when the first
// place in it is asked for.

#include <optional>
#include <string_view>
#include <vector>

#include "planner/lint/render/report.h"
#include "planner/sql/line_index.h"

namespace pgalter::lint {

// The end is behind the last character.
struct Region {
  sql::LineIndex::Place begin;
  sql::LineIndex::Place end;
};

class Places {
 public:
  // The report has to outlive it.
  explicit Places(const Report& report) : report_(report), indexes_(report.files.size()) {}

  [[nodiscard]] Region Of(int file, sql::Span span);
  [[nodiscard]] Region Of(const Finding& finding) { return Of(finding.file, finding.span); }
  [[nodiscard]] std::string_view Line(int file, int line);

 private:
  const sql::LineIndex& Index(int file);

  const Report& report_;
  std::vector<std::optional<sql::LineIndex>> indexes_;
};

}  // namespace pgalter::lint
