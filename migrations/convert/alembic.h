#pragma once

// Alembic's revisions as migrations: the files tell what there is and what stands on what, and what
// Alembic printed of them (`alembic upgrade base:heads --sql`) is their SQL. No Python is run.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/history/collection.h"
#include "planner/sql/script.h"

namespace pgalter::convert {

struct Revision {
  std::string id;
  std::vector<std::string> down;        // the revisions that it stands on
  std::vector<std::string> depends_on;  // of other branches
  std::string title;
};

// From a file's text, without running it. Empty id: it is no revision.
[[nodiscard]] Revision ReadRevision(std::string_view python);

// One step of what Alembic printed.
struct PrintedStep {
  bool up = true;
  std::vector<std::string> from;
  std::vector<std::string> to;
  // With their comments; without BEGIN, COMMIT and what Alembic writes about itself.
  std::vector<sql::Span> statements;
  bool together = true;  // all in one transaction

  // The revision that it applies, or takes back.
  [[nodiscard]] std::string id() const;
};
[[nodiscard]] std::vector<PrintedStep> ReadPrinted(std::string_view text);

// Each revision once, in the order in which it was printed. What does not fit together is a
// problem: a revision that was not printed, or was changed since.
[[nodiscard]] history::Collection ReadAlembic(const std::filesystem::path& directory,
                                              const std::vector<std::filesystem::path>& printed);

}  // namespace pgalter::convert
